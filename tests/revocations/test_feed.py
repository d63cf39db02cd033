"""The feed: snapshot and tail, cursors, pages, and being woken."""

import asyncio
import time

import pytest

from tests.support.engines import Place
from watchword.journal.waiting import POLL_SECONDS
from watchword.resources.generations import raise_generation
from watchword.resources.store import Resource
from watchword.revocations.feed import LARGEST_PAGE, Feed, Page
from watchword.revocations.revocations import Revocations
from watchword.revocations.store import RevocationStore
from watchword.storage import Database

Both = tuple[Resource, Resource]


def _subjects(page: Page) -> list[str]:
    return [row.subject for row in page.rows]


async def test_a_newcomer_is_given_everything_and_then_the_tail(
    feed: Feed, revocations: Revocations, resources: Both
) -> None:
    number = resources[0].number
    await revocations.revoke_token("first", number)
    everything = await feed.page(number, None)
    assert (everything.is_snapshot, _subjects(everything)) == (True, ["first"])
    nothing = await feed.page(number, everything.cursor)
    assert (nothing.is_snapshot, nothing.rows, nothing.cursor) == (False, [], everything.cursor)
    await revocations.revoke_token("second", number)
    assert _subjects(await feed.page(number, nothing.cursor)) == ["second"]


async def test_a_cursor_outlives_the_process(
    place: Place, database: Database, feed: Feed, revocations: Revocations, resources: Both
) -> None:
    number = resources[0].number
    await revocations.revoke_token("before", number)
    cursor = (await feed.page(number, None)).cursor
    await database.close()
    again = await place.open()
    try:
        page = await Feed(RevocationStore(again)).page(number, cursor)
        assert (page.is_snapshot, page.rows, page.cursor) == (False, [], cursor)
    finally:
        await again.close()


@pytest.mark.parametrize(
    "forge",
    [
        lambda cursor: "0000000000000000." + cursor.partition(".")[2],
        lambda cursor: cursor + "0",
        lambda cursor: cursor.replace(".", ""),
        lambda cursor: cursor.partition(".")[0],
        lambda cursor: cursor.partition(".")[0] + ".-1",
        lambda cursor: cursor.partition(".")[0] + ".٣",
        lambda cursor: cursor.partition(".")[0] + "." + "9" * 30,
        lambda _: "",
        lambda _: "' or 1=1 --",
    ],
)
async def test_a_cursor_of_another_history_or_of_the_future_is_answered_with_a_snapshot(
    feed: Feed, revocations: Revocations, resources: Both, forge: object
) -> None:
    assert callable(forge)
    await revocations.revoke_token("first", resources[0].number)
    cursor = (await feed.page(resources[0].number, None)).cursor
    page = await feed.page(resources[0].number, forge(cursor))
    assert (page.is_snapshot, _subjects(page), page.cursor) == (True, ["first"], cursor)


async def test_a_resource_is_told_its_own_and_what_concerns_all(
    feed: Feed, database: Database, revocations: Revocations, resources: Both
) -> None:
    ours, theirs = (resource.number for resource in resources)
    await revocations.revoke_token("ours", ours)
    await revocations.revoke_token("theirs", theirs)
    await revocations.revoke_signing_key("everybody's")
    await raise_generation(database, theirs, 0)
    assert _subjects(await feed.page(ours, None)) == ["ours", "everybody's"]
    assert _subjects(await feed.page(theirs, None)) == ["theirs", "everybody's", resources[1].id]


async def test_a_long_history_comes_in_pages_and_nothing_is_lost_between_them(
    database: Database, feed: Feed, revocations: Revocations, resources: Both
) -> None:
    number, count = resources[0].number, LARGEST_PAGE + 3
    await database.transact(
        lambda transaction: transaction.execute_many(
            "insert into revocations (kind, subject, resource, cursor, expires_micros) values ($1, $2, $3, $4, $5)",
            [("token", f"{cursor:032x}", number, cursor, 2**62) for cursor in range(1, count + 1)],
        )
    )
    await database.transact(lambda transaction: transaction.execute("update feed set cursor = $1", count))
    first = await feed.page(number, None)
    assert (first.is_snapshot, first.more, len(first.rows)) == (True, True, LARGEST_PAGE)
    # One that was on the first page is revoked again: it comes again, and displaces nothing.
    await revocations.revoke_token(f"{1:032x}", number)
    rest = await feed.page(number, first.cursor)
    assert (rest.is_snapshot, rest.more) == (False, False)
    assert _subjects(rest) == [f"{cursor:032x}" for cursor in (*range(LARGEST_PAGE + 1, count + 1), 1)]


async def test_whoever_waits_is_woken_by_a_commit_of_this_process(
    feed: Feed, revocations: Revocations, resources: Both
) -> None:
    number = resources[0].number
    cursor = (await feed.page(number, None)).cursor
    waiting = asyncio.create_task(feed.wait(number, cursor, 30))
    await asyncio.sleep(0)
    await revocations.revoke_token("news", number)
    assert _subjects(await asyncio.wait_for(waiting, 10)) == ["news"]


async def test_a_commit_of_another_process_is_seen_by_polling(
    place: Place, feed: Feed, revocations: Revocations, resources: Both
) -> None:
    """Nobody wakes the feed: the other process has one of its own."""
    number = resources[0].number
    cursor = (await feed.page(number, None)).cursor
    other = await place.open()
    try:
        waiting = asyncio.create_task(feed.wait(number, cursor, 30))
        await asyncio.sleep(0.05)
        await RevocationStore(other).record("token", "theirs", number, now_micros=1)
        committed = time.monotonic()
        page = await asyncio.wait_for(waiting, 10)
        waited = time.monotonic() - committed
    finally:
        await other.close()
    assert _subjects(page) == ["theirs"]
    assert POLL_SECONDS == 0.02
    # Fifty times the floor: a machine that is busy is no failure, a poll of a second is.
    assert waited < 50 * POLL_SECONDS


async def test_a_commit_that_concerns_only_others_moves_the_cursor_and_wakes_nobody(
    feed: Feed, revocations: Revocations, resources: Both
) -> None:
    ours, theirs = (resource.number for resource in resources)
    cursor = (await feed.page(ours, None)).cursor
    waiting = asyncio.create_task(feed.wait(ours, cursor, 0.2))
    await asyncio.sleep(0.05)
    await revocations.revoke_token("theirs", theirs)
    page = await waiting
    assert (page.rows, page.is_snapshot) == ([], False)
    assert page.cursor != cursor


async def test_everybody_who_waits_is_answered_when_the_feed_closes(feed: Feed, resources: Both) -> None:
    cursor = (await feed.page(resources[0].number, None)).cursor
    waiting = [asyncio.create_task(feed.wait(resources[0].number, cursor, 30)) for _ in range(5)]
    await asyncio.sleep(0.05)
    feed.close()
    pages = await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert [page.rows for page in pages] == [[]] * 5


async def test_nothing_looks_at_the_database_while_nobody_waits(feed: Feed, resources: Both) -> None:
    cursor = (await feed.page(resources[0].number, None)).cursor
    await feed.wait(resources[0].number, cursor, 0.05)
    for _ in range(100):
        if not feed.is_looking:
            break
        await asyncio.sleep(POLL_SECONDS)
    assert not feed.is_looking
