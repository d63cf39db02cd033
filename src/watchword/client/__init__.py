"""The Python client library: the Identity API, and verifying tokens elsewhere; everything is imported from here.

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
from watchword.client.evidence import VerifierState
from watchword.client.held_token import CurrentToken
from watchword.client.identity import AsyncIdentityClient, ClientOptions, IdentityClient
from watchword.client.introspection import Introspection
from watchword.client.retries import Retries
from watchword.client.threaded_verification import TokenVerifier
from watchword.client.values import Identity, IssuedToken, Scope
from watchword.client.verification import AsyncTokenVerifier, VerifierOptions
from watchword.client.verifier_credential import VerifierCredential
from watchword.errors import InsufficientScope, InvalidConnectionString, InvalidToken, WatchwordError
from watchword.tokens.claims import AccessToken
from watchword.tokens.scopes import require_scope

__all__ = [
    "AccessKeyCredential",
    "AccessToken",
    "AsyncIdentityClient",
    "AsyncTokenCredential",
    "AsyncTokenVerifier",
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
    "InsufficientScope",
    "Introspection",
    "InvalidConnectionString",
    "InvalidToken",
    "IssuedToken",
    "NotServed",
    "Retries",
    "Scope",
    "ServiceError",
    "Throttled",
    "TokenCredential",
    "TokenVerifier",
    "TransportError",
    "Unavailable",
    "UnexpectedReply",
    "UnsupportedApiVersion",
    "UserTokenCredential",
    "ValidationError",
    "VerifierCredential",
    "VerifierOptions",
    "VerifierState",
    "WatchwordError",
    "require_scope",
]
