"""What a call can raise, in one tree, told apart by the code that the service sent.

WatchwordError
├── ServiceError                   the service said no; also every code that is not listed here
│   ├── Denied                     401: wrong access key, bad signature, principal without a role, clock off
│   ├── IdentityNotOwned           401: the identity is of another resource
│   ├── IdentityNotFound           404: the identity was deleted, or never was
│   ├── ValidationError            400: a value that the service refuses; `target` names it
│   ├── UnsupportedApiVersion      400: the service does not know the api-version, or not for this operation
│   ├── NotServed                  501: a published operation that this service refuses
│   ├── Throttled                  429: too many calls, for longer than the retries lasted
│   ├── Unavailable                500, 502, 503, 504: trouble on the other side, for longer than that
│   └── UnexpectedReply            not the Identity API's answer at all: is the endpoint right?
├── TransportError                 no answer: the network, the address or the time
│   └── CertificateNotTrusted      the server's certificate is not one that this machine trusts
└── RefreshFailed                  the refresher of a user's credential did not end, or asked its own credential
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from watchword.errors import WatchwordError


# Compared by identity: two errors of one wording are still two, and an exception must stay hashable.
@dataclass(eq=False)
class ServiceError(WatchwordError):
    """`code` and `target` are the contract's, empty where the reply had none; `request_id` is what to tell support."""

    status: int
    code: str
    message: str
    target: str = ""
    request_id: str = ""
    retry_after: timedelta | None = None

    def __str__(self) -> str:
        known = [f"{self.status} {self.code}".rstrip(), f"request {self.request_id}" if self.request_id else ""]
        return f"{self.message} ({', '.join(filter(None, known))})"


class Denied(ServiceError):
    """No caller could be proved, or the caller may not do this."""


class IdentityNotOwned(ServiceError):
    """The identity is of another resource than the caller's."""


class IdentityNotFound(ServiceError):
    """The identity was deleted, or never was."""


class ValidationError(ServiceError):
    """The service refuses a value: scopes, lifetime, custom id."""


class UnsupportedApiVersion(ServiceError):
    """The service does not answer to the api-version here."""


class NotServed(ServiceError):
    """A published operation that this service refuses, in words."""


class Throttled(ServiceError):
    """Too many calls; `retry_after` says how long to wait, where the service said so."""


class Unavailable(ServiceError):
    """The service, or something in front of it, is in trouble."""


class UnexpectedReply(ServiceError):
    """A reply that no Identity API sends: a proxy's page, a captive portal, another service."""


@dataclass(eq=False)
class TransportError(WatchwordError):
    """`sent` says whether the request may have reached the service, which may then have carried it out."""

    message: str
    sent: bool

    def __str__(self) -> str:
        return self.message


class CertificateNotTrusted(TransportError):
    """Trust the server's CA with `verify=`, or with the environment variable SSL_CERT_FILE."""


@dataclass(eq=False)
class RefreshFailed(WatchwordError):
    """Whoever waits for the next token would wait for ever."""

    message: str

    def __str__(self) -> str:
        return self.message


_BY_CODE: dict[str, type[ServiceError]] = {
    "Denied": Denied,
    "IdentityNotOwned": IdentityNotOwned,
    "IdentityNotFound": IdentityNotFound,
    "ValidationError": ValidationError,
    "UnsupportedApiVersion": UnsupportedApiVersion,
    "ApiVersionUnspecified": UnsupportedApiVersion,
}
_BY_STATUS: dict[int, type[ServiceError]] = {
    429: Throttled,
    500: Unavailable,
    501: NotServed,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def service_error_type(status: int, code: str) -> type[ServiceError]:
    """The class that stands for a code, or else for a status: proxies send the latter without the former."""
    return _BY_CODE.get(code) or _BY_STATUS.get(status, ServiceError)
