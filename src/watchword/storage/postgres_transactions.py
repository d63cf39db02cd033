"""One transaction, and one snapshot, on a connection to PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg

from watchword.storage.database import Lock, LockOrder, Row, refused_rows
from watchword.storage.postgres_connections import Connection


class PostgresTransaction:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._order = LockOrder()

    async def lock(self, lock: Lock) -> list[Row]:
        self._order.require_next(lock)
        return await self.execute(f"{lock.select} {lock.strength}", *lock.parameters)

    async def execute(self, sql: str, *parameters: Any) -> list[Row]:
        return [tuple(row) for row in await self._connection.fetch(sql, *parameters)]

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self._connection.executemany(sql, rows)

    async def has_table(self, name: str) -> bool:
        return bool(
            await self.execute("select 1 from pg_class where oid = to_regclass($1) and relkind in ('r', 'p')", name)
        )

    async def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        try:
            # Unlike an insert, a copy brings the numbers of identity columns along.
            await self._connection.copy_records_to_table(table, columns=columns, records=rows)
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
            # Its first argument alone: the details that the server adds repeat the row.
            raise refused_rows(table, error.args[0]) from None


class PostgresSnapshot:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def query(self, sql: str) -> list[Row]:
        return [tuple(row) for row in await self._connection.fetch(sql)]

    async def columns(self, table: str) -> list[str]:
        found = await self._connection.fetch(
            "select attname::text from pg_attribute where attrelid = to_regclass($1) and attnum > 0"
            " and not attisdropped order by attnum",
            table,
        )
        return [name for (name,) in found]

    async def pages(self, sql: str, rows: int) -> AsyncIterator[list[Row]]:
        found = await self._connection.cursor(sql)
        while page := await found.fetch(rows):
            yield [tuple(row) for row in page]
