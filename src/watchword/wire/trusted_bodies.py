"""The bodies by which the trusted server asks and is answered. Users are named by their raw ids, `8:acs:...`.

A member that has no value is left out, and never null. Times are those of chat: whole seconds, cut off.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from watchword.errors import MalformedBody
from watchword.wire.chat_values import parse_millis
from watchword.wire.request_bodies import Reader, RequestBody

Time: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


class TrustedThreadBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`frozenOn` is there while only the trusted server writes; `messageCount` counts what was deleted, too.

    {"id": "19:...@thread.v2", "topic": "Lunch", "createdOn": "2026-06-10T22:20:18Z", "createdBy": "8:acs:...",
     "participantCount": 2, "messageCount": 5, "contentBytes": 210, "lastMessageOn": "2026-06-10T22:20:21Z"}
    """

    id: str
    topic: str
    createdOn: Time
    createdBy: str
    participantCount: int
    messageCount: int
    contentBytes: int
    lastMessageOn: Time | None = None
    frozenOn: Time | None = None
    retentionDays: int | None = None
    metadata: dict[str, str] | None = None


class TrustedThreadPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"value": [...], "nextLink": "https://..."}`; with a filter a page may hold fewer than there was room for."""

    value: list[TrustedThreadBody]
    nextLink: str | None = None


class UpdateTrustedThreadRequest(RequestBody, frozen=True):
    """`{"topic": "Lunch", "frozen": true}`, of which one is enough."""

    topic: str | None = None
    frozen: bool | None = None


class TrustedParticipantBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`removedOn` is there of who was removed or has left; `shareHistoryTime` as in chat.

    {"user": "8:acs:...", "displayName": "Bob", "shareHistoryTime": "1970-01-01T00:00:00Z",
     "readMessageId": "1749594013223", "readOn": "2026-06-10T22:20:13Z"}
    """

    user: str
    displayName: str | None = None
    shareHistoryTime: Time
    metadata: dict[str, str] | None = None
    removedOn: Time | None = None
    readMessageId: str | None = None
    readOn: Time | None = None


class TrustedParticipantPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"value": [...], "nextLink": "https://..."}`"""

    value: list[TrustedParticipantBody]
    nextLink: str | None = None


class TrustedParticipantRequest(RequestBody, frozen=True):
    """`{"user": "8:acs:...", "displayName": "Bob", "shareHistoryTime": "2026-06-10T22:20:13Z", "metadata": {...}}`"""

    user: str
    displayName: str | None = None
    shareHistoryTime: Time | None = None
    metadata: dict[str, str] | None = None


class AddTrustedParticipantsRequest(RequestBody, frozen=True):
    """`{"participants": [{"user": "8:acs:..."}]}`"""

    participants: list[TrustedParticipantRequest]


class RemoveTrustedParticipantRequest(RequestBody, frozen=True):
    """`{"user": "8:acs:..."}`"""

    user: str


class RestrictionRequest(RequestBody, frozen=True):
    """`{"kind": "mute", "until": "2026-12-24T18:00:00Z"}`, or `{"kind": "ban"}`, which has no end."""

    kind: Literal["mute", "ban"]
    until: Time | None = None


class RestrictionBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A restriction; one without `chatThreadId` is in the whole resource.

    {"user": "8:acs:...", "kind": "mute", "chatThreadId": "19:...@thread.v2", "since": "2026-12-24T17:00:00Z",
     "until": "2026-12-24T18:00:00Z"}
    """

    user: str
    kind: Literal["mute", "ban"]
    chatThreadId: str | None = None
    since: Time
    until: Time | None = None


class RestrictionPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"value": [...], "nextLink": "https://..."}`"""

    value: list[RestrictionBody]
    nextLink: str | None = None


_update = Reader(UpdateTrustedThreadRequest)
_restriction = Reader(RestrictionRequest)
_added = Reader(AddTrustedParticipantsRequest)
_removed = Reader(RemoveTrustedParticipantRequest)


def read_thread_update(body: bytes) -> UpdateTrustedThreadRequest:
    """Read the body of a request.

    Raises:
        MalformedBody: not JSON, a member of the wrong type, or nothing that is to be changed.
    """
    asked: UpdateTrustedThreadRequest = _update.read(body)
    if asked.topic is None and asked.frozen is None:
        raise MalformedBody("Expected topic or frozen")
    return asked


def read_added(body: bytes) -> list[tuple[TrustedParticipantRequest, int]]:
    """Each with the time from which on the history is shared, in milliseconds since 1970; 0 is the whole.

    Raises:
        MalformedBody: not JSON, a member of the wrong type or missing, or no time.
    """
    asked: AddTrustedParticipantsRequest = _added.read(body)
    return [(each, max(0, _millis(each.shareHistoryTime, "shareHistoryTime") or 0)) for each in asked.participants]


def read_removed(body: bytes) -> str:
    """The raw id.

    Raises:
        MalformedBody: not JSON, or no user.
    """
    asked: RemoveTrustedParticipantRequest = _removed.read(body)
    return asked.user


def read_restriction(body: bytes) -> tuple[Literal["mute", "ban"], int | None]:
    """The kind, and the end in milliseconds since 1970.

    Raises:
        MalformedBody: not JSON, a member of the wrong type, no kind, or no time.
    """
    asked: RestrictionRequest = _restriction.read(body)
    return asked.kind, _millis(asked.until, "until")


def _millis(text: str | None, field: str) -> int | None:
    if text is None:
        return None
    millis = parse_millis(text)
    if millis is None:
        raise MalformedBody("Expected a time such as 2026-12-24T18:00:00Z", field)
    return millis
