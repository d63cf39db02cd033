"""Several nodes on one database: what one commits, the others hear; wake-ups make it sooner, and may be lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.journal.support import RESOURCE, Ear, House, append
from tests.support.engines import Place
from tests.support.polling import until_async
from watchword.journal import waiting
from watchword.journal.entries import Signal
from watchword.journal.journal import Journal

ON_POSTGRES = pytest.mark.parametrize("place", ["postgres"], indirect=True)


async def talking(speaker: Journal, ear: Ear) -> None:
    """Returns once what one node says is heard by the other."""

    async def say() -> bool:
        speaker.signal(Signal(RESOURCE, 7, "hello", b""))
        await asyncio.sleep(0.01)
        return bool(ear.signals)

    await until_async(say, bool, 30)


async def test_what_one_node_commits_the_other_hears_though_every_wake_up_is_lost(house: House) -> None:
    """Nobody is told at all; on SQLite it is another process, such as a command, that commits."""
    journal, elsewhere = await house.node(), await house.database()
    ear = await house.ear(journal)
    for number in range(3):
        await append(elsewhere, str(number))
        await ear.hears(*(str(each) for each in range(number + 1)))


@ON_POSTGRES
async def test_a_wake_up_from_another_node_makes_it_sooner(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    # So long that a test which waits for the next look fails.
    monkeypatch.setattr(waiting, "POLL_SECONDS", 3_600.0)
    ours, theirs, elsewhere = await house.node(), await house.node(), await house.database()
    ear = await house.ear(ours)
    await talking(theirs, ear)
    await append(elsewhere, "news")
    theirs.wake()
    await ear.hears("news")


@ON_POSTGRES
async def test_signals_reach_the_other_nodes_whole_however_many_there_are(house: House) -> None:
    ours, theirs = await house.node(), await house.node()
    near, far = await house.ear(theirs), await house.ear(ours)
    await talking(theirs, far)
    signals = [Signal(RESOURCE, 7, "typing", f"ü {number}".encode() * 50) for number in range(200)]
    theirs.signal(*signals, Signal(RESOURCE, 7, "typing", b"x" * 8_000), Signal(RESOURCE, 7, "last", b""))
    await far.until(lambda ear: ear.signals[-1].kind == "last")
    heard = [signal for signal in far.signals if signal.kind != "hello"]
    # What is too large for a notice stays here.
    assert heard == [*signals, Signal(RESOURCE, 7, "last", b"")]
    # Whoever says something hears it once, and not from the database again.
    assert len([signal for signal in near.signals if signal.kind == "last"]) == 1


@ON_POSTGRES
async def test_behind_a_pooler_nodes_hear_of_each_other_by_looking(house: House, place: Place) -> None:
    settings = replace(place.settings, database_statement_cache=False)
    database = await Place(settings, place.folder).open()
    try:
        assert database.notices() is None
    finally:
        await database.close()
