"""The records of a history that is brought in: what each becomes, and which numbers it is given.

A message's id is when it was written, in milliseconds; two of one millisecond are moved on by one. Its version is its
id, or when it was edited or deleted, moved on likewise: no two messages of a thread have the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watchword.chat.contents import read_kind, stored_content
from watchword.chat.limits import ChatLimits
from watchword.chat.message import Kind
from watchword.chat.metadata import stored_metadata
from watchword.chat.storable import require_display_name, utf8_bytes
from watchword.chat.users import NamedUser, read_user
from watchword.errors import CallerError
from watchword.errors.imports import InvalidMoment, RecordRefused

MESSAGE_COLUMNS = (
    *("thread", "id", "version", "sequence", "kind", "sender", "sender_name", "content", "metadata"),
    *("edited_millis", "deleted_millis", "key"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A message as it was written elsewhere, by `sender`, such as `8:acs:...`, who need not be there any more."""

    sender: str
    content: str
    created_millis: int
    type: str | None = None
    sender_name: str | None = None
    metadata: Mapping[str, str] | None = None
    edited_millis: int | None = None
    deleted_millis: int | None = None


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record that can be stored; of one that was deleted, the shell."""

    sender: NamedUser
    kind: Kind
    sender_name: str
    content: str
    metadata: str | None
    created_millis: int
    edited_millis: int | None
    deleted_millis: int | None

    @property
    def changed_millis(self) -> int | None:
        return self.deleted_millis or self.edited_millis

    @property
    def bytes(self) -> int:
        return utf8_bytes(self.content)


def read_records(records: Sequence[Record], limits: ChatLimits, *, after: int, now_millis: int) -> list[ReadRecord]:
    """Make of each what is stored; html is sanitised, whoever did so before.

    Raises:
        RecordRefused: one of them is not within the limits, or of no user, or in the wrong order; it says which.
    """
    read: list[ReadRecord] = []
    for number, record in enumerate(records, after + 1):
        try:
            one = _read(record, limits, now_millis)
            if read:
                require_order(read[-1].created_millis, one)
        except CallerError as error:
            raise RecordRefused(number, error) from None
        read.append(one)
    return read


def require_order(before_millis: int, record: ReadRecord) -> None:
    """Let a record pass that was not written before the one before it.

    Raises:
        InvalidMoment: it was.
    """
    if record.created_millis < before_millis:
        raise InvalidMoment("It was written before the record before it: sort them by createdOn.")


class Numbers:
    """Draws ids and versions, each higher than that of the message before. `taken` are versions above `last`."""

    def __init__(self, last: int, taken: Iterable[int]) -> None:
        self.last = last
        self._taken = set(taken)

    def draw(self, record: ReadRecord) -> tuple[int, int]:
        """The id and the version of the next message."""
        id = self._free(max(record.created_millis, self.last + 1))
        self.last = id
        changed = record.changed_millis
        version = id if changed is None else self._free(max(changed, id))
        self._taken.add(version)
        return id, version

    def _free(self, version: int) -> int:
        while version in self._taken:
            version += 1
        return version


def rows(
    thread: int, sequence: int, records: Sequence[ReadRecord], *, numbers: Numbers, keys: Iterator[bytes]
) -> list[tuple[Any, ...]]:
    """What is stored, by `MESSAGE_COLUMNS`; `sequence` is that of the newest message before."""
    made = []
    for place, record in enumerate(records, sequence + 1):
        id, version = numbers.draw(record)
        made.append(
            (
                thread,
                id,
                version,
                place,
                record.kind,
                record.sender.subject,
                record.sender_name,
                record.content,
                record.metadata,
                record.edited_millis,
                record.deleted_millis,
                next(keys),
            )
        )
    return made


def _read(record: Record, limits: ChatLimits, now_millis: int) -> ReadRecord:
    kind = read_kind(record.type)
    created, edited, deleted = record.created_millis, record.edited_millis, record.deleted_millis
    for moment in (created, edited, deleted):
        if moment is not None and not created <= moment <= now_millis:
            raise InvalidMoment("Its times are from 1970 until now, and it was changed after it was written.")
    if created < 1:
        raise InvalidMoment("Its times are from 1970 until now, and it was changed after it was written.")
    name = require_display_name(record.sender_name) or ""
    if deleted is not None:
        return ReadRecord(read_user(record.sender), kind, name, "", None, created, None, deleted)
    content = stored_content(record.content, kind, limits)
    metadata = stored_metadata(record.metadata, "message", limits.metadata_bytes)
    return ReadRecord(read_user(record.sender), kind, name, content, metadata, created, edited, None)
