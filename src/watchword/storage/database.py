"""What a store may ask of a database, whichever engine it is.

On PostgreSQL transactions run side by side, and two that lock the same rows in different orders would wait for each
other. So whoever locks rows does it in this order, and in each table by the key:

    turn            the one row that `transact` takes first of all; what has no place below is changed under it alone
    resources       by number
    clock           the one row
    identities      by flake, then resource; users of other providers stand with them
    custom_ids      by resource and custom id
    threads         by id
    journal         rows are only ever added
    revocations     by kind, resource and subject; then those of resources, as marks of what was purged
    feed            the one row, last of all: every revocation waits for it, so whoever holds it waits for nobody

A batch that the server ends all the same, as the victim of a deadlock, was rolled back whole, and is sent again at
once, also one that may not be repeated otherwise. That is needed while nodes of release 0.2.0, which took the feed's
row first, serve beside newer ones. SQLite has one writer at a time, and no order to keep.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from watchword.errors import OperatorError
from watchword.storage.schema import Schema

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Statement:
    """What a hot verb does for one row, with named parameters; many rows share one trip to the database.

        Statement(
            sqlite=("select generation from identities where flake = :flake",),
            parameters=(("flake", "bytea"),),
            postgres="select q.n, i.generation from q join identities i on i.flake = q.flake",
        )

    SQLite runs it once for each row: several statements in order within one transaction; the rows of the last one are
    the result. PostgreSQL runs it once for all rows: they are the table `q`, with the named and typed parameters as
    its columns and `n` to tell the rows apart; the first column of a result is the `n` that it belongs to. Two of a
    batch may name the same row: each is answered as if one had come after the other.
    `repeatable` says that it may be sent again when nobody knows whether it was committed; `common` that most requests
    ask it with the same parameters: what SQLite answered holds for as long as nobody commits anything.
    """

    sqlite: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    postgres: str
    repeatable: bool = True
    common: bool = False


class Transaction(Protocol):
    """One transaction of the cold path; it commits, durably, when the function that was given it returns.

    Parameters are written `$1`, `$2` and so on, which every engine understands.
    """

    async def execute(self, sql: str, *parameters: Any) -> list[Row]: ...

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None: ...

    async def has_table(self, name: str) -> bool:
        """Whether it is a table, and not a view or nothing at all: a rolling upgrade serves the schema of before."""
        ...

    async def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert many rows the fastest way there is; numbers that the database itself gives out may be among them.

        Raises:
            OperatorError: a row is there already, or cannot be held; no value is repeated.
        """
        ...


class Snapshot(Protocol):
    """Committed state as it was at one instant, for as long as the reading takes; writers do not wait for it."""

    async def query(self, sql: str) -> list[Row]: ...

    async def columns(self, table: str) -> list[str]:
        """Which it has in the schema of this database; none where it is not there."""
        ...

    def pages(self, sql: str, rows: int) -> AsyncIterator[list[Row]]:
        """What it finds, at most so many rows at a time: however much there is, memory stays flat."""
        ...


class Database(Protocol):
    """The hot path reads and writes by `Statement`, coalesced; everything else takes an ordinary transaction."""

    schema: Schema
    """As it was when this was opened; another process may have migrated it since."""

    async def read(self, statement: Statement, parameters: Parameters) -> list[Row]:
        """Committed state: everything that was acknowledged, by whichever process, before the caller's request came."""
        ...

    async def write(self, statement: Statement, parameters: Parameters) -> list[Row]:
        """The statement's rows, once they would survive a power cut.

        Raises:
            Unavailable: too many writes wait already; nothing was changed.
        """
        ...

    def enqueue(self, statement: Statement, parameters: Parameters) -> asyncio.Future[list[Row]]:
        """`write` for whoever has many at once.

        Raises:
            Unavailable: too many writes wait already; this one was not begun.
        """
        ...

    async def query(self, sql: str, *parameters: Any) -> list[Row]:
        """Committed state, for the cold path: lists and the like. Parameters as in `Transaction`."""
        ...

    async def transact(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """The value of `work`, once what it wrote would survive a power cut.

        Raises:
            Unavailable: the database is out of reach; nothing was changed.
        """
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Of this instant, on a connection of its own.

        Raises:
            Unavailable: the database is out of reach.
        """
        ...

    async def wall_micros(self) -> int | None:
        """What time the database's own machine says it is; None where that is this very machine.

        Raises:
            Unavailable: the database is out of reach.
        """
        ...

    async def close(self) -> None: ...


def refused_rows(table: str, reason: str) -> OperatorError:
    """`reason` is the engine's, and names constraints and types, but no value."""
    return OperatorError(
        f"The database refuses rows of the table {table}: {reason}.",
        "Begin with an empty one that nobody else writes to. What only one of the engines can hold, change before.",
    )
