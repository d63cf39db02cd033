"""The request log as its page describes it, on real requests: every field of the page comes, and no other."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import httpx2
import pytest

from tests.management.support import GROUPS, Manager, resource_path
from tests.support.requirements import PROJECT
from tests.support.signed import NEWEST, SignedClient
from watchword.settings import Settings
from watchword.testing import RunningServer, running_server

PAGE = (PROJECT / "docs/reference/request-log.md").read_text(encoding="utf-8")
FIELDS = dict(re.findall(r"(?m)^\| `(\w+)` \| (yes)?", PAGE))
ALWAYS = {name for name, always in FIELDS.items() if always}
SENT = {
    "User-Agent": "azsdk-python-communication-identity/1.5.0 Python/3.11.2",
    "x-ms-client-request-id": "one-of-mine",
}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OF_OPERATION = {"operation", "apiVersion"}
OF_ERROR = {"code", "reason"}
OF_CALLER = {"resource", "caller"}
OF_SENDER = {"clientRequestId", "sdk"}


def exchanges(server: RunningServer) -> list[tuple[str, httpx2.Response | Any]]:
    """One request of each kind: a success, a refusal, one that says what only another api-version knows, an operator's,
    nobody's in particular, and what leads nowhere.
    """
    with SignedClient(server) as client:
        issued = client.call("POST", f"/identities?api-version={NEWEST}", headers=SENT)
        refused = client.call("POST", f"/identities?api-version={NEWEST}", {"createTokenWithScopes": ["x"]})
        ignored = client.call("POST", f"/identities?api-version={NEWEST}", b'{"CUSTOMID":"bob","mine":"secret"}')
    manager = Manager(server).call("PUT", f"{GROUPS}/chatting", {"location": "westeurope"})
    stranger = httpx2.post(f"{server.endpoint}/identities?api-version={NEWEST}", headers=SENT)
    public = httpx2.get(f"{server.endpoint}/healthz", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    nowhere = httpx2.get(f"{server.endpoint}/nowhere?api-version={NEWEST}")
    kinds = ("success", "refusal", "ignored", "operator", "stranger", "public", "nowhere")
    return list(zip(kinds, (issued, refused, ignored, manager, stranger, public, nowhere), strict=True))


def test_every_line_holds_what_the_page_says_and_every_field_comes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "watchword.requests")
    with running_server(Settings(tls=False)) as server:
        replies = dict(exchanges(server))
    lines = [
        json.loads(line)
        for record in caplog.records
        if record.name == "watchword.requests"
        for line in record.getMessage().splitlines()
    ]
    by_kind = dict(zip(replies, lines, strict=True))
    for kind, line in by_kind.items():
        assert line["requestId"] == replies[kind].headers["ms-cv"]
        assert line.keys() >= ALWAYS, kind
        assert line.keys() <= FIELDS.keys(), kind
    assert {name for line in lines for name in line} == FIELDS.keys()
    optional = {kind: line.keys() - ALWAYS for kind, line in by_kind.items()}
    assert optional == {
        "success": OF_OPERATION | OF_CALLER | OF_SENDER,
        "refusal": OF_OPERATION | OF_CALLER | OF_ERROR,
        "ignored": OF_OPERATION | OF_CALLER | {"ignored"},
        "operator": {"operation", "caller"},
        "stranger": OF_OPERATION | OF_ERROR | OF_SENDER,
        "public": {"operation", "traceId"},
        "nowhere": OF_ERROR,
    }
    assert by_kind["ignored"]["ignored"] == ["customId"]
    assert not any(sent in str(by_kind["ignored"]) for sent in ("bob", "mine", "secret", "CUSTOMID"))


def test_a_refused_request_names_what_it_ignored_and_a_managed_one_where(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "watchword.requests")
    with running_server(Settings(tls=False)) as server:
        with SignedClient(server) as client:
            client.call(
                "POST", "/identities?api-version=2022-06-01", {"expiresInMinutes": 1, "createTokenWithScopes": 5}
            )
            client.call("POST", "/identities?api-version=2026-09-23", {"customId": "bob", "CustomId": "eve"})
        body = {"location": "global", "properties": {"disableLocalAuth": True}}
        Manager(server).call("PUT", resource_path("none", "chat"), body, version="2023-04-01")
    lines = [json.loads(line) for record in caplog.records for line in record.getMessage().splitlines()]
    assert [(line["status"], line["ignored"]) for line in lines] == [
        (400, ["expiresInMinutes"]),
        (201, ["customId"]),
        (404, ["properties.disableLocalAuth"]),
    ]
