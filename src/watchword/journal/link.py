"""A process's end of what it says to the follower of its server, which is another process."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from watchword.clock import steady_seconds
from watchword.errors import Unavailable
from watchword.journal.entries import Interest, Signal
from watchword.journal.follower import Handed
from watchword.journal.following import Audience
from watchword.journal.marks import Mark
from watchword.journal.messages import SOCKET_NAME, Drop, FromFollower, ToFollower, Told, Want, Wanted
from watchword.journal.store import JournalStore
from watchword.journal.tail import Tail
from watchword.storage.channel import Channel

GONE = (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError)
"""The follower has ended, or is of another version."""


class Link:
    """Carries what `audience` wants, and what it hears, until the follower is gone."""

    def __init__(self, channel: Channel[FromFollower], audience: Audience, store: JournalStore) -> None:
        self._channel = channel
        self._audience = audience
        self._store = store
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Mark | None]] = {}
        self._is_told = False

    async def want(self, interests: Sequence[Interest]) -> Mark:
        """Ask the process that follows for what is appended from now on.

        Raises:
            ConnectionError: the follower is gone; ask the next one.
            Unavailable: the database does not answer.
        """
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self._say(Want(number, interests))
        try:
            mark = await self._asked[number]
        finally:
            self._asked.pop(number, None)
        if mark is None:
            raise Unavailable(timedelta(seconds=1))
        return mark

    def drop(self, interests: Sequence[Interest]) -> None:
        self._say(Drop(interests))

    def wake(self) -> None:
        """The commits of one tick are told of once."""
        if not self._is_told:
            self._is_told = True
            asyncio.get_running_loop().call_soon(self._tell)

    def signal(self, signals: Sequence[Signal]) -> None:
        self._say(Told(signals))

    async def run(self) -> None:
        """Returns once the follower is gone."""
        try:
            if self._audience.interests:
                await self._take_up()
            while True:
                self._take(await self._channel.receive())
        except GONE:
            pass
        finally:
            self._channel.close()
            for asked in self._asked.values():
                if not asked.done():
                    asked.set_exception(ConnectionError())

    async def _take_up(self) -> None:
        """Hears from a new follower what one before has not handed on, and then what this one does."""
        self._say(Want(0, self._audience.interests))
        while not isinstance(first := await self._channel.receive(), Wanted) or first.number:
            self._take(first)
        if first.mark is None:
            raise ConnectionError
        heard = self._audience.mark
        if heard is None:
            self._audience.begin(first.mark)
        else:
            await self._catch_up(heard)

    async def _catch_up(self, heard: Mark) -> None:
        tail = Tail(heard, now_seconds=self._audience.heard_at)
        while True:
            try:
                look = await self._store.look(tail.mark)
            except Unavailable:
                raise ConnectionError from None
            entries = tail.take(look, steady_seconds())
            if entries is None or tail.is_stuck:
                begun, cursor = await self._begin()
                self._audience.hear(Handed(begun, cursor, is_anew=True))
                return
            self._audience.hear(Handed(tail.mark, look.feed_cursor, entries=entries))
            if not look.is_full or not entries:
                return

    async def _begin(self) -> tuple[Mark, int]:
        try:
            tail, cursor = await self._store.begin(steady_seconds())
        except Unavailable:
            raise ConnectionError from None
        return tail.mark, cursor

    def _take(self, message: FromFollower) -> None:
        if isinstance(message, Handed):
            self._audience.hear(message)
        elif (asked := self._asked.get(message.number)) is not None and not asked.done():
            if message.mark is not None:
                self._audience.begin(message.mark)
            asked.set_result(message.mark)

    def _tell(self) -> None:
        self._is_told = False
        self._say(Told())

    def _say(self, message: ToFollower) -> None:
        self._channel.send(message)


async def connect(folder: Path, audience: Audience, store: JournalStore) -> Link:
    """Connect to the process that follows for this server.

    Raises:
        OSError: no follower listens.
    """
    reader, writer = await asyncio.open_unix_connection(folder / SOCKET_NAME)
    return Link(Channel(reader, writer, FromFollower), audience, store)
