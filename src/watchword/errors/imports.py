"""What the rules of histories that are brought in find."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.errors.common import CallerError


@dataclass(eq=False)
class MalformedImportId(CallerError):
    """An id chosen for an import that has other characters than it may, or too many."""


@dataclass(eq=False)
class ImportNotFound(CallerError):
    """The resource has no import of this id, or it was given up."""


@dataclass(eq=False)
class ImportFinished(CallerError):
    """Nothing can be added to it, nor can it be given up: its thread is one like all others now."""


@dataclass(eq=False)
class ThreadTaken(CallerError):
    """The thread that a history is to become is there already: a thread that has messages takes none."""


@dataclass(eq=False)
class RecordsMissing(CallerError):
    """Records were sent that come after `after`, and only `reached` are in."""

    after: int
    reached: int


@dataclass(eq=False)
class TooManyRecords(CallerError):
    """There are more of them in one call than it takes."""

    count: int
    maximum: int


@dataclass(eq=False)
class InvalidMoment(CallerError):
    """`reason` is a sentence that says what is wrong with when a record was written, or changed."""

    reason: str


@dataclass(eq=False)
class RecordRefused(CallerError):
    """`number` counts from 1, from the beginning of the history; `reason` is what is wrong with that record."""

    number: int
    reason: CallerError


@dataclass(eq=False)
class HistoryTooOld(CallerError):
    """The thread would be past a retention of `days` from its first record on, and so be deleted at once."""

    days: int
