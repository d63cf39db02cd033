"""A journal on either engine, and those who append to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from tests.support.engines import Place
from tests.support.polling import until_async
from watchword.files import Process
from watchword.journal.entries import Entry, Interest, Signal
from watchword.journal.following import Following
from watchword.journal.journal import Journal
from watchword.journal.statements import APPEND
from watchword.storage import Database, Transaction

RESOURCE = 1


async def append(database: Database, *references: str, thread: int = 7, kind: str = "messageReceived") -> None:
    """In one transaction; nobody is told."""

    async def work(transaction: Transaction) -> None:
        for reference in references:
            await transaction.execute(APPEND, RESOURCE, thread, 1, kind, reference, 5)

    await database.transact(work)


@dataclass
class Ear:
    """Hears what comes to one who follows, and remembers it."""

    following: Following
    entries: list[Entry] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    cursors: list[int] = field(default_factory=list)
    positions: list[str] = field(default_factory=list)
    starts_anew: int = 0

    @property
    def references(self) -> list[str]:
        return [entry.reference for entry in self.entries]

    async def listen(self) -> None:
        async for news in self.following:
            self.starts_anew += news.is_anew
            self.entries += news.entries
            self.signals += news.signals
            self.cursors.append(news.feed_cursor)
            self.positions.append(news.position)

    async def until(self, is_enough: Callable[[Ear], bool]) -> None:
        async def look() -> Ear:
            return self

        await until_async(look, is_enough, 30)

    async def hears(self, *references: str) -> None:
        """Everything so far, in whichever order."""
        await self.until(lambda ear: len(ear.entries) >= len(references) or bool(ear.starts_anew))
        assert sorted(self.references) == sorted(references)


@dataclass
class House:
    """Processes and nodes on one database, each with a journal of its own; all that runs ends with the test."""

    place: Place
    stack: AsyncExitStack
    tasks: dict[Journal, asyncio.Task[None]] = field(default_factory=dict)
    listening: list[asyncio.Task[None]] = field(default_factory=list)

    async def database(self) -> Database:
        opened = await self.place.open()
        self.stack.push_async_callback(opened.close)
        return opened

    async def node(self, worker: Process | None = None) -> Journal:
        journal = Journal(await self.database(), worker)
        self.tasks[journal] = asyncio.create_task(journal.keep_following())
        self.stack.push_async_callback(self.end, journal)
        return journal

    async def end(self, journal: Journal) -> None:
        task = self.tasks[journal]
        task.cancel()
        await asyncio.wait([task])
        await journal.end()

    async def ear(self, journal: Journal, *interests: Interest) -> Ear:
        ear = Ear(journal.follow())
        await ear.following.want(*(interests or (Interest.of_thread(7),)))
        self.listening.append(asyncio.create_task(ear.listen()))
        return ear
