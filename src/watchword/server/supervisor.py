"""Keeps the processes of a server: workers that answer on the same sockets and, on SQLite, one that writes for them.

Whoever ends is replaced; a reload replaces the workers one after another, and a new one answers before an old one
stops. The supervisor itself answers nobody, and reads nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import msgspec

from watchword.errors import OperatorError
from watchword.files import Process
from watchword.server import systemd
from watchword.server.child import Child
from watchword.server.orders import Orders
from watchword.storage.sqlite_messages import SOCKET_NAME

_LEFT_AFTER_DEADLINE = timedelta(seconds=3)
"""For a worker to close its database, once its requests are finished or cut off."""

_SHORT_LIFE = timedelta(seconds=5)
_SHORTEST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
_FUTILE_STARTS = 5

_log = logging.getLogger(__name__)


class Post:
    """A place that is always filled, by one child after another."""

    def __init__(self, launch: Callable[[], Awaitable[Child]]) -> None:
        self.launch = launch
        self.child: Child | None = None
        self.filling = asyncio.Lock()
        self.pause = 0.0


class Supervisor:
    """`orders` are those of every worker but for its name; `sockets` are those that they listen on."""

    def __init__(self, orders: Orders, sockets: list[socket.socket]) -> None:
        self._orders = orders
        self._sockets = sockets
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._hurrying = asyncio.Event()
        self._reloading = asyncio.Event()
        self._numbers = itertools.count(1)
        self._children: set[Child] = set()
        self._workers = [Post(self._launch_worker) for _ in range(orders.settings.workers)]
        self._writer = None if orders.settings.database else Post(self._launch_writer)
        self._writer_socket: socket.socket | None = None

    def stop(self) -> None:
        """Stop, after the delay for balancers if there is one; asked again, at once. Safe in a signal's handler."""
        self._loop.call_soon_threadsafe(self._hurrying.set if self._stopping.is_set() else self._stopping.set)

    def reload(self) -> None:
        """Safe in the handler of a signal."""
        self._loop.call_soon_threadsafe(self._reloading.set)

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """All workers answer, until the block ends.

        Raises:
            OperatorError: one of them could not start.
        """
        try:
            if self._writer is not None:
                self._writer_socket = _listen_for_workers(self._orders.process)
                self._writer.child = await self._writer.launch()
            launched = await asyncio.gather(*(post.launch() for post in self._workers), return_exceptions=True)
            for post, child in zip(self._workers, launched, strict=True):
                if isinstance(child, BaseException):
                    raise child
                post.child = child
            yield
        finally:
            await self._end()

    async def watch(self) -> None:
        """Returns when it is told to stop.

        Raises:
            OperatorError: no worker is left, and none starts.
        """
        posts = [*self._workers, *filter(None, [self._writer])]
        every: list[asyncio.Task[Any]] = [asyncio.create_task(self._keep(post)) for post in posts]
        every += [asyncio.create_task(self._keep_reloading()), asyncio.create_task(self._told_to_stop())]
        try:
            done, _ = await asyncio.wait(every, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            systemd.notify("STOPPING=1")
            for task in every:
                task.cancel()
            await asyncio.gather(*every, return_exceptions=True)

    async def _told_to_stop(self) -> None:
        await self._stopping.wait()
        if delay_seconds := self._orders.settings.drain_delay:
            for post in self._workers:
                if post.child is not None:
                    post.child.leave()
            with suppress(TimeoutError):
                async with asyncio.timeout(delay_seconds):
                    await self._hurrying.wait()

    async def _keep(self, post: Post) -> None:
        while (child := post.child) is not None:
            status = await child.ended()
            self._children.discard(child)
            async with post.filling:
                # A reload may have put another one in its place.
                if post.child is child:
                    _log.error("%s ended with status %d; another one takes its place", child.name, status)
                    post.pause = _longer(post.pause) if child.age < _SHORT_LIFE else 0.0
                    await self._refill(post)

    async def _refill(self, post: Post) -> None:
        for starts in itertools.count(1):
            await asyncio.sleep(post.pause)
            try:
                post.child = await post.launch()
                return
            except OperatorError as error:
                others = any(each.child is not None and each.child.is_alive for each in self._workers)
                if starts >= _FUTILE_STARTS and not others:
                    raise
                _log.error("none takes its place yet: %s", error)
                post.pause = _longer(post.pause)

    async def _keep_reloading(self) -> None:
        while True:
            await self._reloading.wait()
            self._reloading.clear()
            systemd.notify(systemd.RELOADING)
            try:
                for post in self._workers:
                    await self._renew(post)
            except OperatorError as error:
                _log.error("the reload ended early, and the workers that were there go on: %s", error)
            systemd.notify("READY=1")

    async def _renew(self, post: Post) -> None:
        async with post.filling:
            old, post.child = post.child, await post.launch()
        if old is not None:
            await self._let_finish(old)

    async def _launch_worker(self) -> Child:
        descriptors = tuple(each.fileno() for each in self._sockets)
        child = await self._launch("watchword.server.worker", f"worker-{next(self._numbers)}", descriptors)
        if self._stopping.is_set():
            child.leave()
        return child

    async def _launch_writer(self) -> Child:
        # Its socket stays open here: while a writer is replaced, workers wait instead of being refused.
        descriptors = (self._writer_socket.fileno(),) if self._writer_socket else ()
        return await self._launch("watchword.server.writer", f"writer-{next(self._numbers)}", descriptors)

    async def _launch(self, module: str, name: str, descriptors: tuple[int, ...]) -> Child:
        process = Process(name, self._orders.process.folder)
        child = await Child.launch(module, msgspec.structs.replace(self._orders, process=process, sockets=descriptors))
        self._children.add(child)
        return child

    async def _let_finish(self, process: Child) -> None:
        deadline = timedelta(seconds=self._orders.settings.stop_deadline) + _LEFT_AFTER_DEADLINE
        if not await process.end(deadline):
            _log.error("%s did not stop, and was killed", process.name)
        self._children.discard(process)

    async def _end(self) -> None:
        # A socket is closed when nobody has it open: from then on who comes is refused.
        for each in self._sockets:
            each.close()
        writer = self._writer.child if self._writer else None
        await asyncio.gather(*(self._let_finish(each) for each in self._children if each is not writer))
        if writer is not None:
            await self._let_finish(writer)
        if self._writer_socket is not None:
            self._writer_socket.close()


def _listen_for_workers(of_all: Process) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(of_all.folder / SOCKET_NAME))
    listening.listen(128)
    listening.setblocking(False)
    return listening


def _longer(pause: float) -> float:
    return min(max(_SHORTEST_PAUSE_SECONDS, 2 * pause), _LONGEST_PAUSE_SECONDS)
