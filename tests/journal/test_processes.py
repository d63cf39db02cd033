"""Several processes of one server: one follows for all, and another one in its place when it ends, however it ends."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.journal.support import RESOURCE, House, append
from tests.support.polling import until_async
from watchword.files import Process
from watchword.journal import processes, waiting
from watchword.journal.entries import Interest, Signal
from watchword.journal.follower import Handed
from watchword.journal.following import Audience
from watchword.journal.journal import Journal


@dataclass
class Server:
    """Its processes share a folder, as a supervisor's do; each has connections of its own."""

    house: House
    folder: Path
    journals: list[Journal] = field(default_factory=list)

    async def process(self) -> Journal:
        journal = await self.house.node(Process(f"worker-{len(self.journals) + 1}", self.folder))
        self.journals.append(journal)

        async def is_settled() -> bool:
            return journal._has_source.is_set()

        await until_async(is_settled, bool)
        return journal

    async def end(self, journal: Journal) -> None:
        await self.house.end(journal)
        self.journals.remove(journal)

    async def found(self) -> bool:
        return bool(self.followers)

    @property
    def followers(self) -> list[Journal]:
        return [journal for journal in self.journals if journal.is_follower]


@pytest.fixture
async def server(house: House) -> AsyncIterator[Server]:
    # Not pytest's own folder: the name of a socket has to be short.
    with tempfile.TemporaryDirectory() as folder:
        yield Server(house, Path(folder))


async def test_one_process_follows_and_all_hear(server: Server) -> None:
    first, second, third = [await server.process() for _ in range(3)]
    assert server.followers == [first]
    ears = [await server.house.ear(journal) for journal in (first, second, third)]
    await append(await server.house.database(), "news")
    for ear in ears:
        await ear.hears("news")
    assert [second.view_age_seconds, third.view_age_seconds] == [0, 0]


async def test_a_process_hears_nothing_of_what_none_of_its_own_asked_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[tuple[Audience, Handed]] = []
    hear = Audience.hear

    def note(audience: Audience, what: Handed) -> None:
        handed.append((audience, what))
        hear(audience, what)

    monkeypatch.setattr(Audience, "hear", note)
    first, second, third = [await server.process() for _ in range(3)]
    ours, theirs = await server.house.ear(second), await server.house.ear(third, Interest.of_thread(8))
    database = await server.house.database()
    await append(database, "ours")
    await append(database, "theirs", thread=8)
    await append(database, "nobody's", thread=9)
    await append(database, "last")
    await ours.hears("ours", "last")
    await theirs.hears("theirs")
    heard = {
        journal: [
            entry.reference for audience, what in handed if audience is journal._audience for entry in what.entries
        ]
        for journal in (first, second, third)
    }
    assert heard == {first: [], second: ["ours", "last"], third: ["theirs"]}
    assert not [audience for audience, _ in handed if audience is first._audience]


async def test_nobody_looks_once_all_have_dropped_what_they_wanted(server: Server) -> None:
    first, second = [await server.process() for _ in range(2)]
    ear = await server.house.ear(second)
    assert first.view_age_seconds > 0
    ear.following.close()

    async def age() -> float:
        return first.view_age_seconds

    assert await until_async(age, lambda age: age == 0) == 0


async def test_another_process_follows_when_the_one_that_did_stops_and_nothing_is_missed_or_heard_twice(
    server: Server,
) -> None:
    journals = [await server.process() for _ in range(3)]
    ears = {journal: await server.house.ear(journal) for journal in journals}
    references: list[str] = []
    for turn in range(2):
        await until_async(server.found, bool)
        [follower] = server.followers
        more = [f"{turn} {number}" for number in range(40)]
        writing = asyncio.create_task(write(server, more))
        references += more
        await ears[follower].until(lambda ear: len(ear.entries) > len(references) - 35)  # noqa: B023
        await server.end(follower)
        del ears[follower]
        await writing
        for ear in ears.values():
            await ear.hears(*references)
            assert ear.starts_anew == 0


FOLLOWER = """
import asyncio, sys
from pathlib import Path
from watchword.files import Process
from watchword.journal.journal import Journal
from watchword.settings import Settings
from watchword.storage.opening import open_database

async def follow(address, data, folder):
    journal = Journal(await open_database(Settings(database=address), Path(data)), Process("killed", Path(folder)))
    following = asyncio.create_task(journal.keep_following())
    while not journal.is_follower:
        await asyncio.sleep(0.01)
    print("follows", flush=True)
    await following

asyncio.run(follow(*sys.argv[1:]))
"""


async def test_another_process_follows_when_the_one_that_did_is_killed(server: Server) -> None:
    place = server.house.place
    database = await server.house.database()
    arguments = (place.settings.database, str(place.folder), str(server.folder))
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FOLLOWER, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert killed.stdout is not None
        assert await killed.stdout.readline() == b"follows\n"
        ears = [await server.house.ear(await server.process()) for _ in range(2)]
        assert server.followers == []
        await append(database, "before")
        for ear in ears:
            await ear.hears("before")
        killed.send_signal(signal.SIGSTOP)
        await append(database, "unheard")
    finally:
        killed.kill()
        await killed.wait()
    await append(database, "after")
    for ear in ears:
        await ear.hears("before", "unheard", "after")
        assert ear.starts_anew == 0
    await until_async(server.found, bool)
    assert len(server.followers) == 1


async def write(server: Server, references: list[str]) -> None:
    database = await server.house.database()
    for reference in references:
        await append(database, reference)


async def test_an_interest_is_kept_while_nobody_follows(server: Server) -> None:
    first, second = [await server.process() for _ in range(2)]
    await server.house.ear(second, Interest.of_thread(9))
    ending = asyncio.create_task(server.end(first))
    # It is asked of whoever is there, or comes next.
    ear = await server.house.ear(second)
    await ending
    await append(await server.house.database(), "news")
    await ear.hears("news")


async def test_what_any_process_says_is_heard_by_all_that_have_the_interest(server: Server) -> None:
    first, second, third = [await server.process() for _ in range(3)]
    ears = [await server.house.ear(journal) for journal in (first, second)]
    other = await server.house.ear(third, Interest.of_thread(8))
    for number, journal in enumerate((first, second, third), 1):
        journal.signal(Signal(RESOURCE, 7, "typing", b"somebody"))
        for ear in ears:
            await ear.until(lambda ear: len(ear.signals) == number)  # noqa: B023
    assert other.signals == []


async def test_what_a_process_commits_wakes_the_follower(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    # So long that a test which waits for the next look fails.
    monkeypatch.setattr(waiting, "POLL_SECONDS", 3_600.0)
    first, second = [await server.process() for _ in range(2)]
    ear = await server.house.ear(first)
    await append(await server.house.database(), "news")
    second.wake()
    await ear.hears("news")


async def test_a_process_that_takes_nothing_is_cut_off_and_goes_on_by_itself(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = [await server.process() for _ in range(2)]
    ear = await server.house.ear(second)
    database = await server.house.database()
    monkeypatch.setattr(processes, "_MOST_UNREAD_BYTES", -1)
    await append(database, "cut off")
    await ear.hears("cut off")
    monkeypatch.undo()
    await append(database, "after")
    await ear.hears("cut off", "after")
    assert ear.starts_anew == 0
