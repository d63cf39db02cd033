"""What the trusted server is told of chats: threads, messages, participants, restrictions and sockets.

Users are named by their ids, such as `8:acs:...`; times are aware datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from watchword.wire import trusted_bodies as bodies
from watchword.wire.trusted_message_bodies import TrustedMessageBody
from watchword.wire.trusted_sockets import SocketBody


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatThread:
    """A thread of the resource. `frozen` is since when only the trusted server writes, and None while everybody may."""

    id: str
    topic: str
    created: datetime
    created_by: str
    participant_count: int
    message_count: int
    content_bytes: int
    last_message: datetime | None
    frozen: datetime | None
    retention_days: int | None
    metadata: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """A text with its `content`, or what the system says, which has a `topic` or `users`; `sender` is who caused it."""

    id: str
    type: str
    sequence: int
    version: str
    sender: str
    sender_name: str
    content: str
    topic: str | None
    users: tuple[str, ...]
    metadata: Mapping[str, str] | None
    created: datetime
    edited: datetime | None
    deleted: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatParticipant:
    """Who is in a thread, or was until `removed`; sees messages from `since` on."""

    user: str
    display_name: str | None = None
    since: datetime | None = None
    metadata: Mapping[str, str] | None = None
    removed: datetime | None = None
    read_message: str | None = None
    read: datetime | None = None


@dataclass(frozen=True, slots=True)
class Restriction:
    """How a user is muted or banned: in a thread, or in the whole resource where `thread` is None; until it is lifted
    where `until` is None.
    """

    user: str
    kind: Literal["mute", "ban"]
    thread: str | None
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ChatSocket:
    """A client that hears of chats at once; `id` is the endpoint id that it chose."""

    id: str
    seen: datetime


def thread_of(body: bodies.TrustedThreadBody) -> ChatThread:
    return ChatThread(
        id=body.id,
        topic=body.topic,
        created=_time(body.createdOn),
        created_by=body.createdBy,
        participant_count=body.participantCount,
        message_count=body.messageCount,
        content_bytes=body.contentBytes,
        last_message=_moment(body.lastMessageOn),
        frozen=_moment(body.frozenOn),
        retention_days=body.retentionDays,
        metadata=body.metadata,
    )


def message_of(body: TrustedMessageBody) -> ChatMessage:
    return ChatMessage(
        id=body.id,
        type=body.type,
        sequence=int(body.sequenceId),
        version=body.version,
        sender=body.sender,
        sender_name=body.senderDisplayName or "",
        content=body.content or "",
        topic=body.topic,
        users=tuple(each.user for each in body.participants or ()),
        metadata=body.metadata,
        created=_time(body.createdOn),
        edited=_moment(body.editedOn),
        deleted=_moment(body.deletedOn),
    )


def participant_of(body: bodies.TrustedParticipantBody) -> ChatParticipant:
    return ChatParticipant(
        user=body.user,
        display_name=body.displayName,
        since=_time(body.shareHistoryTime),
        metadata=body.metadata,
        removed=_moment(body.removedOn),
        read_message=body.readMessageId,
        read=_moment(body.readOn),
    )


def restriction_of(body: bodies.RestrictionBody) -> Restriction:
    return Restriction(body.user, body.kind, body.chatThreadId, _time(body.since), _moment(body.until))


def socket_of(body: SocketBody) -> ChatSocket:
    return ChatSocket(body.id, _time(body.seenOn))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else _time(text)
