"""The bodies by which the trusted server reads and sends messages. Users are named by their raw ids, `8:acs:...`.

A member that has no value is left out, and never null.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

import msgspec

from watchword.errors import MissingField
from watchword.wire.chat_shown import ShownMessage
from watchword.wire.chat_values import format_millis
from watchword.wire.request_bodies import Reader, RequestBody
from watchword.wire.trusted_bodies import Time

# A rule says in words of its own what is wrong with a value; here it only stands in the schema.
_SomeText: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"minLength": 1})]
_MessageType: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"enum": ["text", "html"]})]


class NamedParticipantBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Who was added or removed.

    {"user": "8:acs:...", "displayName": "Bob", "shareHistoryTime": "1970-01-01T00:00:00Z"}
    """

    user: str
    displayName: str | None = None
    shareHistoryTime: Time


class TrustedMessageBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A text with its `content`, or what the system says with its `topic` or `participants`; `sender` is who caused it.

    {"id": "1749594023041", "type": "text", "sequenceId": "9", "version": "1749594029336", "sender": "8:acs:...",
     "senderDisplayName": "Bob", "content": "Come over", "createdOn": "2026-06-10T22:20:23Z"}

    What was deleted has `deletedOn`, and an empty text; what was redacted no name either.
    """

    id: str
    type: str
    sequenceId: str
    version: str
    sender: str
    senderDisplayName: str | None = None
    content: str | None = None
    topic: str | None = None
    participants: list[NamedParticipantBody] | None = None
    metadata: dict[str, str] | None = None
    createdOn: Time
    editedOn: Time | None = None
    deletedOn: Time | None = None


class TrustedMessagePage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"value": [...], "nextLink": "https://..."}`"""

    value: list[TrustedMessageBody]
    nextLink: str | None = None


class SendTrustedMessageRequest(RequestBody, frozen=True, kw_only=True):
    """`{"content": "Closed from noon on", "senderDisplayName": "The house", "type": "text", "metadata": {...}}`"""

    content: _SomeText
    senderDisplayName: _SomeText
    type: _MessageType | None = None
    metadata: dict[str, str] | None = None


def read_message(body: bytes) -> SendTrustedMessageRequest:
    """Read the body of a request.

    Raises:
        MalformedBody: not JSON, a member of the wrong type, or one that is not there.
        MissingField: the name is empty.
    """
    asked: SendTrustedMessageRequest = _send.read(body)
    if not asked.senderDisplayName:
        raise MissingField("senderDisplayName")
    return asked


def shown_message(found: ShownMessage) -> TrustedMessageBody:
    return TrustedMessageBody(**message_members(found, format_millis))


def message_members(found: ShownMessage, time: Callable[[int], str]) -> dict[str, Any]:
    """The members of a message, by name; `time` spells milliseconds since 1970."""
    members: dict[str, Any] = {
        "id": str(found.id),
        "type": found.kind,
        "sequenceId": str(found.sequence),
        "version": str(found.version),
        "sender": f"8:{found.sender}",
        "createdOn": time(found.id),
        "editedOn": None if found.edited_millis is None else time(found.edited_millis),
        "deletedOn": None if found.deleted_millis is None else time(found.deleted_millis),
    }
    if found.kind in ("text", "html"):
        metadata = dict(found.metadata) if found.metadata else None
        return members | {"content": found.content, "senderDisplayName": found.sender_name, "metadata": metadata}
    if found.kind == "topicUpdated":
        return members | {"topic": found.content}
    named = [
        NamedParticipantBody(
            user=f"8:{each.subject}", displayName=each.display_name, shareHistoryTime=time(each.history_millis)
        )
        for each in found.participants
    ]
    return members | {"participants": named}


_send = Reader(SendTrustedMessageRequest)
