"""Who is leaving chat for good, because an identity was deleted: from every thread, with what was written.

The row of `departures` is written by the deletion itself, see the schema. What follows is done in small pieces, each a
transaction that says how far it came; so whatever ends a process in the middle, the next one goes on from there:

    1  the user leaves every thread, as by their own wish; from then on they write nothing
    2  thread by thread, their messages become tombstones, and the row that said they took part goes
    3  what muted or banned them goes
    4  the row of `departures` goes
"""

from __future__ import annotations

from functools import partial

from watchword.chat.held_thread import Standing, hold_numbered_thread, take_out
from watchword.chat.messages import bury
from watchword.chat.restrictions import drop_restrictions
from watchword.chat.storable import utf8_bytes
from watchword.chat.store import ChatStore
from watchword.storage import Row, Transaction

MESSAGES_IN_ONE_PIECE = 200
LOOKED_AT_IN_ONE_PIECE = 2_000
THREADS_AT_ONCE = 50

_GONE = -1
"""As `listed_millis`: has left, and is only there so that the messages are found."""


class Departures:
    """Finishes what deletions began, by whichever process and release."""

    def __init__(self, store: ChatStore) -> None:
        self._store = store

    async def waiting(self) -> list[Row]:
        """Number of the resource and subject of some who are leaving; an empty subject is the whole resource."""
        return await self._store.query("select resource, subject from departures order by resource, subject limit 100")

    async def finish(self, resource: int, subject: str, now_micros: int) -> None:
        """The user is in no thread any more, and no message of theirs says anything."""
        while numbers := await self._threads(_JOINED, resource, subject):
            for number in numbers:
                await self._store.change(partial(_leave, number=number, subject=subject, now_micros=now_micros))
        while numbers := await self._threads(_LEFT, resource, subject):
            for number in numbers:
                bury_some = partial(
                    _bury_some, resource=resource, subject=subject, number=number, now_micros=now_micros
                )
                while not await self._store.change(bury_some):
                    pass
        drops = await self._store.has_trusted_tables()
        while not await self._store.change(partial(_end, resource=resource, subject=subject, drops=drops)):
            pass

    async def _threads(self, sql: str, resource: int, subject: str) -> list[int]:
        rows = await self._store.query(sql, resource, subject, THREADS_AT_ONCE)
        return [number for (number,) in rows]


async def _leave(transaction: Transaction, *, number: int, subject: str, now_micros: int) -> None:
    held = await hold_numbered_thread(transaction, number, now_micros)
    found = await transaction.execute(_STANDING, number, subject)
    if held is not None and found:
        standing = Standing(*found[0])
        if standing.removed_millis is None and held.deleted_millis is None:
            await take_out(held, subject, standing, initiator=subject)
            await held.save()
    await transaction.execute(_LEAVE, number, subject, _GONE)


async def _bury_some(transaction: Transaction, *, resource: int, subject: str, number: int, now_micros: int) -> bool:
    """Whether no message is left in this thread that says anything; then the user's row there is gone, too."""
    held = await hold_numbered_thread(transaction, number, now_micros)
    [(thread, reached)] = await transaction.execute(_REACHED, resource, subject) or [(number, 0)]
    if thread != number:
        reached = 0
    # Of a deleted thread every message goes by itself; not so of one that is still being brought in (0).
    is_alive = held is not None and not held.deleted_millis
    rows = await transaction.execute(_LOOK, number, reached, LOOKED_AT_IN_ONE_PIECE) if is_alive else []
    buried = 0
    for id, sender, kind, deleted, content in rows:
        if sender == subject and deleted is None and kind in ("text", "html") and held is not None:
            if buried == MESSAGES_IN_ONE_PIECE:
                break
            await bury(held, id)
            held.bytes -= utf8_bytes(content)
            buried += 1
        reached = id
    else:
        if len(rows) < LOOKED_AT_IN_ONE_PIECE:
            await transaction.execute("delete from participants where thread = $1 and subject = $2", number, subject)
            if held is not None:
                await held.save()
            return True
    await transaction.execute(_REACH, resource, subject, number, reached)
    if held is not None:
        await held.save()
    return False


async def _end(transaction: Transaction, *, resource: int, subject: str, drops: bool) -> bool:
    """Whether nothing is left, the user's restrictions included, where there can be any; then the departure is over."""
    whose = (resource, subject, MESSAGES_IN_ONE_PIECE)
    if drops and await drop_restrictions(transaction, _RESTRICTED, *whose) == MESSAGES_IN_ONE_PIECE:
        return False
    await transaction.execute(_DONE, resource, subject)
    return True


_JOINED = """
    select thread from participants where resource = $1 and subject = $2 and listed_millis >= 0
    order by listed_millis desc, thread desc limit $3
"""
_LEFT = """
    select thread from participants where resource = $1 and subject = $2 and listed_millis < 0
    order by listed_millis desc, thread desc limit $3
"""
_STANDING = "select display_name, history_millis, removed_millis from participants where thread = $1 and subject = $2"
_LEAVE = """
    update participants set listed_millis = $3, display_name = null, metadata = null, read_id = null, read_millis = null
    where thread = $1 and subject = $2
"""
_REACHED = "select thread, reached from departures where resource = $1 and subject = $2"
_REACH = "update departures set thread = $3, reached = $4 where resource = $1 and subject = $2"
_LOOK = """
    select id, sender, kind, deleted_millis, content from messages where thread = $1 and id > $2 order by id limit $3
"""
_RESTRICTED = """
    (resource, subject, thread) in (
        select resource, subject, thread from restrictions where resource = $1 and subject = $2 order by thread limit $3
    )
"""
_DONE = "delete from departures where resource = $1 and subject = $2"
