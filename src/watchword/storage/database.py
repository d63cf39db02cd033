"""What a store may ask of a database, whichever engine it is.

On PostgreSQL transactions run side by side, and two that lock the same rows in different orders would wait for each
other. So whoever locks rows does it in this order, and in each table by the key:

    turn             the one row of whoever manages the server; what has no place below is changed under it alone
    key_check        the one row of whoever makes, changes or forgets a key
    resources        by number
    clock            the one row
    identities       by flake, then resource
    exchanged_users  by resource and subject
    custom_ids       by resource and custom id
    threads          by number; whoever changes anything of a thread locks its row first
    participants     by thread and subject, under the thread's row
    messages         by thread and id, under the thread's row
    restrictions     by resource, subject and thread; of a thread, under its row
    departures       by resource and subject; a deletion only adds rows, and holds no thread
    spent_tickets    rows are only ever added, by ticket
    registrations    by number
    journal          rows are only ever added, under the thread's row
    revocations      by kind, resource and subject; then those of resources, as marks of what was purged
    feed             the one row, last of all: every revocation waits for it, so whoever holds it waits for nobody

A transaction names the rows that it locks before it begins, and may lock later ones as it goes; see `Lock`. While it
holds them it awaits nothing but the database.

A batch that the server ends all the same, as the victim of a deadlock, was rolled back whole, and is sent again at
once, also one that may not be repeated otherwise. That is needed while nodes of release 0.2.0, which took the feed's
row first, serve beside newer ones. SQLite has one writer at a time, and no order to keep.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from watchword.errors import OperatorError
from watchword.storage.schema import Schema

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]
Result = TypeVar("Result")

_KEYS = {
    "turn": "singleton",
    "key_check": "singleton",
    "resources": "number",
    "clock": "singleton",
    "identities": "flake, resource",
    "exchanged_users": "resource, subject",
    "custom_ids": "resource, custom_id",
    "threads": "number",
    "restrictions": "resource, subject, thread",
    "registrations": "number",
    "revocations": "kind, resource, subject",
    "feed": "singleton",
}
"""The tables in the order in which their rows are locked, each with the key by which they are."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Rows that a transaction keeps for itself until it ends, in the order of their table's key.

    `where` and `columns` are SQL, with parameters as in `Transaction`. Whoever holds rows that are `shared` lets others
    share them. SQLite, which has one writer at a time, has nothing more to lock.
    """

    table: str
    where: str = "true"
    parameters: tuple[Any, ...] = ()
    shared: bool = False
    columns: str = "1"

    @property
    def select(self) -> str:
        return f"select {self.columns} from {self.table} where {self.where} order by {_KEYS[self.table]}"

    @property
    def strength(self) -> str:
        """How PostgreSQL locks. Rows that refer to a locked one may come and go: they are no change of it."""
        return "for share" if self.shared else "for no key update"


TURN = Lock("turn")
"""Whoever manages the server does it one after the other."""

BESIDE_OLDER = Lock("turn", shared=True)
"""Nodes of release 0.2.1 and older, which may serve beside, take the turn for every transaction and lock no row that
says what for. What must not meet one of theirs half-way keeps the turn from them, and shares it with its own kind.
"""

CLOCK = Lock("clock")


def lock_resource(number: int) -> Lock:
    """The row of a resource: whatever changes who may do what there comes one after the other."""
    return Lock("resources", "number = $1", (number,))


class LockOrder:
    """Sees to it that a transaction keeps the one order; locks of one table may come in pieces."""

    def __init__(self, *locks: Lock) -> None:
        """`locks` are taken already."""
        self._place = 0
        for each in locks:
            self.require_next(each)

    def require_next(self, lock: Lock) -> None:
        tables = [*_KEYS]
        place = tables.index(lock.table)
        if place < self._place:
            raise RuntimeError(f"{lock.table} is locked after {tables[self._place]}, against the order of locks.")
        self._place = place


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

    async def lock(self, lock: Lock) -> list[Row]:
        """Wait for the rows, and keep them: what they are once nobody else holds them.

        They come in the one order, after all that were locked before.
        """
        ...

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


class Notices(Protocol):
    """Short texts that may be lost, and that nobody waits for."""

    def announce(self) -> None:
        """There is something to say."""
        ...

    async def keep_talking(self, topic: str, compose: Callable[[], Iterable[str]], hear: Callable[[str], None]) -> None:
        """Says and hears what there is about a topic, until cancelled; while the database is away, nothing is said.

        `compose` is asked for what there is to say, once that was announced. `hear` is told everything that is said,
        here or elsewhere; an empty text when something may have been lost.
        """
        ...


class Database(Protocol):
    """The hot path reads and writes by `Statement`, coalesced; everything else takes an ordinary transaction."""

    schema: Schema
    """As it was when this was opened; another process may have migrated it since."""

    @property
    def are_commits_told(self) -> bool:
        """Whether processes and nodes can tell each other what they committed: by `notices`, or as one server."""
        ...

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

    async def transact(self, work: Callable[[Transaction], Awaitable[Result]], *locks: Lock) -> Result:
        """The value of `work`, once what it wrote would survive a power cut; `locks` are taken before it begins.

        `work` awaits nothing but the database, and may be called again where another node was in the way.

        Raises:
            Unavailable: the database is out of reach; nothing was changed.
        """
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Reads as of this instant, on a connection of its own.

        Raises:
            Unavailable: the database is out of reach.
        """
        ...

    def notices(self) -> Notices | None:
        """What nodes on one database say to each other; None where there are no others, or they cannot be heard."""
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
