"""What requests of the Chat API ask for, each api-version read in its own way.

Null is as absent, but where a merge patch means it. Whatever is wrong with a value, a rule says; here it is only seen
that it can be stored at all.

Source: chat.md sections 2.2, 3 to 6. Assumed: texts with a NUL character are refused, since PostgreSQL stores none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from watchword.errors import MalformedBody, MissingField
from watchword.wire import chat
from watchword.wire import chat_requests as requests
from watchword.wire.chat_identifiers import read_identifier
from watchword.wire.chat_values import parse_millis
from watchword.wire.operations import Operation
from watchword.wire.request_bodies import Reader, readers

_READERS: dict[str, Mapping[str, Reader]] = {each.id: readers(each) for each in chat.OPERATIONS if each.takes}


class InvitedParticipant(msgspec.Struct, frozen=True):
    """An entry of a create or an add; `history_millis` is since 1970, and 0 means the whole history."""

    id: str
    display_name: str | None
    history_millis: int
    metadata: dict[str, str] | None


class AskedThread(msgspec.Struct, frozen=True):
    """What is to be created; `retention_days` is None where there is no policy."""

    topic: str
    participants: list[InvitedParticipant]
    metadata: dict[str, str] | None
    retention_days: int | None


class AskedChange(msgspec.Struct, frozen=True):
    """What is to be changed of a thread; None is what stays. `retention_days` counts where `changes_retention`."""

    topic: str | None
    metadata: dict[str, str | None] | None
    changes_retention: bool
    retention_days: int | None


class AskedMessage(msgspec.Struct, frozen=True):
    """What is to be sent."""

    content: str
    type: str | None
    sender_name: str | None
    metadata: dict[str, str] | None


class AskedEdit(msgspec.Struct, frozen=True):
    """What is to be changed of a message; None is what stays."""

    content: str | None
    metadata: dict[str, str | None] | None


def read_thread(body: bytes, version: str, ignored: list[str]) -> AskedThread:
    """Read the body of a request.

    Raises:
        MalformedBody: not JSON, a member of the wrong type, no time or no policy, or a text with a NUL character.
        MissingField: no topic, or an entry without an identifier.
    """
    asked = _read(chat.CREATE_THREAD, body, version, ignored=ignored)
    if asked.topic is None:
        raise MissingField("topic")
    return AskedThread(
        _text(asked.topic, "topic"),
        _participants(asked.participants or ()),
        _set(_metadata(asked)),
        _days(getattr(asked, "retentionPolicy", None)),
    )


def read_change(body: bytes, version: str, ignored: list[str]) -> AskedChange:
    """Read the body of a request.

    Raises:
        MalformedBody: as `read_thread`.
    """
    asked = _read(chat.UPDATE_THREAD, body, version, ignored=ignored)
    policy = getattr(asked, "retentionPolicy", msgspec.UNSET)
    return AskedChange(
        _text(asked.topic, "topic"),
        _metadata(asked),
        policy is not msgspec.UNSET,
        None if policy is msgspec.UNSET else _days(policy),
    )


def read_added(body: bytes, version: str, ignored: list[str]) -> list[InvitedParticipant]:
    """Read the body of a request.

    Raises:
        MalformedBody, MissingField: as `read_thread`.
    """
    asked = _read(chat.ADD_PARTICIPANTS, body, version, ignored=ignored)
    if asked.participants is None:
        raise MissingField("participants")
    return _participants(asked.participants)


def read_removed(body: bytes, version: str, ignored: list[str]) -> str:
    """The raw id.

    Raises:
        MalformedBody, MissingField: as `read_thread`.
    """
    return read_identifier(_read(chat.REMOVE_PARTICIPANT, body, version, ignored=ignored), "rawId")


def read_message(body: bytes, version: str, ignored: list[str]) -> AskedMessage:
    """Read the body of a request.

    Raises:
        MalformedBody: as `read_thread`; also attachments, which are images.
        MissingField: no content.
    """
    asked = _read(chat.SEND_MESSAGE, body, version, ignored=ignored)
    _require_no_attachments(asked)
    if asked.content is None:
        raise MissingField("content")
    return AskedMessage(
        _text(asked.content, "content"),
        _text(asked.type, "type"),
        _text(asked.senderDisplayName, "senderDisplayName"),
        _set(_metadata(asked)),
    )


def read_edit(body: bytes, version: str, ignored: list[str]) -> AskedEdit:
    """Read the body of a request.

    Raises:
        MalformedBody: as `read_message`.
    """
    asked = _read(chat.UPDATE_MESSAGE, body, version, ignored=ignored)
    _require_no_attachments(asked)
    return AskedEdit(_text(asked.content, "content"), _metadata(asked))


def read_receipt(body: bytes, version: str, ignored: list[str]) -> str:
    """The id of the message that was read.

    Raises:
        MalformedBody: as `read_thread`.
        MissingField: no id.
    """
    asked = _read(chat.SEND_RECEIPT, body, version, ignored=ignored)
    if asked.chatMessageId is None:
        raise MissingField("chatMessageId")
    return _text(asked.chatMessageId, "chatMessageId") or ""


def read_typing(body: bytes, version: str, ignored: list[str]) -> str | None:
    """The name of who types, where one is told.

    Raises:
        MalformedBody: as `read_thread`.
    """
    asked = _read(chat.SEND_TYPING, body or b"{}", version, ignored=ignored)
    name: str | None = _text(getattr(asked, "senderDisplayName", None), "senderDisplayName")
    return name


def _read(operation: Operation, body: bytes, version: str, *, ignored: list[str]) -> Any:
    return _READERS[operation.id][version].read(body, ignored)


def _participants(entries: Iterable[Any]) -> list[InvitedParticipant]:
    return [
        InvitedParticipant(
            _text(read_identifier(entry.communicationIdentifier, "communicationIdentifier"), "rawId") or "",
            _text(entry.displayName, "displayName"),
            _history(entry.shareHistoryTime),
            _set(_metadata(entry)),
        )
        for entry in entries
    ]


def _history(text: str | None) -> int:
    """Assumed: a time before 1970, such as .NET's smallest, means the whole history."""
    if text is None:
        return 0
    millis = parse_millis(text)
    if millis is None:
        raise MalformedBody("Expected a time such as 2026-11-21T01:14:27Z", "shareHistoryTime")
    return max(0, millis)


def _days(policy: requests.RetentionRequest | None) -> int | None:
    kind = "none" if policy is None else (policy.kind or "").lower()
    if policy is None or kind == "none":
        return None
    if kind != "threadcreationdate" or policy.deleteThreadAfterDays is None:
        raise MalformedBody(
            "Expected the kind none, or threadCreationDate with deleteThreadAfterDays", "retentionPolicy"
        )
    return policy.deleteThreadAfterDays


def _metadata(asked: Any) -> dict[str, str | None] | None:
    found: dict[str, str | None] | None = getattr(asked, "metadata", None)
    for key, value in (found or {}).items():
        _text(key, "metadata")
        _text(value, "metadata")
    return found


def _set(metadata: dict[str, str | None] | None) -> dict[str, str] | None:
    """Outside a merge patch a key with null is absent."""
    return None if metadata is None else {key: value for key, value in metadata.items() if value is not None}


def _require_no_attachments(asked: Any) -> None:
    """Assumed: attachments in a request are refused, rather than lost, since no image can have been uploaded."""
    if getattr(asked, "attachments", None):
        raise MalformedBody("Attachments are images, which are not served here", "attachments")


def _text(text: Any, field: str) -> Any:
    if text is not None and "\0" in text:
        raise MalformedBody("A text holds no NUL character", field)
    return text
