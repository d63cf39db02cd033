"""The process that plants bugs in rooms: it spoils their rows in the database itself, as a faulty server would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.history.plan import Plan, RoomBug
from watchword.errors import Unavailable
from watchword.identifiers import random_bytes
from watchword.settings import load_settings
from watchword.storage import Transaction
from watchword.storage.opening import open_database

_PAUSE_SECONDS = 0.05


def spoil(plan: Plan) -> None:
    """Until it is killed."""
    asyncio.run(_spoil(plan))


async def _spoil(plan: Plan) -> None:
    database = await open_database(load_settings(plan.environment), plan.data)
    while True:
        for room in plan.rooms:
            if room.bug in _DEEDS:
                deed, thread = _DEEDS[room.bug], room.thread.rpartition("/")[2]
                with suppress(Unavailable):
                    await database.transact(lambda each, deed=deed, thread=thread: deed(each, thread))  # type: ignore[misc]
        await asyncio.sleep(_PAUSE_SECONDS)


async def _lose(transaction: Transaction, thread: str) -> None:
    """One message in three."""
    await transaction.execute(
        "delete from messages where kind = 'text' and sequence % 3 = 0"
        " and thread = (select number from threads where id = $1)",
        thread,
    )


async def _repeat(transaction: Transaction, thread: str) -> None:
    """The newest message, once more."""
    await transaction.execute("update threads set sequence = sequence + 1, version = version + 1 where id = $1", thread)
    await transaction.execute(
        "insert into messages (thread, id, version, sequence, kind, sender, sender_name, content, key)"
        " select t.number, t.version, t.version, t.sequence, m.kind, m.sender, m.sender_name, m.content, $2"
        " from threads t join messages m on m.thread = t.number where t.id = $1 and m.kind = 'text'"
        " order by m.sequence desc limit 1",
        thread,
        random_bytes(16),
    )


async def _swap(transaction: Transaction, thread: str) -> None:
    """The contents of the two newest messages."""
    rows = await transaction.execute(
        "select m.thread, m.id, m.content, m.sender from threads t join messages m on m.thread = t.number"
        " where t.id = $1 and m.kind = 'text' order by m.sequence desc limit 2",
        thread,
    )
    if len(rows) == 2:
        for (number, id, *_), (_, _, content, sender) in zip(rows, reversed(rows), strict=True):
            await transaction.execute(
                "update messages set content = $3, sender = $4 where thread = $1 and id = $2",
                number,
                id,
                content,
                sender,
            )


async def _undo_removals(transaction: Transaction, thread: str) -> None:
    await transaction.execute(
        "update participants set removed_millis = null where removed_millis is not null"
        " and thread = (select number from threads where id = $1)",
        thread,
    )


_DEEDS: dict[RoomBug, Callable[[Transaction, str], Awaitable[None]]] = {
    "message lost": _lose,
    "message twice": _repeat,
    "messages out of order": _swap,
    "removal undone": _undo_removals,
}
