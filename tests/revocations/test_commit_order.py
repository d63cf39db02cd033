"""Cursor order is commit order, by construction: no subscriber ever misses an entry, whoever commits when.

A sequence draws its number when a writer begins, so a reader may pass N before N - 1 commits. Here the number is drawn
under the lock of the feed's one row, which a writer holds until it has committed.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.engines import Place
from watchword.resources.store import Resource
from watchword.revocations.feed import Feed
from watchword.revocations.statements import NEXT_CURSOR
from watchword.revocations.store import RevocationStore
from watchword.storage.opening import DATABASE_FILE

Both = tuple[Resource, Resource]
INSERT = (
    "insert into revocations (kind, subject, resource, cursor, expires_micros)"
    " values ('token', ?, ?, (select cursor from feed), 1)"
)

ON_SQLITE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@pytest.fixture
def path(place: Place) -> Path:
    return place.folder / DATABASE_FILE


@contextmanager
def _connection(path: Path) -> Iterator[sqlite3.Connection]:
    """The connection of another process, which never waits for a lock."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        yield connection


def _record(connection: sqlite3.Connection, subject: str, resource: int) -> None:
    connection.execute(NEXT_CURSOR)
    connection.execute(INSERT, (subject, resource))


@ON_SQLITE
async def test_two_writers_commit_in_the_reverse_of_the_order_in_which_they_began(
    path: Path, feed: Feed, resources: Both
) -> None:
    number = resources[0].number
    seen: list[str] = []
    cursor = (await feed.page(number, None)).cursor

    async def look() -> None:
        nonlocal cursor
        page = await feed.page(number, cursor)
        cursor = page.cursor
        seen.extend(row.subject for row in page.rows)

    with _connection(path) as early, _connection(path) as late:
        early.execute("begin")
        late.execute("begin")
        _record(late, "began late", number)
        await look()
        late.execute("commit")
        await look()
        _record(early, "began early", number)
        await look()
        early.execute("commit")
        await look()
    assert seen == ["began late", "began early"]


@ON_SQLITE
async def test_nobody_can_draw_a_number_while_another_has_drawn_one_and_not_committed(
    path: Path, store: RevocationStore, resources: Both
) -> None:
    number = resources[0].number
    with _connection(path) as first, _connection(path) as second:
        first.execute("begin")
        _record(first, "first", number)
        second.execute("begin")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _record(second, "second", number)
        second.execute("rollback")
        # A number that is given back leaves no gap that a reader could wait for.
        first.execute("rollback")
        second.execute("begin")
        _record(second, "second", number)
        second.execute("commit")
    assert [(row.cursor, row.subject) for row in (await store.after(number, 0, 10))[1]] == [(1, "second")]


async def test_subscribers_that_never_stop_looking_miss_nothing_of_two_busy_writers(
    place: Place, resources: Both
) -> None:
    number, each = resources[0].number, 150
    databases = [await place.open() for _ in range(2)]
    wanted = {f"{writer} {turn}" for writer in range(2) for turn in range(each)}

    async def write(writer: int) -> None:
        store = RevocationStore(databases[writer])
        for first in range(0, each, 3):
            turns = range(first, first + 3)
            await asyncio.gather(*(store.record("token", f"{writer} {turn}", number, now_micros=1) for turn in turns))

    async def read(reader: int) -> list[int]:
        feed = Feed(RevocationStore(databases[reader]))
        cursor, order, found = None, [], set[str]()
        while found < wanted:
            page = await feed.wait(number, cursor, 1)
            cursor = page.cursor
            order += [row.cursor for row in page.rows]
            found |= {row.subject for row in page.rows}
        return order

    try:
        *orders, _, _ = await asyncio.wait_for(asyncio.gather(read(0), read(1), write(0), write(1)), 60)
    finally:
        for database in databases:
            await database.close()
    for order in orders:
        assert order == sorted(order)
