"""Exports of chat, as data: JSON lines, each with the `kind` of what it is; a page at a time.

    {"kind":"thread","id":"19:...@thread.v2","topic":"Lunch","createdOn":"2026-06-10T22:20:18.104Z","createdBy":"8:acs:..."}
    {"kind":"participant","thread":"19:...","user":"8:acs:...","shareHistoryTime":"1970-01-01T00:00:00.000Z"}
    {"kind":"message","id":"1749594023041","type":"text",...,"thread":"19:..."}
    {"kind":"receipt","thread":"19:...","user":"8:acs:...","messageId":"1749594013223","readOn":"2026-06-10T22:20:13.500Z"}
    {"kind":"registration","id":"b7b9...","seenOn":"2026-06-10T22:20:13.500Z"}
    {"kind":"restriction","user":"8:acs:...","restriction":"mute","thread":"19:...","since":"2026-06-10T22:20:13.500Z"}

Where something follows, the header `Link: <https://...>; rel="next"` leads there (RFC 8288). Times have milliseconds:
nothing is lost by which one message could be told from another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

import msgspec

from watchword.wire.chat_shown import ShownMessage, ShownParticipant, ShownReceipt, ShownThread
from watchword.wire.operations import Body
from watchword.wire.realtime_texts import time_text
from watchword.wire.trusted import THREAD, own_operation, page_parameters
from watchword.wire.trusted_bodies import Time
from watchword.wire.trusted_message_bodies import TrustedMessageBody, message_members

JSON_LINES = "application/x-ndjson"
DEFAULT_ROWS = 200


class _Record(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind"):
    """What all have in common."""


class ThreadRecord(_Record, frozen=True, kw_only=True, tag="thread"):
    """`deletedOn` is there of one that is still listed for its members."""

    id: str
    topic: str
    createdOn: Time
    createdBy: str
    metadata: dict[str, str] | None = None
    retentionDays: int | None = None
    deletedOn: Time | None = None


class ParticipantRecord(_Record, frozen=True, kw_only=True, tag="participant"):
    """`removedOn` is there of who was removed or has left."""

    thread: str
    user: str
    displayName: str | None = None
    shareHistoryTime: Time
    metadata: dict[str, str] | None = None
    removedOn: Time | None = None


class MessageRecord(TrustedMessageBody, frozen=True, kw_only=True, tag_field="kind", tag="message"):
    """A message as the trusted server reads it, and its thread."""

    thread: str


class ReceiptRecord(_Record, frozen=True, kw_only=True, tag="receipt"):
    """The newest message that a user has read."""

    thread: str
    user: str
    messageId: str
    readOn: Time


class RegistrationRecord(_Record, frozen=True, kw_only=True, tag="registration"):
    """A client of the user that hears of chats at once."""

    id: str
    seenOn: Time


class RestrictionRecord(_Record, frozen=True, kw_only=True, tag="restriction"):
    """What mutes or bans the user; without `thread` in the whole resource, without `until` until it is lifted."""

    user: str
    restriction: Literal["mute", "ban"]
    thread: str | None = None
    since: Time
    until: Time | None = None


AnyRecord: TypeAlias = (
    ThreadRecord | ParticipantRecord | MessageRecord | ReceiptRecord | RegistrationRecord | RestrictionRecord
)

EXPORT_THREAD = own_operation(
    "Watchword_ExportThread", "GET", f"{THREAD}/export", success=200,
    summary="Export a thread as JSON lines: its participants, messages and read receipts.",
    gives=(Body(str, media_type=JSON_LINES),), parameters=page_parameters(DEFAULT_ROWS),
)  # fmt: skip
EXPORT_USER = own_operation(
    "Watchword_ExportUser", "GET", "/trusted/users/{userId}/export", success=200,
    summary="Export what is kept of a user's chats as JSON lines: threads, messages, receipts, clients, restrictions.",
    gives=(Body(str, media_type=JSON_LINES),), parameters=page_parameters(DEFAULT_ROWS),
)  # fmt: skip


def thread_record(found: ShownThread, deleted_millis: int | None) -> ThreadRecord:
    return ThreadRecord(
        id=found.id,
        topic=found.topic,
        createdOn=time_text(found.created_millis),
        createdBy=f"8:{found.created_by}",
        metadata=_metadata(found.metadata),
        retentionDays=found.retention_days,
        deletedOn=None if deleted_millis is None else time_text(deleted_millis),
    )


def participant_record(found: ShownParticipant, thread: str, removed_millis: int | None) -> ParticipantRecord:
    return ParticipantRecord(
        thread=thread,
        user=f"8:{found.subject}",
        displayName=found.display_name,
        shareHistoryTime=time_text(found.history_millis),
        metadata=_metadata(found.metadata),
        removedOn=None if removed_millis is None else time_text(removed_millis),
    )


def message_record(found: ShownMessage, thread: str) -> MessageRecord:
    return MessageRecord(thread=thread, **message_members(found, time_text))


def receipt_record(found: ShownReceipt, thread: str) -> ReceiptRecord:
    return ReceiptRecord(
        thread=thread, user=f"8:{found.subject}", messageId=str(found.message_id), readOn=time_text(found.read_millis)
    )


def write_lines(records: Iterable[AnyRecord]) -> bytes:
    """Each ends its line."""
    return msgspec.json.Encoder().encode_lines(list(records))


def _metadata(found: Mapping[str, str] | None) -> dict[str, str] | None:
    return dict(found) if found else None
