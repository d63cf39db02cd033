"""The process that leaves a transaction open in another database of the same cluster: nobody is to wait for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg

_LOOK_SECONDS = 0.5


def loiter(dsn: str) -> None:
    """Until it is killed; where the database is, a new one is begun when it is back."""
    asyncio.run(_loiter(dsn))


async def _loiter(dsn: str) -> None:
    while True:
        # Of a server that is killed the driver complains in many ways.
        with suppress(Exception):
            connection = await asyncpg.connect(dsn)
            await connection.execute("begin")
            # It has a number of its own, which is older than all that come.
            await connection.execute("select pg_current_xact_id()")
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                await connection.execute("select 1")
        await asyncio.sleep(_LOOK_SECONDS)
