"""JSON texts and times within the payloads of realtime."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import msgspec

from watchword.clock import to_datetime


class NamedParticipant(Protocol):
    @property
    def subject(self) -> str: ...
    @property
    def display_name(self) -> str: ...
    @property
    def history_millis(self) -> int | None: ...
    @property
    def metadata(self) -> str | None: ...


def json_text(value: Any) -> str:
    """A JSON text within a payload, in which no percent sign stands. Source: chat.md section 8.4."""
    return msgspec.json.encode(value).decode().replace("%", "\\u0025")


def participant_text(found: NamedParticipant) -> dict[str, Any]:
    """Observed: `shareHistoryTime` is a number; the name is always there, for Android stops reading without it."""
    told: dict[str, Any] = {"participantId": f"8:{found.subject}", "displayName": found.display_name}
    if found.history_millis is not None:
        told["shareHistoryTime"] = found.history_millis
    if found.metadata is not None:
        told["memberMetaData"] = found.metadata
    return told


def time_text(millis: int) -> str:
    """`2021-11-04T04:49:10.674Z`."""
    seconds, fraction = divmod(millis, 1_000)
    return f"{_until_seconds(seconds)}.{fraction:03d}Z"


@lru_cache(256)
def _until_seconds(seconds: int) -> str:
    return to_datetime(seconds * 1_000_000).isoformat()[:-6]
