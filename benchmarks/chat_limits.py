"""What this machine can do at best for chat: a token from the cache, a durable row in a batch, the read of a page.

python -m benchmarks.chat_limits SQLITE-FILE             on the core of the server; prints one line of JSON
python -m benchmarks.chat_limits postgresql://... PID    PID is of the database server, whose processes' CPU counts

The database is that of a contender with chats, at rest meanwhile; a table of the limits' own comes and goes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from time import process_time

import asyncpg

from benchmarks.chats import CONTENT_BYTES
from benchmarks.contenders import Contender
from benchmarks.machine import cpu_seconds, on_core

BATCH = 32
_MEASURED_SECONDS = 0.3
_PAGE = 20
_LISTED = 50
_COLUMNS = "id, version, sequence, kind, sender, sender_name, content, metadata, edited_millis, deleted_millis"
_ROW = "thread, id, sender, content, key"
_CREATE = "(thread bigint not null, id bigint not null, sender text not null, content text not null, key {} not null)"


def measure(contender: Contender, core: int) -> dict[str, float]:
    """CPU-seconds of each, by name."""
    of_postgres = [contender.dsn, str(contender.process.database)] if contender.dsn else None
    database = of_postgres or [str(contender.data / "watchword.sqlite")]
    command = on_core(core, sys.executable, "-m", "benchmarks.chat_limits", *database)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _token() -> float:
    """A digest, and a look into a dictionary."""
    token = "x" * 700
    cache = {hashlib.sha256(token.encode("ascii")).digest(): token}
    return _seconds(lambda: cache.get(hashlib.sha256(token.encode("ascii")).digest()), 1_000)


def _on_sqlite(path: str) -> dict[str, float]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        connection.execute("pragma synchronous = full")
        connection.execute("drop table if exists limits")
        connection.execute(f"create table limits {_CREATE.format('blob')}")
        connection.execute("create unique index limits_by_id on limits (thread, id)")
        numbers = iter(range(10**9))

        def write() -> None:
            connection.execute("begin immediate")
            for _ in range(BATCH):
                connection.execute("insert into limits values (?, ?, ?, ?, ?)", _a_row(next(numbers)))
            connection.execute("commit")

        page = f"select {_COLUMNS} from messages where thread = ? order by version desc limit {_PAGE}"
        threads = _THREADS.format("?")
        [(most,)] = connection.execute("select max(number) from threads")
        users = connection.execute("select distinct resource, subject from participants limit 500").fetchall()
        try:
            return {
                "row": _seconds(write, 10) / BATCH,
                "page": _seconds(lambda: connection.execute(page, (random.randint(1, most),)).fetchall(), 50),
                "threads": _seconds(lambda: connection.execute(threads, random.choice(users)).fetchall(), 50),
                "token": _token(),
            }
        finally:
            connection.execute("drop table limits")


_THREADS = f"""
    select t.number, t.id, t.topic, t.deleted_millis, t.last_millis from participants p
    join threads t on t.number = p.thread where p.resource = {{0}} and p.subject = {{0}}
    order by p.listed_millis desc, p.thread desc limit {_LISTED}
"""


async def _on_postgres(dsn: str, pid: int) -> dict[str, float]:
    connection = await asyncpg.connect(dsn)
    await connection.execute("drop table if exists limits")
    await connection.execute(f"create table limits {_CREATE.format('bytea')}")
    await connection.execute("create unique index limits_by_id on limits (thread, id)")
    write = await connection.prepare(
        f"insert into limits ({_ROW})"
        " select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bytea[])"
    )
    page = await connection.prepare(
        f"select {_COLUMNS} from messages where thread = $1 order by version desc limit {_PAGE}"
    )
    threads = await connection.prepare(_THREADS.format("$1", "$2").replace("p.subject = $1", "p.subject = $2"))
    most = await connection.fetchval("select max(number) from threads")
    users = await connection.fetch("select distinct resource, subject from participants limit 500")

    async def cost(what: Callable[[int], object], times: int) -> float:
        before = process_time() + cpu_seconds(pid)
        for number in range(times):
            await what(number)  # type: ignore[misc]
        return (process_time() + cpu_seconds(pid) - before) / times

    def rows(number: int) -> object:
        columns = zip(*(_a_row(number * BATCH + each) for each in range(BATCH)), strict=True)
        return write.fetch(*map(list, columns))

    found = {
        "row": await cost(rows, 500) / BATCH,
        "page": await cost(lambda _: page.fetch(random.randint(1, most)), 2_000),
        "threads": await cost(lambda _: threads.fetch(*random.choice(users)), 2_000),
        "token": _token(),
    }
    await connection.execute("drop table limits")
    await connection.close()
    return found


def _a_row(number: int) -> tuple[int, int, str, str, bytes]:
    return number * 7_919 % 1_000, number, "acs:x", "x" * CONTENT_BYTES, secrets.token_bytes(16)


def _seconds(operation: Callable[[], object], times: int) -> float:
    count, started = 0, process_time()
    while (elapsed := process_time() - started) < _MEASURED_SECONDS:
        for _ in range(times):
            operation()
        count += times
    return elapsed / count


if __name__ == "__main__":
    if sys.argv[1].startswith("postgres"):
        print(json.dumps(asyncio.run(_on_postgres(sys.argv[1], int(sys.argv[2])))))
    else:
        print(json.dumps(_on_sqlite(sys.argv[1])))
