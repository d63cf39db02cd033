"""The bodies that the Chat API answers with. A member that has no value is left out, and never null.

Names and order of members are those of recordings. Times have whole seconds, cut off and not rounded. Observed: chat.md
sections 2.2 to 2.4, 3 to 6.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

_Time: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


class UserIdentifierBody(msgspec.Struct, frozen=True):
    """`{"id": "8:acs:..."}`"""

    id: str


class IdentifierBody(msgspec.Struct, frozen=True):
    """Observed: without `kind`, in every version.

    {"rawId": "8:acs:...", "communicationUser": {"id": "8:acs:..."}}
    """

    rawId: str
    communicationUser: UserIdentifierBody


class RetentionBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"kind": "none"}`, or `{"kind": "threadCreationDate", "deleteThreadAfterDays": 60}`"""

    kind: str
    deleteThreadAfterDays: int | None = None


class MessagingPolicyBody(msgspec.Struct, frozen=True):
    """`{"textOnlyChat": false}`"""

    textOnlyChat: bool


class ThreadBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """`metadata`, `retentionPolicy` and `messagingPolicy` only in the versions that have them.

    {"id": "19:...@thread.v2", "topic": "Lunch", "createdOn": "2025-06-10T22:20:18Z",
     "createdByCommunicationIdentifier": {...}, "metadata": {}, "retentionPolicy": {"kind": "none"}}
    """

    id: str
    topic: str
    createdOn: _Time
    createdByCommunicationIdentifier: IdentifierBody
    metadata: dict[str, str] | None = None
    retentionPolicy: RetentionBody | None = None
    messagingPolicy: MessagingPolicyBody | None = None


class InvalidParticipantBody(msgspec.Struct, frozen=True):
    """`{"target": "8:acs:...", "code": "403", "message": "Permissions check failed"}`; the code is a text."""

    target: str
    code: str
    message: str


class CreatedThreadBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"chatThread": {...}, "invalidParticipants": [...]}`"""

    chatThread: ThreadBody
    invalidParticipants: list[InvalidParticipantBody] | None = None


class ThreadItemBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"id": "19:...@thread.v2", "topic": "Lunch", "lastMessageReceivedOn": "2025-06-10T22:20:21Z"}`"""

    id: str
    topic: str
    deletedOn: _Time | None = None
    lastMessageReceivedOn: _Time | None = None


class ThreadPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"value": [...], "nextLink": "https://..."}`; without `nextLink` it is the last page, as of every list."""

    value: list[ThreadItemBody]
    nextLink: str | None = None


class ParticipantBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`shareHistoryTime` is always there: 1970 means the whole history.

    {"communicationIdentifier": {...}, "displayName": "Bob", "shareHistoryTime": "1970-01-01T00:00:00Z"}
    """

    communicationIdentifier: IdentifierBody
    displayName: str | None = None
    shareHistoryTime: _Time
    metadata: dict[str, str] | None = None


class ParticipantPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"value": [...], "nextLink": "https://..."}`"""

    value: list[ParticipantBody]
    nextLink: str | None = None


class AddedBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{}`, or `{"invalidParticipants": [...]}`"""

    invalidParticipants: list[InvalidParticipantBody] | None = None


class AttachmentBody(msgspec.Struct, frozen=True):
    """No message of ours has one."""

    id: str
    attachmentType: str


class MessageContentBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of a text, of a topic that changed, or of participants that came or went.

    {"message": "Come over", "attachments": []}
    {"topic": "Lunch", "initiatorCommunicationIdentifier": {...}}
    {"participants": [...], "initiatorCommunicationIdentifier": {...}}
    """

    message: str | None = None
    attachments: list[AttachmentBody] | None = None
    topic: str | None = None
    participants: list[ParticipantBody] | None = None
    initiatorCommunicationIdentifier: IdentifierBody | None = None


class MessageBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A text with its sender, or what the system says, which has none; of a deleted one only the shell.

    {"id": "1749594023041", "type": "html", "sequenceId": "9", "version": "1749594029336", "content": {...},
     "senderDisplayName": "", "createdOn": "2025-06-10T22:20:23Z", "senderCommunicationIdentifier": {...},
     "editedOn": "2025-06-10T22:20:29Z", "metadata": {...}}
    """

    id: str
    type: str
    sequenceId: str
    version: str
    content: MessageContentBody
    senderDisplayName: str | None = None
    createdOn: _Time
    senderCommunicationIdentifier: IdentifierBody | None = None
    deletedOn: _Time | None = None
    editedOn: _Time | None = None
    metadata: dict[str, str] | None = None


class MessagePage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"value": [...], "nextLink": "https://..."}`"""

    value: list[MessageBody]
    nextLink: str | None = None


class SentBody(msgspec.Struct, frozen=True):
    """`{"id": "1749594020603"}`"""

    id: str


class ReceiptBody(msgspec.Struct, frozen=True):
    """`{"senderCommunicationIdentifier": {...}, "chatMessageId": "1749594013223", "readOn": "2025-06-10T22:20:13Z"}`"""

    senderCommunicationIdentifier: IdentifierBody
    chatMessageId: str
    readOn: _Time


class ReceiptPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"value": [...], "nextLink": "https://..."}`"""

    value: list[ReceiptBody]
    nextLink: str | None = None
