"""What api-versions of the Chat API show of a thread, a participant, a message.

What one version does not know it leaves out: nothing else tells versions apart. Source: chat.md section 1.

The values are given by their parts, as the rules know them: a subject is the name in a user's tokens, a time is in
milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from watchword.wire import chat_answers as answers
from watchword.wire import chat_versions as versions
from watchword.wire.chat_identifiers import user_identifier
from watchword.wire.chat_values import format_millis


class ShownThread(Protocol):
    """What of a thread is shown."""

    @property
    def id(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def created_millis(self) -> int: ...
    @property
    def created_by(self) -> str: ...
    @property
    def metadata(self) -> Mapping[str, str] | None: ...
    @property
    def retention_days(self) -> int | None: ...


class ShownItem(Protocol):
    """What of a thread is shown in a list."""

    @property
    def id(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def deleted_millis(self) -> int | None: ...
    @property
    def last_millis(self) -> int: ...


class ShownName(Protocol):
    """What of a participant is shown in a system message."""

    @property
    def subject(self) -> str: ...
    @property
    def display_name(self) -> str | None: ...
    @property
    def history_millis(self) -> int: ...


class ShownParticipant(ShownName, Protocol):
    """What of a participant is shown in a list."""

    @property
    def metadata(self) -> Mapping[str, str] | None: ...


class ShownNotAdded(Protocol):
    """Who could not be added."""

    @property
    def id(self) -> str: ...
    @property
    def reason(self) -> str: ...


class ShownMessage(Protocol):
    """What of a message is shown."""

    @property
    def id(self) -> int: ...
    @property
    def version(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def sender_name(self) -> str: ...
    @property
    def content(self) -> str: ...
    @property
    def participants(self) -> Sequence[ShownName]: ...
    @property
    def metadata(self) -> Mapping[str, str] | None: ...
    @property
    def edited_millis(self) -> int | None: ...
    @property
    def deleted_millis(self) -> int | None: ...


class ShownReceipt(Protocol):
    """What of a read receipt is shown."""

    @property
    def subject(self) -> str: ...
    @property
    def message_id(self) -> int: ...
    @property
    def read_millis(self) -> int: ...


_NO_ATTACHMENTS: dict[str, list[answers.AttachmentBody]] = {version: [] for version in versions.ATTACHMENTS}
"""By version: the others have no such member."""

_NOT_ADDED = {"not permitted": ("403", "Permissions check failed"), "not found": ("404", "Not found")}
"""Source: chat.md section 3.1; codes are texts."""


def thread(found: ShownThread, version: str) -> answers.ThreadBody:
    metadata = found.metadata if version in versions.METADATA else None
    return answers.ThreadBody(
        found.id,
        found.topic,
        format_millis(found.created_millis),
        user_identifier(found.created_by),
        None if metadata is None else dict(metadata),
        _retention(found.retention_days) if version in versions.RETENTION else None,
        answers.MessagingPolicyBody(False) if version in versions.MESSAGING_POLICY else None,
    )


def created(found: ShownThread, not_added: Iterable[ShownNotAdded], version: str) -> answers.CreatedThreadBody:
    return answers.CreatedThreadBody(thread(found, version), invalid_participants(not_added))


def added(not_added: Iterable[ShownNotAdded]) -> answers.AddedBody:
    return answers.AddedBody(invalid_participants(not_added))


def thread_item(found: ShownItem) -> answers.ThreadItemBody:
    return answers.ThreadItemBody(
        found.id,
        found.topic,
        None if found.deleted_millis is None else format_millis(found.deleted_millis),
        format_millis(found.last_millis) if found.last_millis else None,
    )


def participant(found: ShownParticipant, version: str) -> answers.ParticipantBody:
    # Observed: without metadata the member is left out.
    metadata = dict(found.metadata) if found.metadata and version in versions.METADATA else None
    return answers.ParticipantBody(
        communicationIdentifier=user_identifier(found.subject),
        displayName=found.display_name,
        shareHistoryTime=format_millis(found.history_millis),
        metadata=metadata,
    )


def message(found: ShownMessage, version: str) -> answers.MessageBody:
    """Observed: a system message has neither sender nor name nor metadata; a text without a name has an empty one."""
    if found.kind not in ("text", "html"):
        return _said_by_system(found)
    metadata = dict(found.metadata) if found.metadata and version in versions.MESSAGE_METADATA else None
    return answers.MessageBody(
        id=str(found.id),
        type=found.kind,
        sequenceId=str(found.sequence),
        version=str(found.version),
        content=answers.MessageContentBody(found.content, _NO_ATTACHMENTS.get(version)),
        senderDisplayName=found.sender_name,
        createdOn=format_millis(found.id),
        senderCommunicationIdentifier=user_identifier(found.sender),
        deletedOn=None if found.deleted_millis is None else format_millis(found.deleted_millis),
        editedOn=None if found.edited_millis is None else format_millis(found.edited_millis),
        metadata=metadata,
    )


def receipt(found: ShownReceipt) -> answers.ReceiptBody:
    return answers.ReceiptBody(user_identifier(found.subject), str(found.message_id), format_millis(found.read_millis))


def _said_by_system(found: ShownMessage) -> answers.MessageBody:
    """Assumed: what the trusted server redacted of it is shown as deleted, with an empty topic or nobody's name."""
    initiator = user_identifier(found.sender)
    if found.kind == "topicUpdated":
        content = answers.MessageContentBody(topic=found.content, initiatorCommunicationIdentifier=initiator)
    else:
        # Observed: participants in here carry no metadata.
        named = [
            answers.ParticipantBody(
                communicationIdentifier=user_identifier(each.subject),
                displayName=each.display_name,
                shareHistoryTime=format_millis(each.history_millis),
            )
            for each in found.participants
        ]
        content = answers.MessageContentBody(participants=named, initiatorCommunicationIdentifier=initiator)
    return answers.MessageBody(
        id=str(found.id),
        type=found.kind,
        sequenceId=str(found.sequence),
        version=str(found.version),
        content=content,
        createdOn=format_millis(found.id),
        deletedOn=None if found.deleted_millis is None else format_millis(found.deleted_millis),
    )


def _retention(days: int | None) -> answers.RetentionBody:
    return answers.RetentionBody("none") if days is None else answers.RetentionBody("threadCreationDate", days)


def invalid_participants(not_added: Iterable[ShownNotAdded]) -> list[answers.InvalidParticipantBody] | None:
    """Observed: left out where there is none."""
    return [answers.InvalidParticipantBody(each.id, *_NOT_ADDED[each.reason]) for each in not_added] or None
