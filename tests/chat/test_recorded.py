"""The original's recorded traffic of chat, replayed: same situation, same request, same answer.

Compared are the status, the names of headers and the value of each that could be repeated, and the body: the names of
members at each level, the order of items, every value that was sent, and the form of ids, times and links, which are
ours. What is not compared is counted, and printed with its reason.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from tests.support.recorded_chat import Recorded, Scene
from tests.support.requirements import shared
from tests.support.servers import running_server
from tests.support.signed import Reply, SignedClient
from watchword.settings import Settings
from watchword.wire import chat_versions as versions

REALTIME = "of the registrar, which belongs to realtime"
GONE = "of a preview that told unknown threads with 403"

_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
FORMS = {
    "createdOn": _TIME,
    "deletedOn": _TIME,
    "editedOn": _TIME,
    "readOn": _TIME,
    "version": r"\d{13}",
    "chatMessageId": r"\d{13}",
}
"""What is ours, by its member: its form is seen in both."""

ABSENT = ("x-cache", "x-azure-ref", "strict-transport-security", "transfer-encoding", "x-content-type-options")
"""Of Azure's front door, or of how it frames."""

OURS = (
    "accept-ranges",
    "access-control-expose-headers",
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "ms-cv",
    "request-context",
    "x-ms-client-request-id",
)
"""Sent by us where one recording or another lacks them: those of 2021 have no CORS, and those since 2023 no MS-CV; the
original does not say how long a connection may be idle, and repeats
the id of the request only where that was asked for.
"""


def exchanges() -> list[Recorded]:
    lines = shared("contract/recorded/chat.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


EXCHANGES = exchanges()


def why_not_compared(exchange: Recorded) -> str | None:
    if exchange["path"].startswith("/registrar/"):
        return REALTIME
    return GONE if exchange["status"] == 403 else None


COMPARED = [(line, each) for line, each in enumerate(EXCHANGES, start=1) if why_not_compared(each) is None]


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with running_server(Settings(request_log=False, tls=False)) as server, SignedClient(server) as client:
        yield Scene(client, EXCHANGES)


def shape(value: Any, scene: Scene, name: str = "") -> Any:
    """The value with what is ours replaced, once it was seen to have its form."""
    match value:
        case dict():
            return {key: shape(part, scene, key) for key, part in value.items() if not _is_early(key, part)}
        case list():
            return [shape(each, scene, name) for each in value]
        case str() if name == "nextLink":
            return link_form(value)
        case str() if value == "sanitized":
            return "ours"
        case str() if value.startswith("8:acs:"):
            recorded = scene.recorded_id(value)
            return "ours" if recorded == "sanitized" else recorded
        case str() if name in FORMS:
            assert re.fullmatch(FORMS[name], value), (name, value)
            return "ours"
        case str() if name == "id":
            assert re.fullmatch(r"\d{13}|19:[\w-]+@thread\.v2", value), value
            return "ours"
    return value


def _is_early(name: str, value: Any) -> bool:
    """A thread that was just made has no such time yet in the original: chat.md section 3.2."""
    if name != "lastMessageReceivedOn":
        return False
    assert re.fullmatch(_TIME, value)
    return True


def link_form(link: str) -> str:
    """The names and the order of what is in the query, and the page size; cursor and host are ours."""
    path, _, query = link.partition("?")
    assert re.fullmatch(r"https?://[^/]+/chat/threads(/19:[\w-]+@thread\.v2/\w+)?", path), path
    # The original's odd form of a start that nobody asked for is left out: chat.md section 5.3.
    names = [part.partition("=") for part in query.split("&") if not part.startswith("startTime=1%2F")]
    told = [name if name in ("syncState", "api-version") else f"{name}={value}" for name, _, value in names]
    return "&".join(told)


def expected_shape(body: Any, scene: Scene) -> Any:
    wrapped = body.keys() & {"CommunicationError", "ChatError", "Error"}
    return {"CommunicationError": body[wrapped.pop()]} if wrapped else shape(body, scene)


def is_head(exchange: Recorded) -> bool:
    """Whether the collector has cut a page of threads to its head: chat.md section 3.2."""
    body, path = exchange["response_body"], exchange["path"]
    is_default = path.startswith("/chat/threads?") and "maxPageSize" not in path
    return is_default and len(body["value"]) in (10, 11) and ("nextLink" in body or "syncState" in path)


def compare_headers(exchange: Recorded, reply: Reply) -> None:
    expected = {name.lower(): value for name, value in exchange["response_headers"].items()}
    found: Mapping[str, str] = reply.headers
    without_body = {"content-length"} if reply.status == 204 else set()
    assert not set(ABSENT) & set(found)
    assert set(expected) - set(ABSENT) - without_body <= set(found)
    assert set(found) - set(expected) <= set(OURS)
    newest = ", ".join(versions.ALL)
    listed = newest.removeprefix("2021-03-07, ") if "/typing" in exchange["path"] else newest
    assert found["api-supported-versions"] == listed
    if "2025-03-15" in expected.get("api-supported-versions", ""):
        assert listed == expected["api-supported-versions"]
    assert re.fullmatch(r"\d+ms", found["x-processing-time"])
    if "location" in expected:
        form = r"https?://[^/]+/chat/threads/19%3A[\w-]+@thread\.v2(/messages/\d{13})?"
        for sent in (expected["location"], found["location"]):
            assert re.fullmatch(form, sent), sent
            assert ("/messages/" in sent) == ("/messages" in exchange["path"])
    for name in ("accept-ranges", "access-control-allow-origin", "content-type", "x-ms-client-request-id"):
        assert found.get(name) == expected.get(name, found.get(name)), name
    # Ours exposes Retry-After as well.
    exposed = expected.get("access-control-expose-headers", "")
    assert found["access-control-expose-headers"].startswith(exposed)


@pytest.mark.parametrize(("line", "exchange"), COMPARED, ids=lambda value: value if isinstance(value, int) else "")
def test_an_exchange_is_answered_as_recorded(scene: Scene, line: int, exchange: Recorded) -> None:
    del line
    reply = scene.replay(exchange)
    assert reply.status == exchange["status"], reply
    compare_headers(exchange, reply)
    expected = exchange["response_body"]
    if expected is None:
        # Of one list the recorder kept no body.
        assert reply.body == b"" or (exchange["method"], exchange["status"]) == ("GET", 200)
        return
    found = reply.json
    if reply.status >= 400:
        assert set(found.pop("error")) >= {"code", "message"}
    if exchange["method"] == "GET" and is_head(exchange):
        members = {"id", "topic", "deletedOn", "lastMessageReceivedOn"}
        assert all({"id", "topic"} <= set(each) <= members for each in (*found["value"], *expected["value"]))
        expected, found = expected | {"value": []}, found | {"value": []}
    assert shape(found, scene) == expected_shape(expected, scene)


def test_what_is_not_compared_is_counted_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = [why_not_compared(exchange) for exchange in EXCHANGES]
    counts = {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
    with capsys.disabled():
        say = partial(print, "\n   ", end="")
        say(f"recorded exchanges of chat: {len(reasons)}, of which {counts.pop(None)} compared")
        for reason, count in counts.items():
            say(f"{count:3} not compared: {reason}")
    assert len(reasons) == 168
    assert counts == {REALTIME: 2, GONE: 1}
