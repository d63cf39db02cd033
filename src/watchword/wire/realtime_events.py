"""The ten payloads of realtime, with exactly the members that the parsers of all clients need.

A push is the frame of one payload for one recipient. The payload is spelled once, with a place for the recipient at its
end; of the frame, only the push's number, the connection's path and the recipient differ from one to the next:

    3:::{"id":7,"method":"POST","url":"/v4/f/<ccid>/chatMessageReceived","headers":{...},"body":"{...}"}

Texts that are JSON themselves are read by browsers after an `unescape()`, and by phones without: each `%` in them is
written as \\u0025, so that neither sees a percent sign before it reads the JSON. Source: chat.md sections 8.3, 8.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from watchword.wire.realtime_texts import json_text, participant_text, time_text

RECEIVED, EDITED, DELETED, TYPING, READ = 200, 247, 248, 245, 246
CREATED, UPDATED, ENDED, ADDED, REMOVED = 257, 258, 259, 260, 261

NAMES = {
    RECEIVED: "chatMessageReceived",
    TYPING: "typingIndicatorReceived",
    READ: "readReceiptReceived",
    EDITED: "chatMessageEdited",
    DELETED: "chatMessageDeleted",
    CREATED: "chatThreadCreated",
    UPDATED: "chatThreadPropertiesUpdated",
    ENDED: "chatThreadDeleted",
    ADDED: "participantsAdded",
    REMOVED: "participantsRemoved",
}
"""By these the pushes' paths end: phones have one listener for each."""


@dataclass(frozen=True, slots=True)
class Push:
    """A payload, spelled for whoever hears of it; `recipient` is a name in tokens, without its `8:`."""

    before: bytes
    names_recipient_twice: bool

    def frame(self, id: int, connection: bytes, recipient: bytes) -> bytes:
        """`connection` is the path of the allocated address, such as `/v4/f/Q0du9A4hdNg/`."""
        told = b'8:%b\\",\\"recipientMri\\":\\"8:%b' % (recipient, recipient) if self.names_recipient_twice else (
            b"8:" + recipient
        )  # fmt: skip
        return b'3:::{"id":%d,"method":"POST","url":"%b%b%b\\"}"}' % (id, connection, self.before, told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Whom an event names."""

    subject: str
    display_name: str = ""
    history_millis: int | None = None
    metadata: str | None = None
    """A JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """What is told of a thread; `metadata` is a JSON text."""

    topic: str
    metadata: str | None = None
    retention_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """A message that was sent, edited or deleted; of what was deleted there is no content."""

    id: str
    version: str
    sender: str
    sender_name: str
    is_html: bool
    created_millis: int
    content: str = ""
    metadata: str | None = None
    changed_millis: int = 0


def message_pushed(event: int, thread: str, facts: MessageFacts, *, transaction: str) -> Push:
    """200, 247 or 248."""
    members: dict[str, Any] = {
        "messageId": facts.id,
        "senderDisplayName": facts.sender_name,
        "messageType": "RichText/Html" if facts.is_html else "Text",
        "version": facts.version,
        "originalArrivalTime": time_text(facts.created_millis),
        "clientMessageId": "",
    }
    if event != DELETED:
        members |= {
            "messageBody": facts.content,
            "priority": "",
            "acsChatMessageMetadata": facts.metadata or "{}",
            "attachments": "[]",
        }
    if event != RECEIVED:
        changed = time_text(facts.changed_millis)
        members |= {"composetime": time_text(facts.created_millis)}
        members |= {"edittime": changed} if event == EDITED else {"deletetime": changed}
    return _of_message(event, thread, facts.sender, transaction=transaction, members=members)


def typing_pushed(thread: str, sender: str, *, name: str, millis: int, transaction: str) -> Push:
    members = {
        "messageId": "",
        "senderDisplayName": name,
        "messageType": "Control/Typing",
        "version": str(millis),
        "originalArrivalTime": time_text(millis),
        "clientMessageId": "",
    }
    return _of_message(TYPING, thread, sender, transaction=transaction, members=members)


def receipt_pushed(thread: str, reader: str, *, message: str, read_millis: int, transaction: str) -> Push:
    body = {
        "user": f"8:{reader}",
        "consumptionhorizon": f"{message};{read_millis};0",
        "messageVisibilityTime": read_millis,
        "version": str(read_millis),
    }
    members = {
        "messageId": message,
        "senderDisplayName": "",
        "messageType": "ThreadActivity/MemberConsumptionHorizonUpdate",
        "messageBody": json_text(body),
        "clientMessageId": "0",
    }
    return _of_message(READ, thread, reader, transaction=transaction, members=members)


def thread_created(
    thread: str,
    by: Participant,
    members: Sequence[Participant],
    *,
    properties: Properties,
    millis: int,
    version: str,
    transaction: str,
) -> Push:
    told = {
        "createdBy": json_text(participant_text(by)),
        "members": json_text([participant_text(each) for each in members]),
        "properties": json_text(_properties(properties)),
    }
    return _of_thread(
        CREATED,
        thread,
        by.subject,
        created_millis=millis,
        version=version,
        transaction=transaction,
        members=told,
    )


def thread_updated(
    thread: str,
    by: Participant,
    properties: Properties,
    *,
    millis: int,
    version: str,
    created_millis: int,
    transaction: str,
) -> Push:
    told = {
        "editTime": time_text(millis),
        "editedBy": json_text(participant_text(by)),
        "properties": json_text(_properties(properties)),
    }
    return _of_thread(
        UPDATED,
        thread,
        by.subject,
        created_millis=created_millis,
        version=version,
        transaction=transaction,
        members=told,
    )


def thread_deleted(
    thread: str, by: Participant | None, *, millis: int, version: str, created_millis: int, transaction: str
) -> Push:
    """`by` nobody: by a policy of retention."""
    told = {"deleteTime": time_text(millis), "reason": "deletedByUser" if by else "deletedByPolicy"}
    if by is not None:
        told["deletedBy"] = json_text(participant_text(by))
    return _of_thread(
        ENDED,
        thread,
        by.subject if by else "",
        created_millis=created_millis,
        version=version,
        transaction=transaction,
        members=told,
    )


def participants_changed(
    event: int,
    thread: str,
    *,
    by: Participant,
    whom: Sequence[Participant],
    millis: int,
    version: str,
    created_millis: int,
    transaction: str,
) -> Push:
    """260 or 261."""
    initiator, changed = ("addedBy", "participantsAdded") if event == ADDED else ("removedBy", "participantsRemoved")
    told = {
        "time": time_text(millis),
        initiator: json_text(participant_text(by)),
        changed: json_text([participant_text(each) for each in whom]),
    }
    return _of_thread(
        event,
        thread,
        by.subject,
        created_millis=created_millis,
        version=version,
        transaction=transaction,
        members=told,
    )


def _of_message(event: int, thread: str, sender: str, *, transaction: str, members: dict[str, str]) -> Push:
    payload = {
        "eventId": event,
        "senderId": f"8:{sender}",
        "transactionId": transaction,
        "groupId": thread,
        "collapseId": "",
        **members,
    }
    return _push(event, payload, transaction, names_recipient_twice=True)


def _of_thread(
    event: int,
    thread: str,
    sender: str,
    *,
    created_millis: int,
    version: str,
    transaction: str,
    members: dict[str, str],
) -> Push:
    payload = {
        "eventId": event,
        "senderId": f"8:{sender}" if sender else "",
        "transactionId": transaction,
        "groupId": "",
        "threadId": thread,
        "collapseId": "",
        "threadType": "chat",
        "createTime": time_text(created_millis),
        "version": version,
        **members,
    }
    return _push(event, payload, transaction, names_recipient_twice=False)


def _properties(found: Properties) -> dict[str, str]:
    told = {"topic": found.topic}
    if found.metadata is not None:
        told["acsChatThreadMetadata"] = found.metadata
    if found.retention_days is not None:
        policy = {"retentionPolicyType": "DeleteAfterCreationTime", "executeAfter": f"{found.retention_days}.00:00:00"}
        told["retentionPolicy"] = json_text(policy)
    return told


def _push(event: int, payload: dict[str, Any], transaction: str, *, names_recipient_twice: bool) -> Push:
    # Without the brace at its end, for the recipient comes behind it; and escaped once more, as a text in a text.
    body = msgspec.json.encode(msgspec.json.encode(payload).decode())[1:-1].removesuffix(b"}")
    headers = msgspec.json.encode({"MS-CV": f"{transaction}.0", "trouter-request": "{}"})
    before = b'%b","headers":%b,"body":"%b,\\"recipientId\\":\\"' % (NAMES[event].encode(), headers, body)
    return Push(before, names_recipient_twice)
