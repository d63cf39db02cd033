"""What came back, and what it says: a value, or an error told apart by its code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx2
import msgspec

from watchword.client.errors import ServiceError, UnexpectedReply, service_error_type
from watchword.client.values import Identity, IssuedToken
from watchword.clock import Clock, to_datetime
from watchword.wire.identity_bodies import AccessTokenBody, CreatedBody, IdentityBody, IdentityPage, ListedIdentity

Shape = TypeVar("Shape")

_MILLISECOND_HEADERS = ("retry-after-ms", "x-ms-retry-after-ms")
_REQUEST_ID_HEADER = "ms-cv"
_LARGEST_NUMBER = 1e9
"""What a server cannot mean is cut off before a timedelta overflows."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def unexpected(self, message: str) -> UnexpectedReply:
        return UnexpectedReply(self.status, "", message, request_id=self.headers.get(_REQUEST_ID_HEADER, ""))


class _ErrorDetail(msgspec.Struct):
    code: str = ""
    message: str = ""
    target: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _ErrorDetail


def error_of(reply: Reply, clock: Clock) -> ServiceError | None:
    """The error that a reply tells of, or None where it tells of success."""
    if 200 <= reply.status < 300:
        return None
    try:
        detail = msgspec.json.decode(reply.body, type=_ErrorBody).error
    except (ValueError, RecursionError):
        # Not the contract's shape: a proxy spoke, or the front door. Its page may say anything, so it is not repeated.
        detail = _ErrorDetail(message="The reply is an error without a description.")
    raised = service_error_type(reply.status, detail.code)
    request_id = reply.headers.get(_REQUEST_ID_HEADER, "")
    delay = retry_after(reply.headers, clock)
    return raised(reply.status, detail.code, detail.message, detail.target or "", request_id, delay)


def retry_after(headers: Mapping[str, str], clock: Clock) -> timedelta | None:
    """How long the service asks to wait: in milliseconds, in seconds, or until a date (RFC 9110, section 10.2.3)."""
    for name in _MILLISECOND_HEADERS:
        if (millis := _number(headers.get(name))) is not None:
            return timedelta(milliseconds=millis)
    text = headers.get("retry-after", "")
    if (seconds := _number(text)) is not None:
        return timedelta(seconds=seconds)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(moment - to_datetime(clock.micros()), timedelta(0))


def read_created(reply: Reply) -> tuple[Identity, IssuedToken | None]:
    """Read the identity that was created, and its token if one was asked for.

    Raises:
        UnexpectedReply: not the body of a created identity.
    """
    created = _decode(reply, CreatedBody)
    token = created.accessToken
    return _identity(reply, created.identity), _token(reply, token) if token is not None else None


def read_token(reply: Reply) -> IssuedToken:
    """Read an access token.

    Raises:
        UnexpectedReply: not the body of an access token.
    """
    return _token(reply, _decode(reply, AccessTokenBody))


def read_identity(reply: Reply) -> Identity:
    """Read an identity.

    Raises:
        UnexpectedReply: not the body of an identity.
    """
    return _identity(reply, _decode(reply, IdentityBody))


def read_page(reply: Reply) -> tuple[list[Identity], str | None]:
    """The identities of one page, and the target of the next where there is one.

    Of `nextLink` only path and query count: a signature is never sent to a host that a reply chose.

    Raises:
        UnexpectedReply: not a page of identities.
    """
    page = _decode(reply, IdentityPage)
    identities = [_identity(reply, row) for row in page.value]
    if page.nextLink is None:
        return identities, None
    try:
        target = httpx2.URL(page.nextLink).raw_path.decode("ascii")
    except httpx2.InvalidURL:
        target = ""
    # Without the slash it would run into the host that it is appended to.
    if not target.startswith("/"):
        raise reply.unexpected("The link to the next page cannot be read.")
    return identities, target


def read_nothing(reply: Reply) -> None:
    """Read a success that has nothing to tell.

    Raises:
        UnexpectedReply: a success, but with a body where none belongs.
    """
    if reply.body.strip():
        raise reply.unexpected("The reply has a body where the Identity API sends none; is the endpoint right?")


def _decode(reply: Reply, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(reply.body, type=shape)
    except (ValueError, RecursionError):
        raise reply.unexpected("The reply is not one of the Identity API; is the endpoint right?") from None


def _identity(reply: Reply, body: IdentityBody | ListedIdentity) -> Identity:
    if not body.id:
        raise reply.unexpected("The reply holds an identity without its id.")
    created = body.createdOn if isinstance(body, ListedIdentity) else ""
    issued = body.lastTokenIssuedAt
    return Identity(
        body.id,
        body.customId,
        _moment(reply, issued) if issued else None,
        _moment(reply, created) if created else None,
    )


def _token(reply: Reply, body: AccessTokenBody) -> IssuedToken:
    return IssuedToken(body.token, _moment(reply, body.expiresOn))


def _moment(reply: Reply, text: str) -> datetime:
    """Aware; what is finer than a microsecond is cut off. Observed: identity.md section 3.1, seven digits."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise reply.unexpected("The reply holds a time that cannot be read.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(text: str | None) -> float | None:
    return min(float(text), _LARGEST_NUMBER) if text and text.isascii() and text.isdigit() else None
