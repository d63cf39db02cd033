"""Notices between nodes (LISTEN and NOTIFY), on a connection of their own.

Within a transaction that commits something, NOTIFY would take a lock of the whole cluster, one after another. Notices
may be lost, and nobody waits for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256

import asyncpg

from watchword.errors import OperatorError
from watchword.storage.postgres_connections import Connection, Connections

_GATHER_SECONDS = 0.002
_FIRST_NAP_SECONDS = 0.05
_LONGEST_NAP_SECONDS = 5.0

_TROUBLE = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    OperatorError,
)


class PostgresNotices:
    """See `Notices`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._moved = asyncio.Event()

    def announce(self) -> None:
        """What comes within two milliseconds is said together."""
        self._moved.set()

    async def keep_talking(self, topic: str, compose: Callable[[], Iterable[str]], hear: Callable[[str], None]) -> None:
        nap = _FIRST_NAP_SECONDS
        while True:
            with suppress(*_TROUBLE):
                connection = await self._connections.connect_whole()
                try:
                    nap = _FIRST_NAP_SECONDS
                    await self._talk(connection, topic, compose, hear=hear)
                finally:
                    connection.terminate()
            # What was to be said is old by then.
            for _ in compose():
                pass
            await asyncio.sleep(nap)
            nap = min(nap * 2, _LONGEST_NAP_SECONDS)

    async def _talk(
        self,
        connection: Connection,
        topic: str,
        compose: Callable[[], Iterable[str]],
        *,
        hear: Callable[[str], None],
    ) -> None:
        """Returns once the connection is gone."""
        # Of several databases in one, each in a schema of its own, every one has a channel.
        schema = await connection.fetchval("select current_schema()")
        channel = f"watchword_{topic}_{sha256(str(schema).encode()).hexdigest()[:16]}"
        connection.add_termination_listener(lambda _: self._moved.set())
        await connection.add_listener(channel, lambda *heard: hear(str(heard[-1])))
        hear("")
        while not connection.is_closed():
            await self._moved.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._moved.clear()
            texts = list(compose())
            await connection.execute("select pg_notify($1, said) from unnest($2::text[]) said", channel, texts)
