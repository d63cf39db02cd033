"""The words for what is found where a history is brought in; everything else is worded as in chat."""

from __future__ import annotations

from watchword.errors import CallerError, InternalFault, Unavailable
from watchword.errors import imports as found
from watchword.wire.chat_errors import ChatError
from watchword.wire.chat_errors import describe as describe_chat
from watchword.wire.errors import WireError


def describe(error: CallerError | InternalFault | Unavailable) -> WireError:
    """What a caller who brings a history in is told."""
    match error:
        case found.MalformedImportId():
            said = "The id of an import has 1 to 64 letters, digits, dots, hyphens and underscores."
            return ChatError(400, "BadRequest", said, "importId")
        case found.ImportNotFound():
            said = "The resource has no import of this id, or it was given up: begin it with PUT."
            return ChatError(404, "NotFound", said)
        case found.ImportFinished():
            said = "The import is finished; its thread is one like all others now."
            return ChatError(409, "Conflict", said)
        case found.ThreadTaken():
            said = "A thread of this id is there already, and a thread that has messages takes no history."
            return ChatError(409, "Conflict", said, "threadId")
        case found.RecordsMissing(after, reached):
            said = f"These records come after {after}, and only {reached} are in: go on from there."
            return ChatError(409, "Conflict", said, "after")
        case found.TooManyRecords(count, maximum):
            return ChatError(400, "BadRequest", f"A call takes {maximum} records at the most, not {count}.", "records")
        case found.InvalidMoment(reason):
            return ChatError(400, "BadRequest", reason, "createdOn")
        case found.HistoryTooOld(days):
            said = f"Threads are deleted after {days} days, and this one would be older than that."
            return ChatError(400, "BadRequest", said, "deleteThreadAfterDays")
        case found.RecordRefused(number, reason):
            return _of_record(number, describe(reason))
        case _:
            return describe_chat(error)


def _of_record(number: int, reason: WireError) -> WireError:
    """The same of the record that it is about, counted from the beginning of the history."""
    where = f"Record {number}: "
    logged = where + reason.logged if reason.logged else ""
    return ChatError(reason.status, reason.code, where + reason.message, reason.target, logged=logged)
