"""Connections to PostgreSQL: to whichever server of the address takes writes, and knowing when there is none.

While the database is away nobody waits for it: every caller is refused at once, and one task alone tries until it is
back. A connection that breaks under a statement is another matter: nobody knows what became of it, see `Lost`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from datetime import timedelta
from typing import TypeAlias

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from watchword.errors import OperatorError, Unavailable
from watchword.storage.postgres_address import read_address, socket_of, split_hosts
from watchword.storage.postgres_sessions import SESSION

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_CONNECT_SECONDS = 3.0
_GRACE_SECONDS = 1.0
_IDLE_SECONDS = 300.0
_FIRST_NAP_SECONDS = 0.05
_LONGEST_NAP_SECONDS = 1.0
_RETRY_AFTER = timedelta(seconds=1)

_BROKEN = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.StatementCompletionUnknownError,
    OSError,
)
"""The connection went away under a statement, which may have been committed or not."""

_REFUSED = (
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalServerError,
    asyncpg.InsufficientPrivilegeError,
)
"""The server took too long, is out of room, its disk fails, its pages are damaged, or its user may not: it told so, and
nothing was changed.
"""

_NO_CONNECTION = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)

_WEAK = ("off", "local", "remote_write")
"""Levels of synchronous_commit that acknowledge what a crash of one machine may take back."""

_log = logging.getLogger(__name__)


class Lost(Unavailable):
    """The connection broke while a statement was under way: nobody knows whether it was committed."""


class Connections:
    """A pool over one address. `sessions` says that connections are PostgreSQL's own sessions, not a pooler's.

    Raises:
        OperatorError: a parameter of the address asks for what cannot be had.
    """

    def __init__(self, dsn: str, *, size: int, sessions: bool, patience: timedelta) -> None:
        self._address = read_address(dsn)
        self._hosts = split_hosts(self._address.dsn)
        self.sessions = sessions and not self._address.is_pooled
        self._seconds = patience.total_seconds()
        self.size = size
        self._is_open = False
        self._slots = asyncio.Semaphore(size)
        self._free: list[tuple[Connection, float]] = []
        self._generation = 0
        self._recovery: asyncio.Task[None] | None = None
        self._abandoned: set[asyncio.Task[Connection]] = set()

    async def connect(self, *, unhurried: bool = False) -> Connection:
        """A connection of its own, to the first server that takes writes; `unhurried` without a limit of time.

        Raises:
            OperatorError: commits would not be durable, and behind a pooler that cannot be mended from here.
        """
        settings = {"application_name": self._address.application_name}
        if self.sessions:
            # A pooler would refuse to start a session with these, or leave them to whoever comes next.
            settings |= SESSION
            if not unhurried:
                settings["statement_timeout"] = str(round(self._seconds * 1_000))
        for host in list(self._hosts):
            try:
                connection: Connection = await asyncpg.connect(
                    host,
                    # Each server has its own time: one that hangs must not take that of the others.
                    timeout=self._address.connect_seconds or _CONNECT_SECONDS,
                    command_timeout=None if unhurried else self._seconds + _GRACE_SECONDS,
                    statement_cache_size=100 if self.sessions else 0,
                    server_settings=settings,
                    target_session_attrs=SessionAttribute.read_write,
                )
                self._address.set_up(socket_of(connection))
                await self._make_durable(connection)
            except _NO_CONNECTION as error:
                failure = error
            else:
                # Whoever answered is asked first next time.
                self._hosts.sort(key=lambda other: other != host)
                return connection
        raise failure

    def open(self) -> None:
        """Connections are made when they are needed."""
        self._is_open = True

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Connection]:
        """Lend a connection of the pool for as long as the block lasts.

        Raises:
            Unavailable: at once while the database is away, so that nobody hangs on it; or it refused.
            Lost: the connection broke under the statement.
        """
        if not self._is_open or self._recovery is not None:
            raise Unavailable(_RETRY_AFTER)
        await self._wait_for_slot()
        try:
            connection, generation = await self._borrow(), self._generation
            is_whole = False
            try:
                with self._translated(connection):
                    yield connection
                is_whole = True
            except Exception:
                # The server or our rules said no, and the connection is as good as before; what broke is closed by now.
                # Whoever is cancelled leaves a statement under way.
                is_whole = True
                raise
            finally:
                if is_whole and generation == self._generation and _is_clean(connection):
                    self._free.append((connection, asyncio.get_running_loop().time()))
                else:
                    connection.terminate()
        finally:
            self._slots.release()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Connection]:
        """A connection beside the pool, for what takes longer than a request may; errors as those of `take`."""
        try:
            connection = await self.connect(unhurried=True)
        except _NO_CONNECTION:
            raise Unavailable(_RETRY_AFTER) from None
        try:
            with self._translated(connection):
                yield connection
        finally:
            connection.terminate()

    async def close(self) -> None:
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.wait([self._recovery])
        if self._abandoned:
            await asyncio.wait(tuple(self._abandoned))
        self._is_open = False
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                # Whoever has one brings it back first.
                for _ in range(self.size):
                    await self._slots.acquire()
                while self._free:
                    await self._free.pop()[0].close()
        self._expire()

    async def _wait_for_slot(self) -> None:
        try:
            # Without a wait where none is needed: a timer costs more than all the rest.
            async with nullcontext() if not self._slots.locked() else asyncio.timeout(self._seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise Unavailable(_RETRY_AFTER) from None

    async def _borrow(self) -> Connection:
        now = asyncio.get_running_loop().time()
        while self._free:
            connection, since = self._free.pop()
            if now - since < _IDLE_SECONDS and _is_clean(connection):
                return connection
            connection.terminate()
        try:
            async with asyncio.timeout(self._seconds):
                return await self.connect_whole()
        except (*_NO_CONNECTION, OperatorError) as error:
            self._go_away(error)
            raise Unavailable(_RETRY_AFTER) from None

    def _expire(self) -> None:
        """No connection from before is used again."""
        self._generation += 1
        while self._free:
            self._free.pop()[0].terminate()

    async def connect_whole(self) -> Connection:
        """Whoever goes away while it connects leaves no half of a connection behind."""
        connecting = asyncio.get_running_loop().create_task(self.connect())
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            self._abandoned.add(connecting)
            connecting.add_done_callback(self._throw_away)
            raise

    def _throw_away(self, connecting: asyncio.Task[Connection]) -> None:
        self._abandoned.discard(connecting)
        if not connecting.cancelled() and connecting.exception() is None:
            connecting.result().terminate()

    @contextmanager
    def _translated(self, connection: Connection) -> Iterator[None]:
        try:
            yield
        except asyncpg.DataError:
            # A value that PostgreSQL cannot hold: the row's fault, not the connection's.
            raise
        except asyncpg.ReadOnlySQLTransactionError as error:
            # The server has become a standby: the next connections look for the new primary.
            self._go_away(error)
            raise Unavailable(_RETRY_AFTER) from None
        except TimeoutError as error:
            # The server is out of reach without having said so; the other connections to it are no better.
            connection.terminate()
            self._go_away(error)
            raise Lost(_RETRY_AFTER) from None
        except _BROKEN as error:
            _log.warning("a connection to the database broke: %s", type(error).__name__)
            raise Lost(_RETRY_AFTER) from None
        except _REFUSED as error:
            _log.error("the database refused: %s", type(error).__name__)
            raise Unavailable(_RETRY_AFTER) from None

    def _go_away(self, error: BaseException) -> None:
        if self._recovery is None:
            # Not the error's own words: they may repeat parts of the address.
            _log.error("the database is out of reach: %s", type(error).__name__)
            self._recovery = asyncio.get_running_loop().create_task(self._recover())

    async def _recover(self) -> None:
        nap = _FIRST_NAP_SECONDS
        while True:
            await asyncio.sleep(nap)
            try:
                connection = await self.connect()
                try:
                    await connection.execute("select 1")
                finally:
                    connection.terminate()
            except (*_NO_CONNECTION, OperatorError):
                nap = min(nap * 2, _LONGEST_NAP_SECONDS)
            else:
                break
        # Those from before may be dead without knowing it.
        self._expire()
        _log.info("the database is back")
        self._recovery = None

    async def _make_durable(self, connection: Connection) -> None:
        """A commit that was acknowledged must survive; whoever waits for standbys to apply it goes on doing so."""
        level = await connection.fetchval("show synchronous_commit")
        if level in _WEAK and self.sessions:
            await connection.execute("set synchronous_commit = on")
        elif level in _WEAK:
            connection.terminate()
            raise OperatorError(
                f"PostgreSQL runs with synchronous_commit = {level}: what was acknowledged could be lost.",
                "Behind a pooler it is set for the role: alter role ... set synchronous_commit = on",
            )


def _is_clean(connection: Connection) -> bool:
    return not connection.is_closed() and not connection.is_in_transaction()
