"""HMAC-SHA256 in every detail: what proves a caller, and what is told to who proves nothing."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from tests.support.servers import running_server
from tests.support.signed import NEWEST, SIGNED, Reply, Signed, SignedClient, http_date, raw_exchange, to_bytes
from watchword.settings import Settings
from watchword.testing import RunningServer
from watchword.wire.signature import content_hash, signature

CREATE = f"/identities?api-version={NEWEST}"
DENIED = "Denied by the resource provider. "
START = datetime(2026, 11, 21, 1, 14, 27, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, tls=False)) as running:
        running.clock.stop(START)
        yield running


def refusal(reply: Reply) -> str:
    """The one sentence that says why."""
    assert (reply.status, reply.error["code"]) == (401, "Denied"), reply
    assert reply.error["message"].startswith(DENIED)
    assert "www-authenticate" not in reply.headers
    assert "api-supported-versions" not in reply.headers
    return reply.error["message"].removeprefix(DENIED)


def changed(client: SignedClient, body: bytes = b"", **headers: str) -> Reply:
    request = client.sign("POST", CREATE, body)
    return client.send(Signed(request.method, request.target, request.headers | headers, request.body))


@pytest.mark.parametrize("date", ["x-ms-date", "date"])
def test_both_generations_of_signed_headers_in_any_order(client: SignedClient, date: str) -> None:
    for names in permutations((date, "host", "x-ms-content-sha256")):
        assert client.call("POST", CREATE, names=names).status == 201
    assert client.call("POST", CREATE, names=(date.upper(), "Host", "X-MS-Content-SHA256")).status == 201


def test_further_headers_may_be_signed_and_then_count(client: SignedClient) -> None:
    names = ("x-custom", *SIGNED, "accept")
    request = client.sign("POST", CREATE, names=names, headers={"X-Custom": "a; b", "Accept": "*/*"})
    assert client.send(request).status == 201
    request.headers["X-Custom"] = "a; c"
    assert "changed after signing" in refusal(client.send(request))
    del request.headers["X-Custom"]
    assert refusal(client.send(request)) == "The x-custom header is signed, but missing."


@pytest.mark.parametrize("missing", SIGNED)
def test_host_hash_and_date_must_be_signed(client: SignedClient, missing: str) -> None:
    names = tuple(name for name in SIGNED if name != missing)
    reason = refusal(client.call("POST", CREATE, names=names))
    assert reason == "The signed headers must include host, x-ms-content-sha256 and x-ms-date or date."


@pytest.mark.parametrize("missing", ["x-ms-date", "x-ms-content-sha256"])
def test_a_signed_header_that_is_missing_is_named(client: SignedClient, missing: str) -> None:
    request = client.sign("POST", CREATE)
    del request.headers[missing]
    assert refusal(client.send(request)) == f"The {missing} header is signed, but missing."


def test_a_missing_authorization_says_what_to_do(client: SignedClient) -> None:
    request = client.sign("POST", CREATE)
    del request.headers["Authorization"]
    assert "Authorization header is missing: sign the request" in refusal(client.send(request))


@pytest.mark.parametrize(
    "value",
    [
        "HMAC-SHA256",
        "HMAC-SHA256 ",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=",
        "HMAC-SHA256 SignedHeaders=&Signature=AAAA",
        "HMAC-SHA256 Signature=AAAA&SignedHeaders=host",
        "HMAC-SHA256 SignedHeaders=;;;&Signature=AAAA",
        "HMAC-SHA256 SignedHeaders=host&Signature=AAAA",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=AAAA",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=ÿþ",
        "HMAC-SHA256SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=AAAA",
        "HMAC-SHA512 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=AAAA",
        "hmac-sha256 signedheaders=x-ms-date;host;x-ms-content-sha256&Signature=AAAA",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Bearer",
        "Bearer wwv_0123456789abcdef_secret",
        "Basic Og==",
        "Basic !",
        "ÿ",
        ",",
        "HMAC-SHA256 " + "A" * 20_000,
    ],
)
def test_a_garbled_authorization_is_refused_with_a_reason(client: SignedClient, value: str) -> None:
    assert len(refusal(changed(client, Authorization=value))) > 20


def test_an_unknown_scheme_is_told_apart_from_a_wrong_signature(client: SignedClient) -> None:
    assert refusal(changed(client, Authorization="Bearer x")) == (
        "The scheme of the Authorization header is not HMAC-SHA256."
    )


@pytest.mark.parametrize("name", ["Authorization", "Host", "x-ms-date", "x-ms-content-sha256"])
def test_a_header_that_is_sent_twice_proves_nothing(server: RunningServer, client: SignedClient, name: str) -> None:
    request = client.sign("POST", CREATE)
    twice = f"{name}: {request.headers[name]}\r\n".encode()
    assert raw_exchange(server.port, to_bytes(request, extra=twice)).split(b" ")[1] in (b"400", b"401")


# -- The keys.


def test_either_access_key_proves_the_caller(server: RunningServer, client: SignedClient) -> None:
    assert [client.call("POST", CREATE, key=key).status for key in server.keys] == [201, 201]


@pytest.mark.parametrize("key", [b"", b"wrong", b"k" * 64])
def test_no_other_key_does(client: SignedClient, key: bytes) -> None:
    reason = refusal(client.call("POST", CREATE, key=key))
    assert reason.startswith("The signature is not of any access key of this resource, or the method, path, query,")


def test_one_signed_request_may_be_sent_again(client: SignedClient) -> None:
    # JavaScript and Java repeat a request with its old signature: there is no cache of seen ones, on purpose.
    request = client.sign("POST", CREATE)
    assert [client.send(request).status for _ in range(3)] == [201, 201, 201]


# -- The date.


@pytest.mark.parametrize("off", [timedelta(0), timedelta(minutes=5), -timedelta(minutes=5)])
def test_five_minutes_off_are_allowed_on_both_sides(client: SignedClient, off: timedelta) -> None:
    assert client.call("POST", CREATE, date=http_date(START + off)).status == 201


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (timedelta(seconds=301), "5 minutes 1 second ahead of"),
        (-timedelta(seconds=301), "5 minutes 1 second behind"),
        (timedelta(minutes=6), "6 minutes ahead of"),
        (-timedelta(minutes=6), "6 minutes behind"),
        (-timedelta(days=2, hours=1), "2 days 1 hour behind"),
    ],
)
@pytest.mark.parametrize("header", ["x-ms-date", "date"])
def test_more_is_refused_and_the_reason_says_how_far_the_clock_is_off(
    client: SignedClient, off: timedelta, said: str, header: str
) -> None:
    names = (header, "host", "x-ms-content-sha256")
    reason = refusal(client.call("POST", CREATE, date=http_date(START + off), names=names))
    assert reason == (
        f"The {header} header is {said} the server's clock, which is greater than the allowed margin of 5 minutes."
    )


def test_a_signature_expires_when_the_servers_clock_moves_on(server: RunningServer, client: SignedClient) -> None:
    request = client.sign("POST", CREATE)
    try:
        server.clock.move(timedelta(minutes=5))
        assert client.send(request).status == 201
        server.clock.move(timedelta(seconds=1))
        assert "behind the server's clock" in refusal(client.send(request))
    finally:
        server.clock.stop(START)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "now",
        "2026-11-21T01:14:27Z",
        "Sat, 21 Nov 2026 01:14:27",
        "Sat, 21 Nov 2026 01:14:27 -0000",
        "Sat, 99 Nov 2026 01:14:27 GMT",
        "Sat, 21 Nov 99999999999999 01:14:27 GMT",
        "1795223667",
        "0",
        "GMT",
        "ÿ",
        "Sat, 21 Nov 2026 01:14:27 +99999999999999999999",
        "Sat, 21 Nov 0001 01:14:27 +2359",
        ", ,",
        "x" * 10000,
    ],
)
def test_a_date_that_cannot_be_read_is_refused(client: SignedClient, date: str) -> None:
    reason = refusal(client.call("POST", CREATE, date=date or " "))
    assert reason.startswith(("The x-ms-date header is not a date such as", "The x-ms-date header is "))


# -- What is signed: tampering with any of it.


def test_another_body_is_refused(client: SignedClient) -> None:
    request = client.sign("POST", CREATE, b'{"createTokenWithScopes":["chat"]}')
    other = b'{"createTokenWithScopes":["voip"]}'
    reason = refusal(client.send(Signed(request.method, request.target, request.headers, other)))
    assert reason == "The x-ms-content-sha256 header is not the hash of the body that arrived."
    headers = request.headers | {"x-ms-content-sha256": content_hash(other)}
    assert "changed after signing" in refusal(client.send(Signed("POST", request.target, headers, other)))


def test_another_path_query_method_host_or_date_is_refused(client: SignedClient) -> None:
    id, other = client.new_identity(), client.new_identity()
    request = client.sign("DELETE", f"/identities/{id}?api-version={NEWEST}")
    tampered = [
        Signed("DELETE", request.target.replace(id, other), request.headers, b""),
        Signed("DELETE", request.target.replace(NEWEST, "2022-10-01"), request.headers, b""),
        Signed("DELETE", request.target + "&x=y", request.headers, b""),
        Signed("DELETE", request.target.replace("/identities/", "//identities/"), request.headers, b""),
        Signed("DELETE", request.target, request.headers | {"Host": "elsewhere"}, b""),
        Signed("DELETE", request.target, request.headers | {"x-ms-date": http_date(START + timedelta(seconds=1))}, b""),
    ]
    for each in tampered:
        assert "changed after signing" in refusal(client.send(each))
    listed = client.listed("?maxPageSize=1000")
    assert {id, other} <= set(listed)


def test_the_target_is_signed_to_the_byte(client: SignedClient) -> None:
    id = client.new_identity()
    plain = f"/identities/{id}/:issueAccessToken?api-version={NEWEST}&x=a+b"
    spellings = [plain, plain.replace(":", "%3A"), plain.replace(":", "%3a"), plain.replace("+", "%20"), plain + "&"]
    body = b'{"scopes":["chat"]}'
    for signed_as in spellings:
        request = client.sign("POST", signed_as, body)
        for sent_as in spellings:
            reply = client.send(Signed("POST", sent_as, request.headers, body))
            assert reply.status == (200 if sent_as == signed_as else 401), (signed_as, sent_as)


def test_a_question_mark_without_a_query_is_part_of_the_target(client: SignedClient) -> None:
    for signed_as in ("/identities", "/identities?"):
        request = client.sign("GET", signed_as)
        for sent_as in ("/identities", "/identities?"):
            reply = client.send(Signed("GET", sent_as, request.headers, b""))
            assert reply.status == (200 if sent_as == signed_as else 401)


# -- What a refusal tells.


def test_no_refusal_tells_a_key_a_signature_or_what_was_expected(server: RunningServer, client: SignedClient) -> None:
    body = b'{"createTokenWithScopes":["chat"]}'
    request = client.sign("POST", CREATE, body)
    given = request.headers["Authorization"].partition("Signature=")[2]
    digest = content_hash(body)
    values = [request.headers["x-ms-date"], client.host, digest]
    expected = [signature(key, "POST", CREATE, values=values) for key in server.keys]
    secrets = [*expected, given, digest, *(base64.b64encode(key).decode() for key in server.keys)]
    wrong = client.sign("POST", CREATE, body, key=b"wrong").headers["Authorization"]
    headers = request.headers
    replies = [
        client.send(Signed("POST", CREATE, headers | {"Authorization": wrong}, body)),
        client.send(Signed("POST", CREATE, headers | {"Authorization": f"HMAC-SHA256 {given}"}, body)),
        client.send(Signed("POST", CREATE, headers | {"Authorization": f"Bearer {given}"}, body)),
        client.send(Signed("POST", CREATE, headers, b"{}")),
        client.send(Signed("POST", CREATE, headers | {"Host": "elsewhere"}, body)),
        client.send(Signed("POST", CREATE, headers | {"x-ms-date": "never"}, body)),
        client.send(Signed("POST", CREATE, headers | {"x-ms-content-sha256": given}, body)),
    ]
    for reply in replies:
        refusal(reply)
        told = reply.body.decode() + str(reply.headers)
        assert not [secret for secret in secrets if secret in told]
        assert wrong.partition("Signature=")[2] not in told


def test_a_stranger_cannot_tell_what_exists(client: SignedClient) -> None:
    known, unknown = client.new_identity(), client.new_identity()
    client.delete(unknown)
    told = set()
    for id in (known, unknown, "nonsense"):
        for method, path in (("POST", "/:issueAccessToken"), ("POST", "/:revokeAccessTokens"), ("DELETE", "")):
            reply = client.call(method, f"/identities/{id}{path}?api-version={NEWEST}", key=b"wrong")
            told.add((reply.status, reply.body))
    assert len(told) == 1
