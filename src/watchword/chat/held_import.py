"""An import of a history as its row says it, held together with its thread; and the end of one that nobody finishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from watchword.chat.held_thread import HeldThread, hold_numbered_thread
from watchword.chat.store import ChatStore
from watchword.errors.imports import ImportFinished, ImportNotFound
from watchword.storage import Row, Transaction

HIDDEN, HIDDEN_SINCE = 2, 0
"""As `emptied` and `deleted_millis` of a thread that is being filled: deleted for everybody, and for no purge."""

GIVEN_UP_SINCE = 1
"""As `deleted_millis` of one that nobody is going to see: it goes as soon as it is empty."""

STALE_MILLIS = timedelta(days=7) // timedelta(milliseconds=1)
"""An import to which nothing came for so long is given up."""

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class HistoryImport:
    """`thread` is the id of what it becomes; `reached` says how many records are in."""

    id: str
    thread: str
    reached: int
    begun_millis: int
    finished_millis: int | None


async def drop_import(transaction: Transaction, number: int) -> None:
    """Give up what is in a thread whose row is held, and the import with it."""
    await transaction.execute(
        "update threads set emptied = 0, deleted_millis = $2 where number = $1", number, GIVEN_UP_SINCE
    )
    await transaction.execute("delete from history_imports where thread = $1", number)


async def hold_import(transaction: Transaction, resource: int, id: str, *, now_micros: int) -> tuple[HeldThread, Row]:
    """The thread of an import, held, and then the row of `FIND_IMPORT`: nobody changes either any more.

    Raises:
        ImportNotFound, ImportFinished: as they say.
    """
    found = await transaction.execute(FIND_IMPORT, resource, id)
    held = await hold_numbered_thread(transaction, found[0][6], now_micros) if found else None
    found = await transaction.execute(FIND_IMPORT, resource, id) if held is not None else []
    if not found or held is None:
        raise ImportNotFound
    if found[0][4] is not None:
        raise ImportFinished
    return held, found[0]


def read_import(row: Row) -> HistoryImport:
    return HistoryImport(*row[:5])


async def drop_stale_imports(store: ChatStore, now_micros: int) -> int:
    """Give up imports to which nothing has come for a week; how many. Call it until it is 0."""
    if not await store.has_trusted_tables():
        return 0
    oldest = now_micros // 1_000 - STALE_MILLIS
    found = await store.query(_STALE, oldest, _AT_ONCE)
    for resource, id in found:
        await store.change(partial(_drop_stale, resource=resource, id=id, oldest=oldest, now_micros=now_micros))
    return len(found)


async def _drop_stale(transaction: Transaction, *, resource: int, id: str, oldest: int, now_micros: int) -> None:
    try:
        held, row = await hold_import(transaction, resource, id, now_micros=now_micros)
    except (ImportFinished, ImportNotFound):
        # Somebody was faster. Where the thread is gone, so is what would be given up.
        await transaction.execute(_FORGET, resource, id)
        return
    if row[7] <= oldest:
        await drop_import(transaction, held.number)


FIND_IMPORT = """
    select i.id, t.id, i.reached, i.begun_millis, i.finished_millis, i.last_millis, i.thread, i.moved_millis
    from history_imports i join threads t on t.number = i.thread where i.resource = $1 and i.id = $2
"""
_STALE = """
    select resource, id from history_imports where finished_millis is null and moved_millis <= $1
    order by moved_millis limit $2
"""
_FORGET = """
    delete from history_imports where resource = $1 and id = $2 and finished_millis is null
    and not exists (select 1 from threads t where t.number = history_imports.thread)
"""
