"""The original's recorded traffic, replayed: same request, same status, same body, same headers.

Identifiers, tokens and times are ours. Where recordings differ the newest wins; what is not compared is counted, and
printed with its reason.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from tests.support.requirements import shared
from tests.support.servers import running_server
from tests.support.signed import ZERO_ID, Reply, SignedClient
from watchword.settings import Settings
from watchword.wire import versions

Exchange = dict[str, Any]
Check = Callable[[str], bool]

SUPERSEDED = {
    "ExpiresInMinutes value 59 is invalid.": "until 16 Sep 2022; later recordings name the interval too",
    "ExpiresInMinutes value 1441 is invalid.": "until 16 Sep 2022; later recordings name the interval too",
    "CreateTokenWithScopes value is missing.": "25 Aug 2022 only; from 16 Sep 2022 on null means an identity alone",
}
UNSERVED = "a preview that the original itself dropped; it is refused as an unsupported api-version"
TEAMS = "their tokens were sanitized away; tests/entra asks the same with tokens of a provider of its own"

# Headers whose values nobody could repeat: what is checked instead.
VOLATILE: Mapping[str, tuple[str, Check]] = {
    "date": ("its form", lambda value: re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", value) is not None),
    "ms-cv": ("its form", lambda value: re.fullmatch(r"[A-Za-z0-9+/]{22}\.0", value) is not None),
    "x-processing-time": ("its form", lambda value: re.fullmatch(r"\d+ms", value) is not None),
    "api-supported-versions": ("its presence; ours lists what we serve", lambda value: "2023-10-01" in value),
    "content-length": ("that it is right, by reading the body", str.isdecimal),
}
ABSENT = {
    "x-azure-ref": "of Azure's front door, which is not here",
    "x-cache": "of Azure's front door, which is not here",
    "strict-transport-security": "only by setting, and never for loopback names",
    "transfer-encoding": "ours are never sent in chunks",
    "status": "written by a recorder, never sent",
}

# Sent by us where one recording or another lacks it: it had no length, being in chunks, or it is from 2020; and the
# original does not say how long a connection may be idle.
ALSO_OURS = ("connection", "content-length", "content-type", "keep-alive", "request-context")

SENT = ("accept", "content-type", "user-agent", "x-ms-useragent", "x-ms-return-client-request-id")


def exchanges() -> list[Exchange]:
    lines = shared("contract/recorded/identity.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def why_not_compared(exchange: Exchange) -> str | None:
    version = exchange["path"].partition("api-version=")[2]
    if version not in versions.ALL:
        return UNSERVED
    if exchange["path"].startswith("/teamsUser/"):
        return TEAMS
    body = exchange["response_body"]
    return SUPERSEDED.get(body.get("error", {}).get("message")) if isinstance(body, dict) else None


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.fixture(scope="module")
def client() -> Iterator[SignedClient]:
    with running_server(Settings(request_log=False)) as server, SignedClient(server) as signed:
        yield signed


def replay(client: SignedClient, exchange: Exchange) -> Reply:
    is_foreign = b"IdentityNotOwned" in json.dumps(exchange["response_body"]).encode()
    id = ZERO_ID if is_foreign else client.new_identity()
    body = exchange["request_body"]
    content = json.dumps(body, separators=(",", ":")).encode() if isinstance(body, dict) else b""
    recorded = lower(exchange["request_headers"])
    headers = {name: recorded[name] for name in SENT if name in recorded}
    # The recorders replaced the id of the request and kept what was echoed, or the other way round.
    if (echoed := lower(exchange["response_headers"]).get("x-ms-client-request-id")) is not None:
        headers["x-ms-client-request-id"] = echoed
    return client.call(exchange["method"], exchange["path"].replace("{id}", id), content, headers=headers)


def without_ours(value: Any) -> Any:
    """The body with identifiers, tokens and times replaced, once each was seen to have its form."""
    if not isinstance(value, dict):
        return value
    forms = {
        "id": r"8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}|sanitized",
        "token": r"[\w-]+\.[A-Za-z0-9]+\.[\w-]+|sanitized",
        "expiresOn": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?\+00:00",
    }
    found = {}
    for name, part in value.items():
        if name in forms:
            assert re.fullmatch(forms[name], part), (name, part)
            found[name] = name
        else:
            found[name] = without_ours(part)
    return found


def compare_headers(expected: Mapping[str, str], found: Mapping[str, str]) -> None:
    # A recorder that kept no MS-CV kept next to nothing; then what is missing proves nothing.
    was_stripped = "ms-cv" not in expected
    for name, value in expected.items():
        if name in ABSENT:
            assert name not in found
        elif name in VOLATILE:
            # A 204 has no body, hence no length; the original's errors come in chunks.
            assert name in found or (name == "content-length" and value == "0"), name
        else:
            assert found.get(name) == value, name
    for name, value in found.items():
        if name in VOLATILE:
            assert VOLATILE[name][1](value), (name, value)
        assert was_stripped or name in expected or name in ALSO_OURS, f"{name} was not sent"


def test_every_exchange_that_we_serve_is_answered_as_recorded(client: SignedClient) -> None:
    for exchange in exchanges():
        if why_not_compared(exchange) is None:
            reply = replay(client, exchange)
            where = (exchange["method"], exchange["path"], exchange["request_body"])
            assert reply.status == exchange["status"], where
            body = json.loads(reply.body) if reply.body else None
            # As text, so that the order of properties counts.
            ours, theirs = json.dumps(without_ours(body)), json.dumps(without_ours(exchange["response_body"] or None))
            assert ours == theirs, where
            compare_headers(lower(exchange["response_headers"]), reply.headers)


def test_lengths_are_the_recorded_ones_where_nothing_was_sanitized_away(client: SignedClient) -> None:
    reply = client.create()
    assert (reply.headers["content-length"], len(reply.body)) == ("101", 101)


def test_a_teams_token_of_nobody_known_is_refused_as_recorded(client: SignedClient) -> None:
    for exchange in filter(lambda each: why_not_compared(each) == TEAMS, exchanges()):
        reply = replay(client, exchange)
        assert (reply.status, reply.error["code"]) == (401, "InvalidAccessToken")
        assert reply.error["message"] == "Provided access token is not valid."
        if exchange["status"] == reply.status:
            compare_headers(lower(exchange["response_headers"]), reply.headers)


def test_a_preview_that_was_dropped_is_an_unsupported_version(client: SignedClient) -> None:
    for exchange in filter(lambda each: why_not_compared(each) == UNSERVED, exchanges()):
        reply = replay(client, exchange)
        assert (reply.status, reply.error["code"]) == (400, "UnsupportedApiVersion")


def test_what_is_not_compared_is_counted_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = [why_not_compared(exchange) for exchange in exchanges()]
    counts = {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
    with capsys.disabled():
        say = partial(print, "\n   ", end="")
        say(f"recorded exchanges: {len(reasons)}, of which {counts.pop(None)} compared whole")
        for reason, count in counts.items():
            say(f"{count:3} not compared: {reason}")
        for name, (instead, _) in VOLATILE.items():
            say(f"{name}: compared is {instead}")
        for name, why in ABSENT.items():
            say(f"{name}: must be absent, {why}")
    assert len(reasons) == 123
    assert counts == {
        UNSERVED: 9,
        TEAMS: 25,
        SUPERSEDED["ExpiresInMinutes value 59 is invalid."]: 2,
        SUPERSEDED["CreateTokenWithScopes value is missing."]: 1,
    }
