"""The Python client library of the Identity API; everything is imported from here.

It knows the wire and the tokens, and nothing of the server.
"""

from watchword.client.authentication import AccessKeyCredential, AsyncTokenCredential, BearerToken, TokenCredential
from watchword.client.credential import AsyncUserTokenCredential, UserTokenCredential
from watchword.client.errors import (
    CertificateNotTrusted,
    Denied,
    IdentityNotFound,
    IdentityNotOwned,
    NotServed,
    ServiceError,
    Throttled,
    TransportError,
    Unavailable,
    UnexpectedReply,
    UnsupportedApiVersion,
    ValidationError,
)
from watchword.client.held_token import CurrentToken
from watchword.client.identity import AsyncIdentityClient, ClientOptions, IdentityClient
from watchword.client.retries import Retries
from watchword.client.values import Identity, IssuedToken, Scope
from watchword.errors import InvalidConnectionString, InvalidToken, WatchwordError

__all__ = [
    "AccessKeyCredential",
    "AsyncIdentityClient",
    "AsyncTokenCredential",
    "AsyncUserTokenCredential",
    "BearerToken",
    "CertificateNotTrusted",
    "ClientOptions",
    "CurrentToken",
    "Denied",
    "Identity",
    "IdentityClient",
    "IdentityNotFound",
    "IdentityNotOwned",
    "InvalidConnectionString",
    "InvalidToken",
    "IssuedToken",
    "NotServed",
    "Retries",
    "Scope",
    "ServiceError",
    "Throttled",
    "TokenCredential",
    "TransportError",
    "Unavailable",
    "UnexpectedReply",
    "UnsupportedApiVersion",
    "UserTokenCredential",
    "ValidationError",
    "WatchwordError",
]
