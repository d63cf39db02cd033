"""What the rules of chat find. No text, name, topic or metadata of anybody is ever repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchword.errors.common import CallerError, Unavailable

Part = Literal["thread", "participant", "message"]


@dataclass(eq=False)
class MalformedThreadId(CallerError):
    """The path holds something that is no id of a thread."""


@dataclass(eq=False)
class MalformedMessageId(CallerError):
    """`id` as it was sent, which is no id of a message."""

    id: str


@dataclass(eq=False)
class MalformedParticipant(CallerError):
    """`id` as it was sent, which is no identifier of a user."""

    id: str


@dataclass(eq=False)
class UnsupportedParticipant(CallerError):
    """`id` is of a kind that is never in a thread, such as a phone number or a bot."""

    id: str


@dataclass(eq=False)
class ThreadNotFound(CallerError):
    """No thread of the caller's resource has the id, or it was deleted."""


@dataclass(eq=False)
class NotAParticipant(CallerError):
    """The thread is there, and the caller does not take part: never did, or was removed, and may not do this."""


@dataclass(eq=False)
class NotTheSender(CallerError):
    """Only who sent a message edits or deletes it, and nobody a system message."""


@dataclass(eq=False)
class MessageNotFound(CallerError):
    """The thread has no message of that id which the caller may see, or none that could still be changed."""


@dataclass(eq=False)
class TopicInForce(CallerError):
    """The message to be redacted says which topic the thread has now, which would stay."""


@dataclass(eq=False)
class HistoryUnfinished(CallerError):
    """A history is still being brought into the thread, which is nobody's until that is finished."""


@dataclass(eq=False)
class UnknownReadMessage(CallerError):
    """A read receipt is for a message that the caller cannot see."""


@dataclass(eq=False)
class ParticipantNotFound(CallerError):
    """Whoever is to be removed does not take part."""


@dataclass(eq=False)
class TooManyParticipants(CallerError):
    """More than `maximum`, in one `call` or in a `thread`."""

    scope: Literal["call", "thread"]
    count: int
    maximum: int


@dataclass(eq=False)
class InvalidTopic(CallerError):
    """Length in characters: a topic has at least one, and at most `maximum`."""

    length: int
    maximum: int


@dataclass(eq=False)
class InvalidDisplayName(CallerError):
    """Length in characters."""

    length: int
    maximum: int


@dataclass(eq=False)
class MetadataTooLarge(CallerError):
    """Keys and values together, in bytes of UTF-8, as they would be after the change."""

    of: Part
    bytes: int
    maximum: int


@dataclass(eq=False)
class InvalidRetention(CallerError):
    """All three in days, the bounds included."""

    days: int
    minimum: int
    maximum: int


@dataclass(eq=False)
class EmptyMessage(CallerError):
    """The content of a message is never empty."""


@dataclass(eq=False)
class MessageTooLarge(CallerError):
    """The message has more bytes of UTF-8 than it may."""

    bytes: int
    maximum: int


@dataclass(eq=False)
class UnsupportedMessageType(CallerError):
    """`type` as it was sent: nobody sends a system message, or one of an unknown type."""

    type: str


@dataclass(eq=False)
class ChatQuotaExceeded(CallerError):
    """`quota` by setting: `maximum` threads of a user, or messages or bytes of a thread."""

    quota: Literal[
        "threads of a user",
        "messages of a thread",
        "bytes of a thread",
        "realtime sockets of the user",
        "realtime sockets of the resource",
    ]
    maximum: int


@dataclass(eq=False)
class ContentRefused(CallerError):
    """A moderator refuses a message, an edit or a topic; `reason` is its own, in one short line, or empty."""

    reason: str


@dataclass(eq=False)
class ModeratorUnavailable(Unavailable):
    """A moderator has to be asked, and there is no verdict; nothing was stored."""


class ThreadFrozen(CallerError):
    """Only the trusted server writes to the thread."""


@dataclass(eq=False)
class Restricted(CallerError):
    """The caller is muted or banned: in the thread, or everywhere in the resource; None is until it is lifted."""

    kind: Literal["mute", "ban"]
    is_everywhere: bool
    until_millis: int | None


@dataclass(eq=False)
class UserNotFound(CallerError):
    """Whom the trusted server names is no user of its resource: never was, or was deleted."""


@dataclass(eq=False)
class NotRestricted(CallerError):
    """The user is not muted or banned there, or not any more."""


@dataclass(eq=False)
class EndsInThePast(CallerError):
    """A restriction ends after it begins."""
