"""What hostile conversations ask of chat: of threads and messages that there are, in words that no client would use."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

VERSIONS = (
    "2024-06-05-preview",
    "2021-03-07",
    "2021-09-07",
    "2023-11-07",
    "2024-03-07",
    "2025-03-15",
    "2025-03-15",
    "2025-03-15",
)

ENDING = (
    ("DELETE", "/chat/threads/{chatThreadId}"),
    ("POST", "/chat/threads/{chatThreadId}/participants/:remove"),
)

_MOST_KNOWN = 200
_THREADS = ("19:x@thread.v2", "19:acsV1_@thread.v2", "19:acsV1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1@thread.v2")
_MESSAGES = ("0", "1", "-1", "9" * 18, "9" * 19, "1e3", "\uff11", "1700000000000")
_TEXTS: tuple[Any, ...] = (
    "hello", "", "\0", "a\0b", "\ud800", "😀" * 300, "\u202eolleh", "<b>bold</b>", "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>", "<svg/onload=x><![CDATA[<", "<p" * 2_000, "&#0;&#x110000;", "x" * 29_000, None,
    7, [], {},
)  # fmt: skip
_TIMES: tuple[Any, ...] = (
    "2026-11-21T01:14:27Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2026-02-30T00:00:00Z", "", "now", 0,
)  # fmt: skip
_QUERIES: tuple[tuple[str, Any], ...] = (
    ("maxPageSize", 1), ("maxPageSize", 2), ("maxPageSize", 0), ("maxPageSize", -1), ("maxPageSize", 2**63),
    ("maxPageSize", "x"), ("skip", 1), ("skip", 2**62), ("skip", -1), ("skip", "\0"), ("syncState", ""),
    ("syncState", "AAAA"), ("syncState", "\ud800"), ("startTime", "2020-01-01T00:00:00Z"), ("startTime", "\0"),
    ("startTime", "9999-12-31T23:59:59Z"),
)  # fmt: skip


class HostileChat:
    """`users` are access tokens, of whatever scopes and fates, and `members` have `threads`; more is learnt."""

    def __init__(
        self,
        drawn: random.Random,
        users: Sequence[str],
        members: Sequence[str],
        threads: Sequence[str],
        identities: Sequence[str],
    ) -> None:
        self._random = drawn
        self._users = users
        self._members = members
        self._identities = identities
        self._threads = [*threads]
        self._messages: list[str] = []
        self._links: list[str] = []

    def learn(self, threads: Sequence[str], messages: Sequence[str], links: Sequence[str]) -> None:
        """Some that there are, or were; `links` are the queries of next pages."""
        for known, fresh in ((self._threads, threads), (self._messages, messages), (self._links, links)):
            known.extend(fresh)
            del known[:-_MOST_KNOWN]

    def part(self, name: str) -> str:
        if name == "{chatThreadId}":
            part = self._random.choice(self._threads if self._random.random() < 0.97 else _THREADS)
        elif name == "{chatMessageId}":
            part = self._message()
        else:
            part = self._random.choice(["AAAA", "content"])
        return quote(part, safe=self._random.choice(["", ":@"]))

    def _message(self) -> str:
        return self._random.choice(self._messages if self._messages and self._random.random() < 0.9 else _MESSAGES)

    def query(self) -> dict[str, Any]:
        return dict(self._random.sample(_QUERIES, self._random.choice([0, 0, 1, 2])))

    def link(self, path: str) -> str | None:
        """Now and then a cursor of another list, user or version, in whole or with a letter changed."""
        if not self._links or self._random.random() > 0.05:
            return None
        query = self._random.choice(self._links)
        if self._random.random() < 0.3:
            at = self._random.randrange(1, len(query))
            query = query[:at] + self._random.choice("Aa0%&=") + query[at + 1 :]
        return path + query

    def credentials(self) -> list[str]:
        draw = self._random.random()
        if draw < 0.03:
            return []
        token = self._users[min(self._random.randrange(2 * len(self._users)), self._random.randrange(len(self._users)))]
        if draw < 0.06:
            at = self._random.randrange(len(token))
            token = token[:at] + self._random.choice("Aa0.") + token[at + 1 :]
        repeated = f"Repeatability-Request-Id: {self._random.choice(['1', '2', 'x' * 300, ''])}"
        return [f"Authorization: Bearer {token}", *([repeated] if draw > 0.9 else [])]

    def body(self, method: str, template: str) -> bytes:
        """Most often of a form that might be taken, with some of its values as nobody should write them."""
        said = self._asked(method, template)
        if self._random.random() < 0.15:
            said[self._random.choice([*said, "topic", "type", "metadata"])] = self._random.choice(_TEXTS)
        text = json.dumps(said)
        return text.encode() if self._random.random() < 0.97 else text[: self._random.randrange(len(text))].encode()

    def _asked(self, method: str, template: str) -> dict[str, Any]:
        choice = self._random.choice
        match method, template.rpartition("/")[2]:
            case "POST", "threads":
                return {"topic": choice(["a topic", choice(_TEXTS)]), "participants": self._participants()} | (
                    {"metadata": self._metadata(), "retentionPolicy": self._retention()}
                    if self._random.random() < 0.3
                    else {}
                )
            case "PATCH", "{chatThreadId}":
                more = {"metadata": self._metadata(), "retentionPolicy": self._retention()}
                return {"topic": choice(["a topic", choice(_TEXTS)])} | (more if self._random.random() < 0.5 else {})
            case _, ":add":
                return {"participants": self._participants()}
            case _, ":remove":
                return self._identifier()
            case _, "readReceipts":
                return {"chatMessageId": self._message()}
            case _, "typing":
                return {"senderDisplayName": choice(_TEXTS)}
        said = {
            "content": choice(["hello", "<p>hello</p>", "bye", choice(_TEXTS)]),
            "type": choice(["text", "html", "Html"]),
        }
        if self._random.random() < 0.3:
            said |= {"metadata": self._metadata(), "senderDisplayName": choice(_TEXTS)}
        return said

    def _participants(self) -> list[Any]:
        many = self._random.choice([0, 1, 2, 3, 30, 201] if self._random.random() < 0.1 else [0, 1, 2, 3])
        return [
            {"communicationIdentifier": self._identifier(), "displayName": self._random.choice(_TEXTS[:8])}
            | ({"shareHistoryTime": self._random.choice(_TIMES)} if self._random.random() < 0.3 else {})
            for _ in range(many)
        ]

    def _identifier(self) -> dict[str, Any]:
        id = self._random.choice(
            [*self._members, *self._members, *self._identities[-3:], "8:orgid:0-0", "4:+1555", "28:x", *_TEXTS[:4]]
        )
        return self._random.choice([{"rawId": id}, {"rawId": id, "communicationUser": {"id": id}}, {}])

    def _metadata(self) -> Any:
        few: dict[str, Any] = {"a": "b", "": "x", "\0": "y"}
        return self._random.choice([{"a": "b"}, {"a": None}, few, {str(n): "v" for n in range(2_000)}, None, [], "x"])

    def _retention(self) -> Any:
        days = self._random.choice([30, 90, 29, -1, 2**63, "30", None])
        return self._random.choice(
            [{"kind": "threadCreationDate", "deleteThreadAfterDays": days}, {"kind": "none"}, None, 7]
        )
