"""What `doctor` finds out about chat: whether what was deleted is gone, and what happened long ago forgotten."""

from __future__ import annotations

from datetime import timedelta

from watchword.chat.backlog import MOST_COUNTED, Backlog, Waiting
from watchword.chat.rules import limits_of
from watchword.chat.store import ChatStore
from watchword.cli.findings import Finding, ok, warning
from watchword.clock import MachineClock
from watchword.journal.purge import Purge
from watchword.settings import Settings
from watchword.storage import Database

_MUCH_OVERDUE = timedelta(hours=1)
_REMEDY = "A server that runs does it within minutes: start one; if one runs, its log says what keeps it from that."


async def check_chat(database: Database, settings: Settings, clock: MachineClock) -> list[Finding]:
    """Two findings; none where the database has no tables of chat yet."""
    store = ChatStore(database, lambda: None)
    if not await store.has_tables():
        return []
    waiting = await Backlog(store, limits_of(settings), clock).look()
    overdue = await Purge(database, clock, round(settings.journal_kept * 1_000_000)).overdue_seconds()
    return [_of_chat(waiting), _of_journal(timedelta(seconds=round(overdue)))]


def _of_chat(waiting: Waiting) -> Finding:
    if not waiting:
        return ok("chat", "Nothing that was deleted, or is past its retention, waits to go.")
    told = (
        f"Users who were deleted and are still in chats: {_told(waiting.departures)}; deleted threads with messages: "
        f"{_told(waiting.deleted_threads)}; threads past their retention: {_told(waiting.expired_threads)}."
    )
    return warning("chat", told, _REMEDY)


def _of_journal(overdue: timedelta) -> Finding:
    if overdue < _MUCH_OVERDUE:
        return ok("journal", "It holds nothing that should long have gone.")
    return warning("journal", f"Its oldest entry should have gone {overdue} ago.", _REMEDY)


def _told(count: int) -> str:
    return f"{count:,} or more" if count >= MOST_COUNTED else str(count)
