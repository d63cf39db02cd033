"""What goes in the background: threads past their retention, what deleted ones held, and everything of a resource.

Each piece is a transaction of its own, bounded in rows; a thread's row is held for one piece only.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from watchword.chat.creation import REPEATABLE_MILLIS
from watchword.chat.held_import import drop_stale_imports
from watchword.chat.held_thread import end_thread, hold_numbered_thread
from watchword.chat.limits import ChatLimits
from watchword.chat.restrictions import drop_restrictions
from watchword.chat.store import ChatStore
from watchword.chat.threads import DELETED_SHOWN_MILLIS
from watchword.journal.statements import BOUNDS, FORGET_RESOURCE
from watchword.storage import Database, Transaction
from watchword.storage.database import Lock
from watchword.storage.purge import Purge

ROWS_IN_ONE_PIECE = 500
_THREADS_AT_ONCE = 100
_ENTRIES_AT_ONCE = 10_000
_DAY_MILLIS = timedelta(days=1) // timedelta(milliseconds=1)


class Purges:
    """`now_micros` is the time by which something is due."""

    def __init__(self, store: ChatStore, limits: ChatLimits) -> None:
        self._store = store
        self._limits = limits
        self._reached: dict[int, int] = {}

    async def delete_due(self, now_micros: int) -> int:
        """Delete threads past their retention, their own or the operator's; how many. Call it until it is 0."""
        now = now_micros // 1_000
        rows = await self._store.query(_DUE, now, _THREADS_AT_ONCE)
        if self._limits.retention_days:
            oldest = now - self._limits.retention_days * _DAY_MILLIS
            rows += await self._store.query(_OLD, oldest, _THREADS_AT_ONCE)
        for (number,) in rows:
            await self._store.change(partial(_end, number=number, now_micros=now_micros))
        return len(rows)

    async def empty_deleted(self) -> int:
        """Delete some messages of deleted threads; how many rows and threads it dealt with."""
        done = 0
        for (number,) in await self._store.query(_TO_EMPTY, _THREADS_AT_ONCE):
            done += 1
            while gone := await self._store.change(partial(_empty, number=number)):
                done += gone
        return done

    async def forget_deleted(self, now_micros: int) -> int:
        """Delete what is left of threads that nobody is shown any more; how many threads it dealt with."""
        rows = await self._store.query(_TO_FORGET, now_micros // 1_000 - DELETED_SHOWN_MILLIS, _THREADS_AT_ONCE)
        for (number,) in rows:
            while await self._store.change(partial(_take_apart, number=number, most=ROWS_IN_ONE_PIECE)):
                pass
        return len(rows)

    async def forget_requests(self, now_micros: int) -> int:
        """Forget repeatability ids whose time is over; how many."""
        oldest = now_micros // 1_000 - REPEATABLE_MILLIS
        rows = await self._store.query(_OLD_REQUESTS, oldest, ROWS_IN_ONE_PIECE)
        if rows:
            # Threads are locked by their number, as everywhere.
            await self._store.change(lambda each: each.execute_many(_FORGET_REQUEST, sorted(rows)))
        return len(rows)

    async def drop_stale_imports(self, now_micros: int) -> int:
        """Give up histories that nobody goes on bringing in; how many."""
        return await drop_stale_imports(self._store, now_micros)

    async def end_restrictions(self, now_micros: int) -> int:
        """Delete what mutes or bans nobody any more; how many rows."""
        if not await self._store.has_trusted_tables():
            return 0
        now_millis = now_micros // 1_000
        return await self._store.change(lambda each: drop_restrictions(each, _ENDED, now_millis, ROWS_IN_ONE_PIECE))

    @property
    def purge(self) -> Purge:
        """What goes with a resource; the journal's entries about it go along, by a statement of the journal's."""
        tables = ("threads", "participants", "messages", "departures", "restrictions", "history_imports")
        return Purge(tables, self.of_resource)

    async def of_resource(self, resource: int, most: int) -> int:
        """Delete some of everything that chat keeps of a resource; how many rows went."""
        if not await self._store.has_tables():
            return 0
        rows = await self._store.query(_ANY_THREAD, resource)
        if rows:
            return await self._store.change(lambda each: _take_apart(each, rows[0][0], most))
        if gone := await self._store.change(partial(_forget, sql=_FORGET_DEPARTURES, resource=resource)):
            return gone
        if await self._store.has_trusted_tables():
            if gone := await self._store.change(lambda each: drop_restrictions(each, _OF_RESOURCE, resource, most)):
                return gone
            if gone := await self._store.change(partial(_forget, sql=_FORGET_IMPORTS, resource=resource)):
                return gone
        return await self._forget_entries(resource)

    async def _forget_entries(self, resource: int) -> int:
        """Its entries in the journal, by ranges of ids, for nobody finds them by resource; 0 once it has seen all."""
        reached = self._reached.get(resource, 0)
        [(oldest, newest)] = await self._store.query(BOUNDS)
        if newest is None or reached >= newest:
            self._reached.pop(resource, None)
            return 0
        first = max(reached, oldest - 1)
        self._reached[resource] = min(newest, first + _ENTRIES_AT_ONCE)
        await self._store.change(lambda each: each.execute(FORGET_RESOURCE, resource, first, self._reached[resource]))
        return 1


def chats_of_resource(database: Database) -> Purge:
    """The purge of chat, for whoever deletes resources beside a server."""
    return Purges(ChatStore(database, lambda: None), ChatLimits()).purge


async def _end(transaction: Transaction, number: int, now_micros: int) -> None:
    held = await hold_numbered_thread(transaction, number, now_micros)
    if held is not None and held.deleted_millis is None:
        await end_thread(held, "")


async def _empty(transaction: Transaction, number: int) -> int:
    """Nobody writes to a deleted thread, so its row need not be held."""
    gone = len(await transaction.execute(_DELETE_MESSAGES, number, ROWS_IN_ONE_PIECE))
    if not gone:
        # Its topic is listed with the day of its deletion, for as long as it is listed.
        await transaction.execute(
            "update threads set emptied = 1, bytes = 0, metadata = null where number = $1", number
        )
    return gone


async def _forget(transaction: Transaction, sql: str, resource: int) -> int:
    return len(await transaction.execute(sql, resource))


async def _take_apart(transaction: Transaction, number: int, most: int) -> int:
    """Messages, participants and restrictions, at last the thread itself, as long as nobody can add to it."""
    if not await transaction.lock(Lock("threads", "number = $1", (number,))):
        return 0
    for sql in (_DELETE_MESSAGES, _DELETE_PARTICIPANTS):
        gone = len(await transaction.execute(sql, number, most))
        if gone:
            return gone
    if await transaction.has_table("restrictions"):
        if gone := await drop_restrictions(transaction, _OF_THREAD, number, most):
            return gone
        await transaction.execute("delete from history_imports where thread = $1", number)
    return len(await transaction.execute("delete from threads where number = $1 returning 1", number))


_ENDED = """
    (resource, subject, thread) in (
        select resource, subject, thread from restrictions where until_millis <= $1 order by until_millis limit $2
    ) and until_millis <= $1
"""
_OF_THREAD = """
    (resource, subject, thread) in (
        select resource, subject, thread from restrictions where thread = $1 and thread > 0 order by subject limit $2
    )
"""
_OF_RESOURCE = """
    (resource, subject, thread) in (
        select resource, subject, thread from restrictions where resource = $1 order by subject, thread limit $2
    )
"""
_DUE = """
    select number from threads where deleted_millis is null and retention_days is not null
    and created_millis + retention_days * 86400000 <= $1
    order by created_millis + retention_days * 86400000 limit $2
"""
_OLD = """
    select number from threads where deleted_millis is null and created_millis <= $1 order by created_millis limit $2
"""
_TO_EMPTY = """
    select number from threads where emptied = 0 and deleted_millis is not null order by deleted_millis limit $1
"""
_TO_FORGET = """
    select number from threads where emptied = 1 and deleted_millis is not null and deleted_millis <= $1
    order by deleted_millis limit $2
"""
_OLD_REQUESTS = """
    select number from threads where request is not null and created_millis <= $1 order by created_millis limit $2
"""
_FORGET_REQUEST = "update threads set request = null where number = $1"
_FORGET_DEPARTURES = "delete from departures where resource = $1 returning 1"
_FORGET_IMPORTS = "delete from history_imports where resource = $1 returning 1"
_ANY_THREAD = "select number from threads where resource = $1 order by number limit 1"
_DELETE_MESSAGES = """
    delete from messages where thread = $1 and id in (
        select id from messages where thread = $1 order by id limit $2
    ) returning 1
"""
_DELETE_PARTICIPANTS = """
    delete from participants where thread = $1 and subject in (
        select subject from participants where thread = $1 order by subject limit $2
    ) returning 1
"""
