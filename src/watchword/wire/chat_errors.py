"""The Chat API's words for what its rules find, in both shapes that clients know.

    {"error": {"code": "Forbidden", "message": "The initiator doesn't have the permission ... Only its sender may."},
     "CommunicationError": {"Code": "Forbidden", "Message": "The initiator doesn't have the permission ...",
                            "Details": []}}

The first is the published one, which the models of SDKs read; the second is what the original sends, and applications
take apart. Its `Message` is the original's, and left out where the original has none; ours says more.

Where a sentence repeats what the caller typed, such as an id, another one without it stands in the log.

Source: chat.md section 7. Assumed: both in one object serve every client.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from watchword import errors
from watchword.errors import CallerError, InternalFault, Unavailable
from watchword.wire.chat_values import format_millis
from watchword.wire.errors import ErrorDetail, WireError, retry, unavailable
from watchword.wire.errors import describe as describe_common


class CommunicationError(msgspec.Struct, omit_defaults=True):
    """`Details` is always empty. Observed: it is there nevertheless."""

    Code: str
    Message: str | None = None
    Details: list[str] | msgspec.UnsetType = msgspec.UNSET


class ChatErrorResponse(msgspec.Struct):
    """The one shape of every error of chat."""

    error: ErrorDetail
    CommunicationError: CommunicationError


@dataclass(frozen=True, slots=True)
class ChatError(WireError):
    """`original` is the original's own sentence, where it has one."""

    original: str | None = None

    def body(self) -> bytes:
        return msgspec.json.encode(
            ChatErrorResponse(
                ErrorDetail(self.code, self.message, self.target),
                CommunicationError(self.code, self.original, []),
            )
        )


_DENIED = "Request is not authorized."
_FORBIDDEN = "The initiator doesn't have the permission to perform the requested operation."
_NO_THREAD = "The specified thread id was not found."
_RATE = "Rate limit exceeded."
_BUSY = "The server is currently unable to handle the request."


def describe(error: CallerError | InternalFault | Unavailable) -> WireError:  # noqa: C901 - one line a fact, read like a table.
    """What a caller of the Chat API is told.

    Assumed: a caller who is not a member or not the sender, or has too narrow a scope, is told one and the same by the
    original, with 403; ours adds which it was.
    """
    match error:
        case errors.NotAuthenticated(reason):
            # Without `WWW-Authenticate`, which would make clients answer a challenge.
            return ChatError(401, "Unauthorized", f"{_DENIED} {reason}", lists_versions=False, original=_DENIED)
        case errors.NotAllowed(reason):
            return _forbidden(reason)
        case errors.NotAParticipant():
            return _forbidden("Only a participant of the thread may, and the caller is none now.")
        case errors.NotTheSender():
            return _forbidden("Only its sender edits or deletes a message, and nobody what the system says.")
        case errors.ThreadFrozen():
            return _forbidden(
                "The thread is frozen: it can be read, and nobody writes but the application's own server."
            )
        case errors.Restricted(kind, is_everywhere, until_millis):
            until = "until that is lifted" if until_millis is None else f"until {format_millis(until_millis)}"
            where = "in all chats of the resource" if is_everywhere else "in this thread"
            how = "muted, and may only read" if kind == "mute" else "banned, and takes no part"
            return _forbidden(f"The user is {how} {where}, {until}.")
        case errors.UserNotFound():
            return _not_found("The resource has no user of this id: there never was one, or it was deleted.")
        case errors.NotRestricted():
            return _not_found("The user is neither muted nor banned there, or not any more.")
        case errors.EndsInThePast():
            return _bad("The end has to come later than now.", "until")
        case errors.ThreadNotFound():
            said = f"{_NO_THREAD} The token's resource has no thread of this id, or it was deleted."
            return _not_found(said, _NO_THREAD)
        case errors.MessageNotFound():
            return _not_found("The thread has no message of this id that the caller sees, or it was deleted.")
        case errors.TopicInForce():
            said = "The message says which topic the thread has now: give the thread another one, then redact it."
            return ChatError(409, "TopicInForce", said)
        case errors.HistoryUnfinished():
            said = "A history is still being brought into this thread: finish the import, or give it up."
            return ChatError(409, "Conflict", said)
        case errors.UnknownReadMessage():
            # Observed: one recording, without a sentence.
            return _not_found("The thread has no message of this chatMessageId that the caller sees.")
        case errors.ParticipantNotFound():
            return _not_found("The user who is to be removed is no participant of the thread.")
        case errors.MalformedThreadId():
            # Observed: without a sentence.
            return _bad(
                "The thread id is not valid. It should look like 19:acsV1_<43 characters>1@thread.v2.", "chatThreadId"
            )
        case errors.MalformedMessageId(id):
            said = f"Value for MessageId ({_short(id)}) is not valid."
            return _bad(
                f"{said} It is the time of its creation in milliseconds.",
                "chatMessageId",
                said,
                logged="The id of a message is not valid: it is no time of its creation in milliseconds.",
            )
        case errors.MalformedParticipant(id):
            said = f"Identifier format is invalid ({_short(id)})."
            return _bad(
                f"{said} It should look like 8:acs:<guid>_<guid>.",
                "communicationIdentifier",
                said,
                logged="An identifier of a user is not valid.",
            )
        case errors.UnsupportedParticipant(id):
            said = f"Identifier format is not supported ({_short(id)})."
            return _bad(
                f"{said} Only users of communication services take part.",
                "communicationIdentifier",
                said,
                logged="An identifier is of a kind that takes no part in chats.",
            )
        case errors.TooManyParticipants(scope, count, maximum):
            # Source: more than 200 in a call are refused without a sentence.
            where = "one call" if scope == "call" else "a thread"
            return _bad(f"There are at most {maximum} participants in {where}, not {count}.", "participants")
        case errors.InvalidTopic(length, maximum):
            return _bad(f"A topic has 1 to {maximum} characters, not {length}.", "topic")
        case errors.InvalidDisplayName(length, maximum):
            return _bad(f"A display name has at most {maximum} characters, not {length}.", "displayName")
        case errors.MetadataTooLarge(of, size, maximum):
            return _bad(
                f"The metadata of a {of} has at most {maximum} bytes of keys and values, not {size}.", "metadata"
            )
        case errors.InvalidRetention(days, minimum, maximum):
            said = f"deleteThreadAfterDays is {minimum} to {maximum} days, not {days:.12g}."
            return _bad(said, "retentionPolicy")
        case errors.EmptyMessage():
            return _bad("The content of a message must not be empty.", "content")
        case errors.UnsupportedMessageType(type):
            said = f"A message of type {type!r:.60} cannot be sent, only text and html."
            return _bad(said, "type", logged="A message of such a type cannot be sent, only text and html.")
        case errors.MessageTooLarge(size, maximum):
            said = f"The content of a message has at most {maximum} bytes of UTF-8, not {size}."
            return ChatError(413, "RequestEntityTooLarge", said, "content")
        case errors.ContentRefused(reason):
            said = "The moderator of this server refuses the content"
            return ChatError(403, "ContentRefused", f"{said}{reason and ': '}{reason.rstrip('.')}.", logged=f"{said}.")
        case errors.ChatQuotaExceeded(quota, maximum):
            # Assumed: a quota by setting is told with 403, since no time of waiting helps.
            return ChatError(403, "QuotaExceeded", f"There are {maximum} {quota}, and that is the limit by setting.")
        case errors.TooManyRequests(kind, requests, seconds, retry_after, per):
            said = f"{_RATE} Of {kind}, {requests} requests are answered in {seconds} seconds for each {per}."
            return ChatError(429, "TooManyRequests", said, headers=retry(retry_after), original=_RATE)
        case errors.MissingField(name):
            return _bad(f"{name} is required.", name)
        case errors.MalformedBody(reason, name):
            where = f"{name}: " if name else "The request body could not be read: "
            return _bad(f"{where}{reason}.", name or None)
        case errors.UnsupportedApiVersion(uri, _, served):
            logged = f"'{uri}' does not support the API version that was sent. Supported: {', '.join(served)}."
            return _both(replace(describe_common(error), logged=logged))
        case errors.Unstorable() | errors.InvalidQuery():
            found = describe_common(error)
            return _bad(found.message, found.target)
        case errors.TooLarge("body"):
            return _both(replace(describe_common(error), code="RequestEntityTooLarge"))
        case errors.ModeratorUnavailable(retry_after):
            said = f"{_BUSY} Its moderator does not answer, and nothing is stored unseen. Try again shortly."
            found = unavailable(said, retry_after)
            return ChatError(503, found.code, said, lists_versions=False, headers=found.headers, original=_BUSY)
        case Unavailable(retry_after):
            common = describe_common(error)
            return ChatError(
                503, common.code, common.message, lists_versions=False, headers=common.headers, original=_BUSY
            )
        case _:
            return _both(describe_common(error))


def _forbidden(reason: str) -> ChatError:
    return ChatError(403, "Forbidden", f"{_FORBIDDEN} {reason}", original=_FORBIDDEN)


def _not_found(message: str, original: str | None = None) -> ChatError:
    return ChatError(404, "NotFound", message, original=original)


def _bad(message: str, target: str | None, original: str | None = None, *, logged: str = "") -> ChatError:
    """`logged` stands in the log for a message that repeats what somebody typed."""
    return ChatError(400, "BadRequest", message, target, original=original, logged=logged)


def _both(found: WireError) -> ChatError:
    """What every contract says alike, in chat's shape."""
    return ChatError(
        found.status,
        found.code,
        found.message,
        found.target,
        lists_versions=found.lists_versions,
        headers=found.headers,
        logged=found.logged,
        original=found.message,
    )


def _short(id: str) -> str:
    """An identifier as it was sent, but never a text of any length."""
    printable = "".join(each if each.isprintable() else "?" for each in id[:120])
    return printable if len(id) <= len(printable) else f"{printable}..."
