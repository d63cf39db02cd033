"""A page costs the same at item 10 and at item 10 million: no plan sorts or scans what grows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.chats import Chatting
from tests.support.engines import Place
from watchword.chat import departures as leaving
from watchword.chat import (
    held_import,
    participants,
    purges,
    receipts,
    restrictions,
    trusted_exports,
    trusted_imports,
    trusted_messages,
    trusted_restrictions,
    trusted_threads,
)
from watchword.chat.inbox_statements import FIND_ITEM
from watchword.chat.reading_statements import EVER, FIND_MESSAGE, FIND_THREAD, LIST_MESSAGES, LIST_THREADS
from watchword.chat.statements import MARK_READ, SEND, SEND_UNMODERATED
from watchword.storage import Statement
from watchword.storage.postgres import _text

GROWING = ("threads", "participants", "messages")
BOUNDED_SORTS = {"receipts", "participants", "trusted by member", "hold", "SEND 3", "exported participants"}
"""What sorts no more than a page, or what restricts one user in one thread."""
SORTS_OF_A_USER = {"exported parts", "exported threads"}
"""An export of a user looks through all of their threads for each piece."""


def asked(chatting: Chatting, statement: Statement, thread: str, subject: str) -> dict[str, Any]:
    every = {
        "resource": chatting.resource.number,
        "number": 1,
        "thread": thread,
        "subject": subject,
        "sender": subject,
        "message": 1,
        "start": 0,
        "below": EVER,
        "listed": EVER,
        "most": 10,
        "most_present": 20,
        "key": b"k" * 16,
        "kind": "text",
        "content": "",
        "sender_name": "",
        "metadata": None,
        "size": 1,
        "now": 1,
        "moment": 1,
        "most_messages": 0,
        "most_bytes": 0,
    }
    return {name: every[name] for name, _ in statement.parameters}


@pytest.fixture
async def grown(chatting: Chatting) -> tuple[Chatting, str, str]:
    """Enough rows that PostgreSQL's planner has a reason to use an index."""
    ada, ben = await chatting.users(2)
    thread = await chatting.thread(ada, ben)
    for _ in range(60):
        await chatting.thread(ada, ben)
    for _ in range(300):
        await chatting.send(ada, thread)
    return chatting, thread, ada.subject


READ = {
    "FIND_THREAD": FIND_THREAD,
    "FIND_MESSAGE": FIND_MESSAGE,
    "LIST_MESSAGES": LIST_MESSAGES,
    "LIST_THREADS": LIST_THREADS,
    "FIND_ITEM": FIND_ITEM,
}
WRITTEN = {"SEND": SEND, "SEND_UNMODERATED": SEND_UNMODERATED, "MARK_READ": MARK_READ}
COLD = {
    "participants": participants._LIST,
    "receipts": receipts._LIST,
    "joined": leaving._JOINED,
    "left": leaving._LEFT,
    "look": leaving._LOOK,
    "due": purges._DUE,
    "old": purges._OLD,
    "to empty": purges._TO_EMPTY,
    "to forget": purges._TO_FORGET,
    "any thread": purges._ANY_THREAD,
    "old requests": purges._OLD_REQUESTS,
    "import": held_import.FIND_IMPORT,
    "stale imports": held_import._STALE,
    "taken versions": trusted_imports._TAKEN,
    "hold": restrictions.FIND_HOLD,
    "restrictions": trusted_restrictions._LIST,
    "restrictions of a thread": trusted_restrictions._LIST_OF_THREAD,
    "ended restrictions": f"select 1 from restrictions where {purges._ENDED}",
    "restrictions of a thread's end": f"select 1 from restrictions where {purges._OF_THREAD}",
    "restrictions of a resource": f"select 1 from restrictions where {purges._OF_RESOURCE}",
    "restrictions of a departure": f"select 1 from restrictions where {leaving._RESTRICTED}",
    "trusted by activity": trusted_threads._BY_ACTIVITY,
    "trusted by topic": trusted_threads._BY_TOPIC,
    "trusted by member": trusted_threads._BY_MEMBER,
    "trusted newest": trusted_messages._NEWEST,
    "trusted upward": trusted_messages._UPWARD,
    "trusted find": trusted_messages._FIND,
    "exported participants": trusted_exports._PARTICIPANTS,
    "exported messages": trusted_exports._MESSAGES,
    "exported parts": trusted_exports._PARTS,
    "exported threads": trusted_exports._OPEN,
    "exported look": trusted_exports._LOOK,
    "exported written": trusted_exports._WRITTEN,
}


async def test_no_statement_scans_or_sorts_what_grows(grown: tuple[Chatting, str, str], place: Place) -> None:
    chatting, thread, subject = grown
    bad = {}
    if place.is_postgres:
        await chatting.database.query("analyze threads, participants, messages")
        for name, statement in {**READ, **WRITTEN}.items():
            plan = await _postgres_plan(
                chatting, _text(statement), statement, asked(chatting, statement, thread, subject)
            )
            if found := _wrong(plan):
                bad[name] = found
    else:
        for name, statement in {**READ, **WRITTEN}.items():
            for number, sql in enumerate(statement.sqlite):
                rows = await chatting.database.query(*_explained(sql, asked(chatting, statement, thread, subject)))
                if found := _wrong_lines([str(row[3]) for row in rows], f"{name} {number}"):
                    bad[f"{name} {number}"] = found
        for name, sql in COLD.items():
            rows = await chatting.database.query(f"explain query plan {sql}", *_cold(sql))
            if found := _wrong_lines([str(row[3]) for row in rows], name):
                bad[name] = found
    assert bad == {}


def _explained(sql: str, parameters: dict[str, Any]) -> tuple[Any, ...]:
    names = list(dict.fromkeys(re.findall(r":([a-z_]+)", sql)))
    for number, name in sorted(enumerate(names, 1), key=lambda each: -len(each[1])):
        sql = re.sub(rf":{name}\b", f"${number}", sql)
    return (f"explain query plan {sql}", *(parameters[name] for name in names))


def _cold(sql: str) -> list[Any]:
    return [1] * len(set(re.findall(r"\$\d", sql)))


def _wrong_lines(lines: list[str], name: str) -> list[str]:
    tables = r"\b(threads|participants|messages|restrictions|t|p|m|s|r)\b"
    if name in BOUNDED_SORTS | SORTS_OF_A_USER:
        lines = [line for line in lines if "TEMP B-TREE" not in line]
    return [
        line for line in lines if (re.match(rf"SCAN {tables}", line) and "USING" not in line) or "TEMP B-TREE" in line
    ]


async def _postgres_plan(chatting: Chatting, text: str, statement: Statement, values: dict[str, Any]) -> Any:
    literals = []
    for name, kind in statement.parameters:
        value = values[name]
        literal = "null" if value is None else f"'\\x{value.hex()}'" if isinstance(value, bytes) else f"'{value}'"
        literals.append(f"array[{literal}]::{kind}[]")
    for number in range(len(literals), 0, -1):
        text = re.sub(rf"\${number}::\w+\[\]", lambda _, number=number: literals[number - 1], text)  # type: ignore[misc]
    [(plan,)] = await chatting.database.query(f"explain (format json) {text}")
    return (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


def _wrong(node: Any) -> list[str]:
    found = []
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "messages":
        found.append(f"{node['Node Type']} {node['Relation Name']}")
    for child in node.get("Plans", []):
        if node["Node Type"] == "Limit" and child["Node Type"] == "Sort":
            found.append(f"sorted before a limit by {child['Sort Key']}")
        found += _wrong(child)
    return found
