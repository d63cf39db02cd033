"""A history as a file tells it, whoever wrote that: rooms with what was said in them, by users as they are named there.

Nobody is one of ours yet: `as_ours` puts users of this server in the place of theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from watchword.client import HistoryParticipant, HistoryRecord
from watchword.errors import OperatorError

Format = Literal["matrix", "stream", "watchword"]

_MOST_NAMED = 10


@dataclass
class Room:
    """`key` tells it from others of its file; `left_out` counts what is not brought along, by kind."""

    key: str
    topic: str
    records: list[HistoryRecord] = field(default_factory=list)
    participants: dict[str, HistoryParticipant] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    created_by: str | None = None

    def in_order(self) -> Room:
        """The same with its records by time; of one moment as they stood in the file."""
        self.records.sort(key=lambda each: each.created)
        return self

    @property
    def users(self) -> set[str]:
        return {each.sender for each in self.records} | set(self.participants)


def read_json(file: Path, content: bytes) -> Any:
    """What a file holds.

    Raises:
        OperatorError: it is no JSON.
    """
    try:
        return msgspec.json.decode(content)
    except (ValueError, RecursionError):
        raise unreadable(file, "is no JSON") from None


def unreadable(file: Path, what: str) -> OperatorError:
    return OperatorError(f"{file} {what}.", "Name the file as it was exported, and with --from what wrote it.")


def moment(value: object) -> datetime | None:
    """A time of RFC 3339, or in milliseconds since 1970; None where it is neither."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1_000, UTC)
        found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def as_ours(rooms: Iterable[Room], users: Mapping[str, str], others: str | None) -> list[Room]:
    """The same with our users: those of the mapping, those who are ours already, and `others` for all that are left.

    Raises:
        OperatorError: somebody is nobody of ours; it says who.
    """
    found = list(rooms)
    named = {each for room in found for each in room.users} | {each.created_by for each in found if each.created_by}
    ours = {each: users.get(each) or (each if each.startswith("8:") else others) for each in named}
    missing = sorted(each for each, our in ours.items() if our is None)
    if missing:
        shown = ", ".join(missing[:_MOST_NAMED]) + (" ..." if len(missing) > _MOST_NAMED else "")
        raise OperatorError(
            f"{len(missing)} users of the file are nobody here: {shown}.",
            'Name each with --users, in a JSON file such as {"@ada:matrix.org": "8:acs:..."}, or all with --others.',
        )
    return [_with(room, {each: our for each, our in ours.items() if our is not None}) for room in found]


def _with(room: Room, ours: Mapping[str, str]) -> Room:
    participants = {ours[id]: replace(each, id=ours[id]) for id, each in room.participants.items()}
    records = [replace(each, sender=ours[each.sender]) for each in room.records]
    made_by = None if room.created_by is None else ours[room.created_by]
    return replace(room, records=records, participants=participants, created_by=made_by)
