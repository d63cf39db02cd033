"""Property: one changed byte in any part that is signed, and the request is refused."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.servers import running_server
from tests.support.signed import NEWEST, Signed, SignedClient
from watchword.settings import Settings

BODY = b'{"createTokenWithScopes":["chat"],"expiresInMinutes":60}'
VISIBLE = [chr(code) for code in range(0x21, 0x7F)]
PARTS = ("target", "x-ms-date", "Host", "x-ms-content-sha256", "signature", "body", "method")


@pytest.fixture(scope="module")
def client() -> Iterator[SignedClient]:
    with running_server(Settings(request_log=False, tls=False)) as server, SignedClient(server) as signed:
        server.clock.stop()
        yield signed


def tampered(request: Signed, part: str, position: int, byte: str) -> Signed | None:
    """The request with one byte of a part replaced; None where it is that byte already."""

    def replaced(text: str) -> str:
        at = position % len(text)
        return text[:at] + byte + text[at + 1 :]

    headers = dict(request.headers)
    method, target, body = request.method, request.target, request.body
    match part:
        case "target":
            target = "/" + replaced(target[1:])
        case "method":
            method = replaced(method)
        case "body":
            body = replaced(body.decode()).encode()
        case "signature":
            start, mark, proof = headers["Authorization"].partition("Signature=")
            headers["Authorization"] = start + mark + replaced(proof)
        case name:
            headers[name] = replaced(headers[name])
    found = Signed(method, target, headers, body)
    return None if found == request else found


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.sampled_from(PARTS), position=st.integers(0, 1_000), byte=st.sampled_from(VISIBLE))
def test_one_changed_byte_is_refused(client: SignedClient, part: str, position: int, byte: str) -> None:
    request = client.sign("POST", f"/identities?api-version={NEWEST}", BODY)
    changed = tampered(request, part, position, byte)
    if changed is None:
        return
    reply = client.send(changed)
    # What is no HTTP any more, no path of ours or no known version is refused even before anybody is asked for a name.
    assert reply.status in (400, 401, 404, 405), (changed, reply)
    if part not in ("target", "method"):
        # A host may have become none at all.
        assert reply.status == 401 or (part.lower() == "host" and reply.error["code"] == "InvalidHost")


def test_nothing_of_it_changed_any_state_and_the_untouched_request_is_accepted(client: SignedClient) -> None:
    assert client.listed() == []
    assert client.send(client.sign("POST", f"/identities?api-version={NEWEST}", BODY)).status == 201
