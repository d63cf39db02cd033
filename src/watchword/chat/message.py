"""A message as it is read from its row; a system message names participants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from watchword.chat.metadata import read_metadata
from watchword.errors.chat import MalformedMessageId, NotTheSender
from watchword.storage import Row

Kind = Literal["text", "html", "topicUpdated", "participantAdded", "participantRemoved"]


class NamedParticipant(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A participant as system messages name one; stored as JSON: [subject, display name or null, history in millis]."""

    subject: str
    display_name: str | None
    history_millis: int


class Message(msgspec.Struct, frozen=True, gc=False):
    """A text, html or system message. `id` is its creation in milliseconds, `version` its newest change.

    `sender` is a skypeid; of a system message, who caused it. `content` is the text, which is empty once it is deleted,
    or the topic; `participants` are of participantAdded and participantRemoved.
    """

    id: int
    version: int
    sequence: int
    kind: Kind
    sender: str
    sender_name: str
    content: str
    metadata: Mapping[str, str] | None
    edited_millis: int | None
    deleted_millis: int | None
    participants: tuple[NamedParticipant, ...] = ()

    @property
    def is_system(self) -> bool:
        return self.kind not in ("text", "html")


def read_message(row: Row) -> Message:
    """`row` has the columns of `reading_statements`, in their order."""
    id, version, sequence, kind, sender, sender_name, content, metadata, edited, deleted = row
    named: tuple[NamedParticipant, ...] = ()
    if kind in _NAMING:
        named, content = tuple(_read_participants(content)), ""
    if metadata is not None:
        metadata = read_metadata(metadata)
    return Message(id, version, sequence, kind, sender, sender_name, content, metadata, edited, deleted, named)


def require_message_id(message: str) -> int:
    """Read the id of a message.

    Raises:
        MalformedMessageId: no message could have it.
    """
    if not _ID.fullmatch(message):
        raise MalformedMessageId(message)
    return int(message)


def require_own(message: Message, subject: str) -> None:
    """Let pass who sent the message.

    Raises:
        NotTheSender: another's, or a system message.
    """
    if message.is_system or message.sender != subject:
        raise NotTheSender


_NAMING = ("participantAdded", "participantRemoved")
_ID = re.compile("[0-9]{1,18}", re.ASCII)
_read_participants = msgspec.json.Decoder(list[NamedParticipant]).decode
