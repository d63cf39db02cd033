"""The bodies that clients of the Chat API send, each api-version's own.

Every member may be null, which means that it is absent. Observed: chat.md section 2.2, .NET sends `"type": null`. What
is wrong beyond a member's type is a rule's to say, in words of its own; here it only stands in the schema.

Source: chat.md sections 2.4, 3 to 6; the published document of each version.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec

from watchword.wire.request_bodies import RequestBody


def _shown(**schema: Any) -> msgspec.Meta:
    """What the schema shows and decoding leaves to the rules, whose errors have words of their own."""
    return msgspec.Meta(extra_json_schema=schema)


_Time: TypeAlias = Annotated[str, _shown(format="date-time")]
_Days: TypeAlias = Annotated[int, _shown(format="int32", minimum=30, maximum=90)]
_MessageType: TypeAlias = Annotated[str, _shown(enum=["text", "html"])]
_Policy: TypeAlias = Annotated[str, _shown(enum=["none", "threadCreationDate"])]
Metadata: TypeAlias = dict[str, str | None]
"""In a merge patch null removes a key; elsewhere it means that the key is absent."""


class UserIdentifier(RequestBody, frozen=True):
    """`{"id": "8:acs:..."}`"""

    id: str | None = None


class TeamsUserIdentifier(RequestBody, frozen=True):
    """`{"userId": "<guid>", "isAnonymous": false, "cloud": "public"}`"""

    userId: str | None = None
    isAnonymous: bool | None = None
    cloud: str | None = None


class PhoneIdentifier(RequestBody, frozen=True):
    """`{"value": "+15551234567"}`"""

    value: str | None = None


class TeamsAppIdentifier(RequestBody, frozen=True):
    """`{"appId": "<guid>", "cloud": "public"}`"""

    appId: str | None = None
    cloud: str | None = None


class Identifier(RequestBody, frozen=True):
    """`{"rawId": "8:acs:...", "communicationUser": {"id": "8:acs:..."}}`, of which one is enough."""

    rawId: str | None = None
    kind: str | None = None
    communicationUser: UserIdentifier | None = None
    microsoftTeamsUser: TeamsUserIdentifier | None = None
    phoneNumber: PhoneIdentifier | None = None
    microsoftTeamsApp: TeamsAppIdentifier | None = None


class ParticipantRequest2021(RequestBody, frozen=True):
    """`{"communicationIdentifier": {...}, "displayName": "Bob", "shareHistoryTime": "2020-10-30T10:50:50Z"}`"""

    communicationIdentifier: Identifier | None = None
    displayName: str | None = None
    shareHistoryTime: _Time | None = None


class ParticipantRequest(ParticipantRequest2021, frozen=True):
    """The same with metadata."""

    metadata: Metadata | None = None


class RetentionRequest(RequestBody, frozen=True):
    """`{"kind": "threadCreationDate", "deleteThreadAfterDays": 40}`, in either order, or `{"kind": "none"}`."""

    kind: _Policy | None = None
    deleteThreadAfterDays: _Days | None = None


class CreateThreadRequest2021(RequestBody, frozen=True):
    """`{"topic": "Lunch", "participants": [...]}`"""

    topic: str | None = None
    participants: list[ParticipantRequest2021] | None = None


class CreateThreadRequest2023(CreateThreadRequest2021, frozen=True):
    """The same with metadata, of participants too."""

    participants: list[ParticipantRequest] | None = None  # type: ignore[assignment]  # It says more, and nothing else.
    metadata: Metadata | None = None


class CreateThreadRequest(CreateThreadRequest2023, frozen=True):
    """The same with a retention policy."""

    retentionPolicy: RetentionRequest | None = None


class UpdateThreadRequest2021(RequestBody, frozen=True):
    """`{"topic": "Lunch"}`"""

    topic: str | None = None


class UpdateThreadRequest2023(UpdateThreadRequest2021, frozen=True):
    """`{"topic": "Lunch", "metadata": {"key": "value", "gone": null}}`"""

    metadata: Metadata | None = None


class UpdateThreadRequest(UpdateThreadRequest2023, frozen=True):
    """A retention policy that is null is none at all; one that is absent stays as it was."""

    retentionPolicy: RetentionRequest | msgspec.UnsetType | None = msgspec.UNSET


class AddParticipantsRequest2021(RequestBody, frozen=True):
    """`{"participants": [...]}`"""

    participants: list[ParticipantRequest2021] | None = None


class AddParticipantsRequest(RequestBody, frozen=True):
    """The same with metadata."""

    participants: list[ParticipantRequest] | None = None


class SendMessageRequest2021(RequestBody, frozen=True):
    """`{"content": "Come over", "senderDisplayName": "Bob", "type": "text"}`"""

    content: str | None = None
    senderDisplayName: str | None = None
    type: _MessageType | None = None


class SendMessageRequest(SendMessageRequest2021, frozen=True):
    """The same with metadata."""

    metadata: Metadata | None = None


class AttachmentRequest(RequestBody, frozen=True):
    """`{"id": "<guid>", "attachmentType": "image"}`"""

    id: str | None = None
    attachmentType: str | None = None
    name: str | None = None
    url: str | None = None
    previewUrl: str | None = None


class SendMessageRequest2024(SendMessageRequest, frozen=True):
    """The previews that could upload images name them as attachments."""

    attachments: list[AttachmentRequest] | None = None


class UpdateMessageRequest2021(RequestBody, frozen=True):
    """`{"content": "Come later"}`"""

    content: str | None = None


class UpdateMessageRequest(UpdateMessageRequest2021, frozen=True):
    """`{"content": "Come later", "metadata": {"gone": ""}}`"""

    metadata: Metadata | None = None


class UpdateMessageRequest2024(UpdateMessageRequest, frozen=True):
    """The previews that could upload images name them as attachments."""

    attachments: list[AttachmentRequest] | None = None


class ReceiptRequest(RequestBody, frozen=True):
    """`{"chatMessageId": "1749594013223"}`"""

    chatMessageId: str | None = None


class TypingRequest2021(RequestBody, frozen=True):
    """No body is defined; an object is accepted, and its members are ignored."""


class TypingRequest(RequestBody, frozen=True):
    """`{}`, or `{"senderDisplayName": "Bob"}`"""

    senderDisplayName: str | None = None
