"""The forms in which a client may have signed the host, and a proxy may have changed it."""

from collections.abc import Callable

import pytest

from tests.support.servers import running_server
from tests.support.signed import NEWEST, Reply, SignedClient, one_status, raw_exchange, to_bytes
from watchword.settings import Settings

CREATE = f"/identities?api-version={NEWEST}"


def refusal(reply: Reply) -> str:
    assert reply.status == 401
    return reply.error["message"].removeprefix("Denied by the resource provider. ")


@pytest.mark.parametrize(
    ("signed_as", "sent_as", "status"),
    [
        ("localhost:{port}", "localhost:{port}", 201),
        ("localhost", "localhost", 201),
        ("localhost", "localhost:{port}", 201),
        ("localhost:{port}", "localhost", 201),
        ("acs.example", "acs.example", 201),
        ("[::1]:{port}", "[::1]:{port}", 201),
        ("LOCALHOST:{port}", "localhost:{port}", 401),
        ("localhost:1", "localhost:{port}", 401),
        ("localhost:{port}", "localhost:1", 401),
        ("elsewhere", "localhost:{port}", 401),
        ("localhost", "local host", 400),
        ("localhost", "", 400),
        ("localhost", "ÿ", 400),
        ("localhost:{port}", "localhost:{port}/", 400),
    ],
)
def test_the_host_may_be_signed_with_or_without_the_port(
    client: SignedClient, signed_as: str, sent_as: str, status: int
) -> None:
    port = client.server.port
    request = client.sign("POST", CREATE, host=signed_as.format(port=port))
    request.headers["Host"] = sent_as.format(port=port)
    assert client.send(request).status == status


def test_without_a_host_nothing_is_proved(client: SignedClient) -> None:
    request = client.sign("POST", CREATE)
    del request.headers["Host"]
    assert one_status(raw_exchange(client.server.port, to_bytes(request))) == 400
    old = to_bytes(request).replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)
    assert one_status(raw_exchange(client.server.port, old)) == 401


def test_a_trailing_slash_in_the_signed_host_is_pointed_out(client: SignedClient) -> None:
    request = client.sign("POST", CREATE, host=f"{client.host}/")
    request.headers["Host"] = client.host
    assert refusal(client.send(request)) == (
        "The host was signed with a trailing slash: remove it from the endpoint that the client is given."
    )
    # Who does not know a key is told nothing of the kind.
    request = client.sign("POST", CREATE, host=f"{client.host}/", key=b"wrong")
    request.headers["Host"] = client.host
    assert "trailing slash" not in refusal(client.send(request))


@pytest.mark.parametrize("endpoint", ["https://acs.example", "https://acs.example/", "https://acs.example:8443"])
def test_the_public_endpoint_is_accepted_as_the_signed_host(endpoint: str) -> None:
    with (
        running_server(Settings(request_log=False, tls=False, public_endpoint=endpoint)) as server,
        SignedClient(server) as client,
    ):
        host = endpoint.removeprefix("https://").rstrip("/")
        for signed_as in {host, host.partition(":")[0]}:
            request = client.sign("POST", CREATE, host=signed_as)
            request.headers["Host"] = "backend:9000"
            assert client.send(request).status == 201
        request = client.sign("POST", CREATE, host="other.example")
        request.headers["Host"] = "backend:9000"
        refusal(client.send(request))


@pytest.mark.parametrize("spell", [str.upper, str.title])
def test_capital_letters_in_the_signed_host_are_pointed_out(client: SignedClient, spell: Callable[[str], str]) -> None:
    request = client.sign("POST", CREATE, host=spell(client.host))
    request.headers["Host"] = client.host
    assert refusal(client.send(request)) == (
        "The host was signed with capital letters and sent without: write it in lower case in the endpoint that the "
        "client is given."
    )
    # Who does not know a key is told nothing of the kind, and every other spelling is told of in general.
    for key, host in ((b"wrong", client.host.upper()), (client.server.keys[0], client.host.replace("l", "L"))):
        request = client.sign("POST", CREATE, host=host, key=key)
        request.headers["Host"] = client.host
        reason = refusal(client.send(request))
        assert reason.startswith("The signature is not of any access key")
        assert "capital letters in the host are such a change" in reason
