"""Chats by the million, as the service would have written them: inserted far faster than by sending each message.

Thread `k` has two members, users `k` and `k + 1` of all users counted round; messages go round the threads, so that
their indexes are as full as those of a service whose threads talk at the same time.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from benchmarks.identities import Identities

CONTENT_BYTES = 300
_PIECE = 500_000


@dataclass(frozen=True, slots=True)
class ChatPlan:
    """How much is filled in. Threads were active so far apart: how many of them within two seconds is what a list of
    threads depends on.
    """

    users: int = 40
    threads: int = 1_000
    messages_of_thread: int = 100
    apart_millis: int = 10_000


@dataclass(slots=True)
class Chats:
    """What was filled in. `tokens` are those of the users, once the service runs that issues them."""

    plan: ChatPlan
    users: Sequence[str]
    newest_millis: int
    bytes_of_message: float = 0.0
    tokens: list[str] = field(default_factory=list)

    def thread(self, number: int) -> str:
        return f"19:acsV1_{number % self.plan.threads + 1:043d}1@thread.v2"

    def user(self, number: int) -> str:
        """Who takes part in the thread of that number."""
        return self.users[number % self.plan.users]

    def token(self, number: int) -> str:
        return self.tokens[number % self.plan.users]

    def version(self, thread: int, message: int) -> int:
        """Find the version of a message, counted from 0, in the thread of that number."""
        return self._last(thread) - self.plan.messages_of_thread + 1 + message

    def _last(self, thread: int) -> int:
        return self.newest_millis - thread % self.plan.threads * self.plan.apart_millis


_THREADS = """
    insert into threads (number, id, resource, topic, created_by, created_millis, sequence, version, change, joins,
        present, messages, bytes, last_millis, listed_millis)
    select n, {thread}, {resource}, 'a topic', {first}, {last} - {count}, {count}, {last}, {count}, 2, 2, {count},
        {bytes}, {last}, {last} from {numbers}
"""
_PARTICIPANTS = """
    insert into participants (thread, subject, resource, place, display_name, listed_millis)
    select n, {subject}, {resource}, {place}, 'somebody', {last} from {numbers}
"""
_MESSAGES = """
    insert into messages (thread, id, version, sequence, kind, sender, content, key)
    select t, v, v, m + 1, 'text', {sender}, {content}, {key} from ({rows}) r order by m, t
"""
_JOURNAL = """
    insert into journal (resource, thread, change, kind, reference, moment_micros)
    select {resource}, t, m + 1, 'messageReceived', v, v * 1000 from ({rows}) r order by m, t
"""


def insert_into_sqlite(path: Path, identities: Identities, plan: ChatPlan) -> Chats:
    """Into the first resource of a database that no process has open; the write-ahead log is empty afterwards."""
    chats = _planned(identities, plan)
    with closing(sqlite3.connect(path)) as connection:
        [(resource,)] = connection.execute("select number from resources")
        connection.execute("pragma cache_size = -500000")
        connection.execute("create temp table users (place integer primary key, subject text)")
        subjects = [(at, user.removeprefix("8:")) for at, user in enumerate(chats.users)]
        connection.executemany("insert into users values (?, ?)", subjects)
        for sql in _statements(resource, chats, _SQLITE):
            with connection:
                connection.execute(sql)
        connection.execute("pragma wal_checkpoint(truncate)")
        before = path.stat().st_size
        for sql in _message_statements(resource, chats, _SQLITE):
            with connection:
                connection.execute(sql)
            connection.execute("pragma wal_checkpoint(truncate)")
        connection.execute("analyze")
    chats.bytes_of_message = (path.stat().st_size - before) / (plan.threads * plan.messages_of_thread)
    return chats


def insert_into_postgres(dsn: str, identities: Identities, plan: ChatPlan) -> Chats:
    """The same on PostgreSQL, with its statistics gathered and everything written down."""
    return asyncio.run(_insert_into_postgres(dsn, identities, plan))


async def _insert_into_postgres(dsn: str, identities: Identities, plan: ChatPlan) -> Chats:
    chats = _planned(identities, plan)
    connection = await asyncpg.connect(dsn)
    resource = await connection.fetchval("select number from resources")
    await connection.execute("create temp table users (place bigint primary key, subject text)")
    subjects = [(at, user.removeprefix("8:")) for at, user in enumerate(chats.users)]
    await connection.copy_records_to_table("users", records=subjects)
    for sql in _statements(resource, chats, _POSTGRES):
        await connection.execute(sql)
    await connection.execute("select setval(pg_get_serial_sequence('threads', 'number'), $1)", plan.threads)
    size = "select pg_database_size(current_database())"
    before = await connection.fetchval(size)
    for sql in _message_statements(resource, chats, _POSTGRES):
        await connection.execute(sql)
    chats.bytes_of_message = (await connection.fetchval(size) - before) / (plan.threads * plan.messages_of_thread)
    await connection.execute("vacuum (analyze) threads, participants, messages, journal")
    await connection.execute("checkpoint")
    await connection.close()
    return chats


@dataclass(frozen=True, slots=True)
class _Dialect:
    """`numbers` are n from 1 to a count, `thread` the id of thread n and `key` a message's."""

    numbers: str
    thread: str
    key: str
    text: str


_SQLITE = _Dialect(
    "(with recursive c(n) as (select {first} union all select n + 1 from c where n < {last}) select n from c) {name}",
    "printf('19:acsV1_%043d1@thread.v2', n)",
    "cast(printf('%08d%08d', m, t) as blob)",
    "printf('%.*c', {size}, 'x')",
)
_POSTGRES = _Dialect(
    "generate_series({first}::bigint, {last}::bigint) as {name}(n)",
    "'19:acsV1_' || lpad(n::text, 43, '0') || '1@thread.v2'",
    "int8send(m) || int8send(t)",
    "repeat('x', {size})",
)


def _planned(identities: Identities, plan: ChatPlan) -> Chats:
    return Chats(plan, identities[: plan.users], time.time_ns() // 1_000_000 - 60_000)


def _statements(resource: int, chats: Chats, dialect: _Dialect) -> list[str]:
    plan = chats.plan
    last = f"({chats.newest_millis} - (n - 1) * {plan.apart_millis})"
    numbers = dialect.numbers.format(first=1, last=plan.threads, name="s")
    subjects = [f"(select subject from users where place = (n - 1 + {more}) % {plan.users})" for more in (0, 1)]
    size = plan.messages_of_thread * CONTENT_BYTES
    common = {"resource": resource, "last": last, "numbers": numbers}
    return [
        _THREADS.format(thread=dialect.thread, first=subjects[0], count=plan.messages_of_thread, bytes=size, **common),
        *(_PARTICIPANTS.format(subject=each, place=at + 1, **common) for at, each in enumerate(subjects)),
    ]


def _message_statements(resource: int, chats: Chats, dialect: _Dialect) -> list[str]:
    """In pieces, each of so many messages of every thread."""
    plan = chats.plan
    step = max(1, _PIECE // plan.threads)
    found = []
    for start in range(0, plan.messages_of_thread, step):
        end = min(start + step, plan.messages_of_thread)
        messages = dialect.numbers.format(first=start, last=end - 1, name="a")
        threads = dialect.numbers.format(first=1, last=plan.threads, name="b")
        oldest = f"{chats.newest_millis} - (b.n - 1) * {plan.apart_millis} - {plan.messages_of_thread} + 1"
        rows = f"select b.n as t, a.n as m, {oldest} + a.n as v from {messages} cross join {threads}"
        sender = f"(select subject from users where place = (t - 1 + m) % {min(2, plan.users)})"
        content = dialect.text.format(size=CONTENT_BYTES)
        found += [
            _MESSAGES.format(sender=sender, content=content, key=dialect.key, rows=rows),
            _JOURNAL.format(resource=resource, rows=rows),
        ]
    return found
