"""Who is calling: the credentials that clients take, and the headers that they put on a request.

Proving is a conversation without I/O: it yields `FetchBearer` where a bearer token is missing, and is sent one.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Generator
from dataclasses import dataclass, field
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

from watchword.client.requests import Request
from watchword.clock import Clock, to_datetime
from watchword.wire.connection_string import decode_access_key, parse_connection_string
from watchword.wire.signature import signed_headers

ENTRA_SCOPE = "https://communication.azure.com//.default"
"""The doubled slash is right. Source: identity.md section 2.2."""

_RENEWED_AHEAD_SECONDS = 300


@dataclass(frozen=True, slots=True)
class AccessKeyCredential:
    """One of a resource's access keys, in base64.

    Raises:
        InvalidConnectionString: not base64.
    """

    key: str = field(repr=False)
    access_key: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "access_key", decode_access_key(self.key))


class BearerToken(Protocol):
    """What a token credential gives; `expires_on` in seconds since 1970."""

    @property
    def token(self) -> str: ...

    @property
    def expires_on(self) -> int: ...


class TokenCredential(Protocol):
    """A credential of Entra ID, such as those of `azure-identity`."""

    def get_token(self, *scopes: str) -> BearerToken: ...


class AsyncTokenCredential(Protocol):
    """The same, for `AsyncIdentityClient`: such as those of `azure.identity.aio`."""

    def get_token(self, *scopes: str) -> Awaitable[BearerToken]: ...


@dataclass(frozen=True, slots=True)
class FetchBearer:
    """A step of a conversation: the answer is a `BearerToken` for the scope."""

    scope: str


class Authentication(Protocol):
    """The headers that prove who sends a request; `host` is the authority as it is sent."""

    def authorize(self, request: Request, host: str, clock: Clock) -> Generator[FetchBearer, Any, dict[str, str]]: ...


@dataclass(frozen=True, slots=True)
class KeyAuthentication:
    """Signs each request anew: a signature is good for five minutes only."""

    credential: AccessKeyCredential

    def authorize(self, request: Request, host: str, clock: Clock) -> Generator[FetchBearer, Any, dict[str, str]]:
        yield from ()
        date = format_datetime(to_datetime(clock.micros()), usegmt=True)
        return signed_headers(
            self.credential.access_key, request.method, request.target, host=host, date=date, body=request.body
        )


class BearerAuthentication:
    """Keeps a bearer token until five minutes before it expires."""

    def __init__(self) -> None:
        self._bearer: BearerToken | None = None

    def authorize(self, request: Request, host: str, clock: Clock) -> Generator[FetchBearer, Any, dict[str, str]]:
        del request, host  # A bearer token proves the caller, not the request.
        bearer = self._bearer
        if bearer is None or bearer.expires_on - _RENEWED_AHEAD_SECONDS <= clock.micros() // 1_000_000:
            fetched: BearerToken = yield FetchBearer(ENTRA_SCOPE)
            self._bearer = bearer = fetched
        return {"Authorization": f"Bearer {bearer.token}"}


def authentication_for(
    credential: AccessKeyCredential | TokenCredential | AsyncTokenCredential, endpoint: str
) -> Authentication:
    """Choose how a credential of this kind signs requests to the endpoint.

    Raises:
        TypeError: the credential is of neither kind.
        ValueError: a bearer token would leave this machine unencrypted.
    """
    if isinstance(credential, AccessKeyCredential):
        return KeyAuthentication(credential)
    if not callable(getattr(credential, "get_token", None)):
        raise TypeError("a credential is an AccessKeyCredential, or has a method get_token()")
    require_private(endpoint)
    return BearerAuthentication()


def connection_parts(connection_string: str) -> tuple[str, AccessKeyCredential]:
    """Take the endpoint and the access key out of a connection string.

    Raises:
        InvalidConnectionString: a part is missing or unreadable.
    """
    parsed = parse_connection_string(connection_string)
    return parsed.endpoint, AccessKeyCredential(b64encode(parsed.access_key).decode("ascii"))


def require_private(endpoint: str) -> None:
    """Refuse an endpoint to which no bearer token may be sent.

    Raises:
        ValueError: a bearer token would leave this machine unencrypted.
    """
    address = urlsplit(endpoint)
    if address.scheme != "https" and not _is_loopback(address.hostname or ""):
        raise ValueError(f"a bearer token is sent over https only, not to {endpoint}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
