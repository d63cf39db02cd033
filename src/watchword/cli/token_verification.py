"""Is a token valid, and if not, which check does it fail? As a verifier elsewhere judges it, then as the service."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.cli.connection import Connection, trust_for
from watchword.client import AccessToken, InvalidToken, ServiceError, TokenVerifier, TransportError
from watchword.errors import OperatorError
from watchword.server.folders import find_folders
from watchword.wire.connection_string import parse_connection_string

REMEDIES = {
    "size": "See that it is one token, and the whole of it.",
    "format": "See that it was copied whole: three parts of letters, digits, - and _, with dots between them.",
    "header": "It was not issued by Watchword; see where it comes from.",
    "algorithm": "It was not issued by this service; whoever made it tries to pass for it.",
    "key": "It was issued by another service, or its signing key was revoked or forgotten since. Issue a new one.",
    "signature": "It was changed after it was issued, or not issued by this service.",
    "claims": "It is signed by this service's key, yet no access token: see what else uses that key.",
    "audience": "It is signed by this service's key, yet no access token: see what else uses that key.",
    "expiry": "Issue a new one; clients renew theirs with a UserTokenCredential.",
    "issued": "Set the clock of the machine that issued it, or of this one, by a time server (NTP).",
    "resource": "Ask with the connection string of the resource that it was issued by.",
    "revoked": "Issue a new one, if its bearer may have it.",
    "stale": "See whether the service runs and answers at /revocations.",
}
"""What to do about a refusal, by the check that refused."""


@dataclass(frozen=True)
class Refusal:
    """`check` names what refused; `reason` and `remedy` are sentences."""

    check: str
    reason: str
    remedy: str


def judge(token: str, connection: Connection) -> AccessToken | Refusal:
    """What the token proves, or why it proves nothing.

    Raises:
        OperatorError: the service cannot be asked.
    """
    trust = trust_for(parse_connection_string(connection.text).endpoint, find_folders())
    with TokenVerifier.from_connection_string(connection.text, verify=trust) as verifier:
        try:
            proved = verifier.verify(token)
        except InvalidToken as refused:
            trouble = verifier.state().last_error
            if refused.check in ("key", "stale") and trouble is not None:
                raise _no_help(connection, trouble) from None
            return Refusal(refused.check, refused.reason, REMEDIES.get(refused.check, "Issue a new one."))
        try:
            answer = verifier.introspect(token)
        except (ServiceError, TransportError) as error:
            raise _no_help(connection, error) from None
    if not answer.active:
        return Refusal("introspection", answer.reason or "The service says that it is not valid.", REMEDIES["revoked"])
    return proved


def _no_help(connection: Connection, error: Exception) -> OperatorError:
    return OperatorError(
        f"The token cannot be verified, because the service does not help: {error}",
        f"The address comes from {connection.origin}. Is the service running, and is it this one?",
    )
