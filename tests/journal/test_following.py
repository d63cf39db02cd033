"""Whoever follows hears of everything that is committed, once, and of nothing that they did not ask for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.journal.support import RESOURCE, House, append
from watchword.errors import Unavailable
from watchword.journal import following as followings
from watchword.journal.entries import Interest, Signal
from watchword.journal.following import Following

OTHER_THREAD = 8


async def test_what_is_committed_is_heard_with_everything_that_the_journal_says(house: House) -> None:
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal)
    await append(database, "1700000000000")
    await ear.hears("1700000000000")
    [entry] = ear.entries
    assert (entry.resource, entry.thread, entry.kind, entry.moment_micros) == (RESOURCE, 7, "messageReceived", 5)
    assert ear.positions[-1].rpartition(".")[2] == str(entry.id)


async def test_what_was_committed_before_is_not_heard(house: House) -> None:
    journal, database = await house.node(), await house.database()
    await append(database, "before")
    ear = await house.ear(journal)
    await append(database, "after")
    await ear.hears("after")


async def test_nobody_hears_of_what_they_did_not_ask_for(house: House) -> None:
    journal, database = await house.node(), await house.database()
    ours = await house.ear(journal)
    joins = await house.ear(journal, Interest.of_resource(RESOURCE, "participantsAdded"))
    both = await house.ear(journal, Interest.of_thread(7), Interest.of_resource(RESOURCE))
    nothing = await house.ear(journal, Interest.of_resource(RESOURCE + 1))
    await append(database, "theirs", thread=OTHER_THREAD)
    await append(database, "joined", thread=OTHER_THREAD, kind="participantsAdded")
    await append(database, "ours")
    await both.hears("theirs", "joined", "ours")
    await ours.hears("ours")
    await joins.hears("joined")
    assert nothing.entries == []


async def test_who_drops_an_interest_hears_no_more_of_it_and_goes_on_with_the_others(house: House) -> None:
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal, Interest.of_thread(7), Interest.of_thread(OTHER_THREAD))
    another = await house.ear(journal)
    ear.following.drop(Interest.of_thread(7))
    await append(database, "dropped")
    await append(database, "kept", thread=OTHER_THREAD)
    await ear.hears("kept")
    await another.hears("dropped")


async def test_an_interest_is_added_while_others_are_heard_of(house: House) -> None:
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal)
    await append(database, "not yet", thread=OTHER_THREAD)
    await ear.following.want(Interest.of_thread(OTHER_THREAD))
    await append(database, "now", thread=OTHER_THREAD)
    await ear.until(lambda ear: "now" in ear.references)
    assert ear.entries[-1].thread == OTHER_THREAD


async def test_more_than_one_look_can_hold_is_heard_in_the_order_of_ids(house: House) -> None:
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal)
    references = [str(number) for number in range(2_500)]
    await append(database, *references)
    await ear.until(lambda ear: len(ear.entries) >= len(references))
    assert ear.references == references


async def test_revocations_are_told_of_with_what_was_committed_by_then(house: House) -> None:
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal)
    await database.transact(lambda transaction: transaction.execute("update feed set cursor = cursor + 3"))
    await ear.until(lambda ear: bool(ear.cursors) and ear.cursors[-1] == 3)
    await append(database, "after")
    await ear.hears("after")
    assert ear.cursors[-1] == 3


async def test_nothing_is_looked_at_while_nobody_follows(house: House) -> None:
    journal = await house.node()
    ear = await house.ear(journal)
    assert journal.view_age_seconds > 0
    ear.following.close()
    assert (journal.view_age_seconds, journal.gaps, journal.oldest_gap_seconds) == (0, 0, 0)
    while journal._follower._poll.is_running:
        await asyncio.sleep(0.001)


async def test_who_comes_back_after_everybody_left_begins_with_what_is_newest(house: House) -> None:
    journal, database = await house.node(), await house.database()
    (await house.ear(journal)).following.close()
    await append(database, "meanwhile")
    ear = await house.ear(journal)
    await append(database, "after")
    await ear.hears("after")


async def test_who_does_not_listen_starts_anew_and_costs_bounded_memory(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followings, "MOST_WAITING", 10)
    journal, database = await house.node(), await house.database()
    deaf, ear = Following(journal), await house.ear(journal)
    await deaf.want(Interest.of_thread(7))
    for number in range(40):
        await append(database, str(number))
        await ear.until(lambda ear: str(number) in ear.references)  # noqa: B023
    news = await anext(deaf)
    assert news.is_anew
    assert len(news.entries) <= 10
    assert news.position == ear.positions[-1]


async def test_whoever_waits_is_told_when_the_journal_closes(house: House) -> None:
    journal = await house.node()
    following = journal.follow()
    await following.want(Interest.of_thread(7))

    async def listen() -> None:
        async for _ in following:
            pass

    waiting = asyncio.create_task(listen())
    await asyncio.sleep(0)
    journal.close()
    await asyncio.wait_for(waiting, 20)


async def test_signals_are_heard_by_whoever_has_the_interest_and_are_stored_nowhere(house: House) -> None:
    journal, database = await house.node(), await house.database()
    ear, other = await house.ear(journal), await house.ear(journal, Interest.of_thread(OTHER_THREAD))
    signal = Signal(RESOURCE, 7, "typing", b"somebody")
    journal.signal(signal)
    await ear.until(lambda ear: ear.signals == [signal])
    assert other.signals == []
    assert await database.query("select count(*) from journal") == [(0,)]


async def test_who_wants_something_while_the_database_is_away_is_refused_and_can_ask_again(house: House) -> None:
    """A journal on a database that is closed behaves as one whose server is out of reach."""
    journal = await house.node()
    following = journal.follow()
    store = journal._follower._store
    real, broken = store._database, await house.place.open()
    await broken.close()
    if house.place.is_postgres:
        store._database = broken
        with pytest.raises(Unavailable):
            await following.want(Interest.of_thread(7))
        assert not following.interests
        store._database = real
    assert (await following.want(Interest.of_thread(7))).position.count(".") == 1


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_during_a_rolling_upgrade_nobody_follows_and_nothing_is_asked_for_that_is_not_there(house: House) -> None:
    journal = await house.node()
    was_there = journal.is_there
    database = journal._follower._store._database
    await database.transact(lambda transaction: transaction.execute("alter table journal rename to not_yet"))
    database.schema = replace(database.schema, version=8)
    assert (was_there, journal.is_there) == (True, False)
    with pytest.raises(Unavailable):
        await journal.follow().want(Interest.of_thread(7))


async def test_whatever_goes_wrong_with_a_look_it_is_not_the_last_one(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal)
    await database.transact(lambda transaction: transaction.execute("alter table journal rename to gone"))
    await ear.until(lambda _: "a look at what was committed failed" in caplog.text)
    await database.transact(lambda transaction: transaction.execute("alter table gone rename to journal"))
    await append(database, "news")
    await ear.hears("news")
