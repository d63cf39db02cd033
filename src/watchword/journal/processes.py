"""The follower's end: the other processes of the server, each with what it wants to hear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import msgspec

from watchword.errors import Unavailable
from watchword.journal.entries import Signal
from watchword.journal.follower import Follower, Handed
from watchword.journal.messages import SOCKET_NAME, Drop, ToFollower, Told, Want, Wanted
from watchword.storage.channel import Channel

_MOST_UNREAD_BYTES = 16 << 20
"""A process that reads nothing is cut off with so much; once it reads again, it goes on by itself."""


class Processes:
    """Serves them on a socket in their folder, until it is closed; `told` is called with what they tell."""

    def __init__(self, follower: Follower, folder: Path, told: Callable[[Sequence[Signal]], None]) -> None:
        self._follower = follower
        self._path = folder / SOCKET_NAME
        self._told = told
        self._attending: dict[asyncio.Task[None], Channel[ToFollower]] = {}
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        # The one before may have left it, however it ended; whoever holds the lock is alone here.
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._attend, self._path)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for channel in self._attending.values():
            channel.close()
        if left := set(self._attending):
            await asyncio.wait(left, timeout=1.0)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        channel = self._attending[task] = Channel(reader, writer, ToFollower)
        process = _Process(channel)
        try:
            while True:
                await self._answer(process, await channel.receive())
        except (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError):
            # It ended, or is of another version.
            pass
        finally:
            self._follower.leave(process)
            del self._attending[task]
            channel.close()

    async def _answer(self, process: _Process, message: ToFollower) -> None:
        if isinstance(message, Want):
            mark = None
            with suppress(Unavailable):
                mark = await self._follower.want(process, message.interests)
            process.channel.send(Wanted(message.number, mark))
        elif isinstance(message, Drop):
            self._follower.drop(process, message.interests)
        elif isinstance(message, Told):
            self._told(message.signals)


class _Process:
    def __init__(self, channel: Channel[ToFollower]) -> None:
        self.channel = channel

    def hear(self, handed: Handed) -> None:
        if self.channel.unsent_bytes > _MOST_UNREAD_BYTES:
            self.channel.abort()
        else:
            self.channel.send(handed)
