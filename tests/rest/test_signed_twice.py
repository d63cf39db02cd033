"""Headers of the signature that came twice, as of two policies of one client: the refusal names them."""

from collections.abc import Iterator

import pytest

from tests.support.servers import running_server
from tests.support.signed import NEWEST, SignedClient, raw_exchange, to_bytes
from watchword.settings import Settings
from watchword.testing import RunningServer

CREATE = f"/identities?api-version={NEWEST}"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, tls=False)) as running:
        yield running


@pytest.mark.parametrize("name", ["Authorization", "x-ms-date", "x-ms-content-sha256"])
def test_a_header_of_the_signature_that_came_twice_is_named(
    server: RunningServer, client: SignedClient, name: str
) -> None:
    request = client.sign("POST", CREATE)
    # As of two policies in a row: each signs, and neither takes away what the other wrote.
    again = client.sign("POST", CREATE, key=server.keys[1])
    twice = f"{name}: {again.headers[name]}\r\n".encode()
    answer = raw_exchange(server.port, to_bytes(request, extra=twice))
    assert f"The {name} header was sent twice: two policies of one client sign the request" in answer.decode()


def test_a_header_that_is_wrong_and_came_once_is_not_called_doubled(client: SignedClient) -> None:
    for name, value in (("x-ms-date", "Sat, 21"), ("x-ms-content-sha256", "none"), ("Authorization", "HMAC-SHA256 x")):
        request = client.sign("POST", CREATE)
        request.headers[name] = value
        reply = client.send(request)
        assert reply.status == 401
        assert "twice" not in reply.error["message"]
