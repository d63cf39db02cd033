"""The messages of somebody's own, which nobody else edits or deletes."""

from __future__ import annotations

from watchword.chat.held_thread import HeldThread
from watchword.chat.message import Message, read_message, require_own
from watchword.chat.reading_statements import MESSAGE_COLUMNS, visible
from watchword.chat.restrictions import require_writer
from watchword.errors.chat import MessageNotFound


async def hold_own(held: HeldThread, subject: str, id: int, *, has_restrictions: bool) -> Message:
    """A message of who may write in the thread; it may be deleted.

    Raises:
        ThreadNotFound, NotAParticipant, ThreadFrozen, Restricted: as `require_writer`.
        MessageNotFound: it is not there, or before the history of who asks.
        NotTheSender: another's, or a system message.
    """
    await require_writer(held, subject, has_restrictions=has_restrictions)
    rows = await held.transaction.execute(_FIND_OWN, held.number, id, subject)
    if not rows:
        raise MessageNotFound
    found = read_message(rows[0])
    require_own(found, subject)
    return found


_FIND_OWN = f"""
    select {", ".join(f"m.{column}" for column in MESSAGE_COLUMNS.split(", "))} from messages m
    join participants p on p.thread = m.thread and p.subject = $3
    where m.thread = $1 and m.id = $2 and {visible(message="m", participant="p")}
"""  # noqa: S608
