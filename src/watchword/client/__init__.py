"""The Python client library: the Identity API, and verifying tokens elsewhere; everything is imported from here.

It knows the wire and the tokens, and nothing of the server.
"""

from watchword.client.async_credential import AsyncUserTokenCredential
from watchword.client.async_trusted_server import AsyncTrustedServer
from watchword.client.authentication import AccessKeyCredential, AsyncTokenCredential, BearerToken, TokenCredential
from watchword.client.credential import UserTokenCredential
from watchword.client.errors import (
    CertificateNotTrusted,
    Denied,
    IdentityNotFound,
    IdentityNotOwned,
    NotServed,
    RefreshFailed,
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
from watchword.client.history_imports import AsyncHistoryImports, HistoryImports
from watchword.client.history_values import HistoryImport, HistoryParticipant, HistoryRecord
from watchword.client.identity import AsyncIdentityClient, ClientOptions, IdentityClient
from watchword.client.inbox import AsyncInbox, Inbox
from watchword.client.inbox_values import InboxMessage, InboxThread
from watchword.client.introspection import Introspection
from watchword.client.options import ConnectionOptions
from watchword.client.retries import Retries
from watchword.client.threaded_verification import TokenVerifier
from watchword.client.trusted_server import TrustedServer
from watchword.client.trusted_values import ChatMessage, ChatParticipant, ChatSocket, ChatThread, Restriction
from watchword.client.values import Identity, IssuedToken, Scope
from watchword.client.verification import AsyncTokenVerifier, VerifierOptions
from watchword.client.verifier_credential import VerifierCredential
from watchword.errors import InsufficientScope, InvalidConnectionString, InvalidToken, WatchwordError
from watchword.tokens.claims import AccessToken
from watchword.tokens.scopes import require_scope

__all__ = [
    "AccessKeyCredential",
    "AccessToken",
    "AsyncHistoryImports",
    "AsyncIdentityClient",
    "AsyncInbox",
    "AsyncTokenCredential",
    "AsyncTokenVerifier",
    "AsyncTrustedServer",
    "AsyncUserTokenCredential",
    "BearerToken",
    "CertificateNotTrusted",
    "ChatMessage",
    "ChatParticipant",
    "ChatSocket",
    "ChatThread",
    "ClientOptions",
    "ConnectionOptions",
    "CurrentToken",
    "Denied",
    "HistoryImport",
    "HistoryImports",
    "HistoryParticipant",
    "HistoryRecord",
    "Identity",
    "IdentityClient",
    "IdentityNotFound",
    "IdentityNotOwned",
    "Inbox",
    "InboxMessage",
    "InboxThread",
    "InsufficientScope",
    "Introspection",
    "InvalidConnectionString",
    "InvalidToken",
    "IssuedToken",
    "NotServed",
    "RefreshFailed",
    "Restriction",
    "Retries",
    "Scope",
    "ServiceError",
    "Throttled",
    "TokenCredential",
    "TokenVerifier",
    "TransportError",
    "TrustedServer",
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
