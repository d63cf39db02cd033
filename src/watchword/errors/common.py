"""Every exception of Watchword, in one tree.

    WatchwordError
    ├── CallerError                    the request is at fault; the wire says how it is worded
    │   ├── NotAuthenticated           no caller could be proved
    │   ├── NotAllowed                 the caller is known, and has no right to the operation
    │   ├── IdentityNotOwned           the identity is of another resource
    │   ├── IdentityNotFound           the identity was deleted, or never was
    │   ├── MalformedIdentity          not an identifier at all
    │   ├── MalformedBody              not JSON, or JSON of the wrong shape
    │   ├── MissingField               a required field is absent or null
    │   ├── NoScopes                   an empty list of scopes
    │   ├── UnknownScope
    │   ├── InvalidLifetime
    │   ├── InvalidCustomId
    │   ├── Unstorable                 a value that no row can hold, such as a NUL character
    │   ├── InvalidQuery               a query parameter that cannot be read
    │   ├── MalformedGuid              a part of the path, or a field, that is no guid
    │   ├── InvalidUserToken           the token of a user that is to be exchanged proves nothing
    │   ├── UnexpectedUserToken        it proves another application or user than the caller named
    │   ├── AssignmentNotFound         nobody assigned the user or group
    │   ├── InvalidHost                no Host header, or one that is not a single host
    │   ├── ForeignHost                a Host that this server does not answer to
    │   ├── UnsupportedApiVersion
    │   ├── MissingApiVersion
    │   ├── UnknownPath
    │   ├── MethodNotAllowed
    │   ├── HttpsRequired              plain HTTP where TLS is spoken
    │   ├── UpgradeRequired            the operation is a WebSocket, and the request offers none
    │   ├── InvalidHandshake           it offers one, and not as it has to
    │   ├── TooLarge                   a head or a body above its cap, or what of a head is signed
    │   ├── TooSlow                    a head or a body that took longer than its deadline
    │   ├── TooManyRequests            more than the limit by setting allows
    │   ├── NotServed                  a published operation that is refused, in words
    │   ├── NoManagementRole           an Entra ID token of somebody without a role on the management API
    │   ├── GroupNotFound
    │   ├── ResourceNotFound
    │   ├── OperationNotFound
    │   ├── BeingDeleted               a group or resource that is going away
    │   ├── NameTaken
    │   ├── InvalidName
    │   ├── InvalidProperty            a property of a group or resource that cannot be so
    │   ├── TooManyResources           more than one Host can tell apart
    │   ├── KeyTaken                   an access key that another resource has
    │   ├── MalformedThreadId
    │   ├── MalformedMessageId
    │   ├── MalformedParticipant       no identifier of a user at all
    │   ├── UnsupportedParticipant     an identifier of a kind that is never in a thread
    │   ├── ThreadNotFound
    │   ├── NotAParticipant            the thread is there, and the caller is not in it
    │   ├── NotTheSender               of a message that is to be changed
    │   ├── MessageNotFound
    │   ├── UnknownReadMessage         a read receipt for a message that is not there
    │   ├── ParticipantNotFound        whoever is to be removed is not in the thread
    │   ├── TooManyParticipants        in one call, or in a thread
    │   ├── TopicInForce               the message that is to be redacted says which topic the thread has
    │   ├── HistoryUnfinished          the thread is nobody's yet
    │   ├── InvalidTopic
    │   ├── InvalidDisplayName
    │   ├── MetadataTooLarge
    │   ├── InvalidRetention
    │   ├── EmptyMessage
    │   ├── MessageTooLarge
    │   ├── UnsupportedMessageType
    │   ├── ContentRefused             a moderator refuses what was to be said
    │   ├── ThreadFrozen               only the trusted server writes there
    │   ├── Restricted                 the caller is muted or banned
    │   ├── UserNotFound               whom the trusted server names is no user of its resource
    │   ├── NotRestricted              the user whose restriction is asked for has none
    │   ├── EndsInThePast              a restriction that would be over already
    │   ├── ChatQuotaExceeded          threads of a user, messages or bytes of a thread
    │   ├── MalformedImportId
    │   ├── ImportNotFound             no history of this id is being brought in
    │   ├── ImportFinished             one that nothing can be added to any more
    │   ├── ThreadTaken                the thread that a history is to become is there already
    │   ├── RecordsMissing             records that come after some that are not in
    │   ├── TooManyRecords             in one call
    │   ├── InvalidMoment              when a record was written, or changed
    │   ├── RecordRefused              says which one, and why
    │   └── HistoryTooOld              its thread would be deleted at once
    ├── InvalidToken                   an access token that proves nothing; says which check failed
    ├── InsufficientScope              a valid token that does not allow this operation
    ├── InvalidConnectionString
    ├── Unavailable                    the database is behind or out of reach; nothing was changed
    │   ├── WrongClock                 this machine's clock cannot be trusted: it dates no token and no thread
    │   ├── ModeratorUnavailable       there is no verdict of a moderator, without which nothing is stored
    │   └── IssuerUnavailable          the keys of an OpenID issuer are unknown, or too old to be used
    ├── AddressRefused                 an address that somebody named and that must not be called
    ├── NoAnswer                       nobody answered at such an address, or not as they may
    ├── InternalFault                  what nobody foresaw
    └── OperatorError                  an installation at fault; says what to do next

What a service answered to a client of ours is another tree, drawn in `watchword.client.errors`. A rule raises facts;
the contract of its operation words them (`wire.chat_errors` ...). What any service may find is here; each has a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


class WatchwordError(Exception):
    """The root: whatever Watchword raises on purpose."""


class CallerError(WatchwordError):
    """The request is at fault; sending it again unchanged would fail again."""


@dataclass(eq=False)
class NotAuthenticated(CallerError):
    """`reason` is one sentence for the caller, and never helps to guess a key."""

    reason: str


@dataclass(eq=False)
class NotAllowed(CallerError):
    """The caller proved who it is, and may not do this; `reason` is a sentence."""

    reason: str


@dataclass(eq=False)
class MalformedBody(CallerError):
    """`field` is the JSON path of what is wrong, such as `expiresInMinutes`, or empty for the whole body."""

    reason: str
    field: str = ""


@dataclass(eq=False)
class MissingField(CallerError):
    """`field` in the contract's camelCase, such as `scopes`."""

    field: str


@dataclass(eq=False)
class Unstorable(CallerError):
    """A value of the request that the database cannot hold: a NUL character, a lone surrogate, a number too large."""


@dataclass(eq=False)
class InvalidQuery(CallerError):
    """A query parameter that cannot be read; `reason` is a sentence."""

    parameter: str
    reason: str


@dataclass(eq=False)
class MalformedGuid(CallerError):
    """`field` is its name in the path or the body, such as `objectId`."""

    field: str


@dataclass(eq=False)
class InvalidHost(CallerError):
    """`reason` is one sentence."""

    reason: str


@dataclass(eq=False)
class ForeignHost(CallerError):
    """`host` as it was sent, which is a host with an optional port."""

    host: str


@dataclass(eq=False)
class UnsupportedApiVersion(CallerError):
    """`served` lists the api-versions that this path and method answer to, oldest first."""

    uri: str
    version: str
    served: tuple[str, ...]


@dataclass(eq=False)
class MissingApiVersion(CallerError):
    """`served` lists the api-versions that this path and method answer to, oldest first."""

    served: tuple[str, ...]


@dataclass(eq=False)
class UnknownPath(CallerError):
    """No operation lives at this path."""

    path: str


@dataclass(eq=False)
class MethodNotAllowed(CallerError):
    """`allowed` are the methods that the path answers to."""

    method: str
    allowed: tuple[str, ...]


@dataclass(eq=False)
class TooManyRequests(CallerError):
    """Each `per` is answered so many requests of this kind in so many seconds; `retry_after` until one fits in."""

    kind: str
    requests: int
    seconds: int
    retry_after: timedelta
    per: str = "resource"


@dataclass(eq=False)
class NotServed(CallerError):
    """A published operation that this server refuses; `reason` is a sentence."""

    operation: str
    reason: str


@dataclass(eq=False)
class InvalidToken(WatchwordError):
    """`check` is the one that failed, such as `signature`, `expiry` or `revoked`; `reason` is a sentence."""

    check: str
    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class InsufficientScope(WatchwordError):
    """`allowed` are the scopes of which the token needs one."""

    operation: str
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.operation} needs a token with one of the scopes: {', '.join(self.allowed)}."


@dataclass(eq=False)
class InvalidConnectionString(WatchwordError):
    """`reason` says which part is missing or unreadable; the string itself is never repeated."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class Unavailable(WatchwordError):
    """The database is behind or out of reach; nothing was changed, and the same request may be sent again."""

    retry_after: timedelta


@dataclass(eq=False)
class WrongClock(Unavailable):
    """This machine's clock is wrong in the way that is told, and its operator can mend it; callers learn neither."""

    message: str
    remedy: str


@dataclass(eq=False)
class IssuerUnavailable(Unavailable):
    """`issuer` is the address by setting; its keys could not be fetched yet, or not renewed for too long."""

    issuer: str


@dataclass(eq=False)
class InternalFault(WatchwordError):
    """What nobody foresaw: the log says what, and the caller learns nothing but the id of the request."""


@dataclass(eq=False)
class OperatorError(WatchwordError):
    """`message` says what is wrong with the installation, `remedy` what to do next."""

    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}"
