"""What the engines raise is the caller's fault in the contract's words, or ours with a line in the log: never a 500."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.management.support import Manager
from tests.support.engines import FreshSettings, Place
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.errors import Unavailable, Unstorable
from watchword.settings import Settings
from watchword.storage import Database, Lock, Statement, Transaction
from watchword.storage.database import CLOCK, TURN
from watchword.storage.opening import DATABASE_FILE

WRITE = Statement(
    sqlite=("update clock set high_water_micros = :value where :text is null",),
    parameters=(("value", "int8"), ("text", "text")),
    postgres="select q.n from q where q.text is null",
)
UNSTORABLE: list[dict[str, Any]] = [{"value": 1 << 63, "text": "a"}, {"value": 1, "text": "a\ud800b"}]


@pytest.mark.parametrize("values", UNSTORABLE)
async def test_a_value_that_no_row_can_hold_is_the_callers_fault_on_every_path(
    database: Database, values: dict[str, Any]
) -> None:
    with pytest.raises(Unstorable):
        await database.write(WRITE, values)
    sql = "select 1 from clock where high_water_micros = cast($1 as bigint) and 'x' = cast($2 as text)"
    with pytest.raises(Unstorable):
        await database.query(sql, *values.values())
    with pytest.raises(Unstorable):
        await database.transact(lambda transaction: transaction.execute(sql, *values.values()))
    assert await database.query("select 1") == [(1,)]


def test_a_nul_in_names_of_the_management_api_is_no_fault_of_ours(fresh_settings: FreshSettings) -> None:
    with running_server(fresh_settings()) as server:
        manager = Manager.of_process(server.endpoint, server.operator_token)
        base = "/subscriptions/s%00s/resourcegroups"
        of_group = f"{base}/g%00g/providers/Microsoft.Communication/communicationServices"
        for method, path in (
            ("GET", base),
            ("GET", f"{base}/g%00g"),
            ("PUT", f"{base}/g%00g"),
            ("DELETE", f"{base}/g%00g"),
            ("GET", of_group),
            ("GET", f"{of_group}/n%00n"),
            ("PUT", f"{of_group}/n%00n"),
            ("DELETE", f"{of_group}/n%00n"),
            ("POST", f"{of_group}/n%00n/listKeys"),
        ):
            status = manager.call(method, path, {} if method == "PUT" else None).status_code
            assert status in (200, 204, 400, 404), (method, path, status)


def test_damaged_pages_are_told_as_unavailable_and_once_for_each_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        running_server(Settings(request_log=False, tls=False), data=tmp_path) as server,
        SignedClient(server) as client,
    ):
        ids = [client.new_identity() for _ in range(200)]
        with closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as other:
            other.execute("pragma wal_checkpoint(truncate)")
            [(root, size)] = other.execute(
                "select rootpage, (select page_size from pragma_page_size) from sqlite_schema where name = 'identities'"
            )
        content = bytearray((tmp_path / DATABASE_FILE).read_bytes())
        content[(root - 1) * size : root * size] = b"\xff" * size
        (tmp_path / DATABASE_FILE).write_bytes(content)
        caplog.clear()
        replies = [client.get(ids[0]), client.issue(ids[0]), client.delete(ids[0]), client.call("GET", "/identities")]
        assert {reply.status for reply in replies} <= {503}, replies
        assert "Traceback" not in caplog.text
        assert "is damaged" in caplog.text


async def test_what_an_engine_refuses_of_itself_is_unavailable(place: Place) -> None:
    """The user may not: told in the log, and not taken for a mistake of the statement's."""
    if not place.is_postgres:
        return
    database = await place.open()
    [(schema,)] = await database.query("select current_schema()")

    async def make(transaction: Transaction) -> None:
        await transaction.execute("create role nobody_of_ours")
        await transaction.execute(f"grant usage on schema {schema} to nobody_of_ours")

    async def read_as_nobody(transaction: Transaction) -> None:
        await transaction.execute("set local role nobody_of_ours")
        await transaction.execute("select 1 from identities")

    async def remove(transaction: Transaction) -> None:
        await transaction.execute("drop owned by nobody_of_ours")
        await transaction.execute("drop role nobody_of_ours")

    await database.transact(make)
    try:
        with pytest.raises(Unavailable):
            await database.transact(read_as_nobody)
    finally:
        await database.transact(remove)
        await database.close()


async def test_whoever_locks_against_the_one_order_is_told_at_once(database: Database) -> None:
    async def work(transaction: Transaction) -> None:
        assert await transaction.lock(Lock("clock", columns="singleton")) == [(1,)]
        await transaction.lock(Lock("feed"))
        await transaction.lock(Lock("clock"))

    with pytest.raises(RuntimeError, match="clock is locked after feed"):
        await database.transact(work, TURN)
    with pytest.raises(RuntimeError, match="turn is locked after clock"):
        await database.transact(work, CLOCK, TURN)
