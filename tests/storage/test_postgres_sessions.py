"""What hangs lets go: every session of ours asks the server to end what is idle in a transaction, or unreachable."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg

from tests.support.polling import until_async
from tests.support.postgres import Cluster
from watchword.storage.postgres import open_postgres
from watchword.storage.postgres_notices import PostgresNotices

LIMITS = ("idle_in_transaction_session_timeout", "lock_timeout")
SHOWN = ", ".join(f"current_setting('{name}')" for name in LIMITS)


async def test_every_kind_of_session_has_limits(cluster: Cluster) -> None:
    dsn = await asyncio.to_thread(cluster.fresh)
    database = await open_postgres(dsn, pool=2, batch=8, statement_cache=True, patience=timedelta(seconds=5))
    try:
        assert await database.query(f"select {SHOWN}") == [("10s", "10s")]
        # Read from the kernel where the address has a socket of TCP, so rounded as the kernel has it.
        [(timeout,)] = await database.query("select setting::int from pg_settings where name = 'tcp_user_timeout'")
        assert timeout == 10_000
        async with database.snapshot() as snapshot:
            # It only reads, for as long as that takes.
            assert await snapshot.query(f"select {SHOWN}") == [("0", "10s")]
        notices = database.notices()
        assert isinstance(notices, PostgresNotices)
        talking = asyncio.create_task(notices.keep_talking("test", list, lambda _: None))
        beside = await asyncpg.connect(cluster.dsn())
        try:

            async def listening() -> int:
                found = await beside.fetchval("select count(*) from pg_stat_activity where query like 'LISTEN%test%'")
                return int(found)

            await until_async(listening, bool)
        finally:
            talking.cancel()
            await asyncio.wait([talking])
            await beside.close()
    finally:
        await database.close()
