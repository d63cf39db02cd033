"""The access token, pure and usable alone: its scopes and claims, how it is issued, and how it is verified.

Nothing here does I/O or asks the time; who accepts tokens imports `watchword.tokens`.
"""

from watchword.errors import InsufficientScope, InvalidToken
from watchword.tokens.claims import AccessToken, Claims
from watchword.tokens.cutoffs import CutOffs, NothingRevoked, RevocationSource, require_live
from watchword.tokens.jwks import KeySet, VerificationKey
from watchword.tokens.jws import key_id
from watchword.tokens.scopes import require_scope
from watchword.tokens.verifier import Proof, Verifier, read_signed

__all__ = [
    "AccessToken",
    "Claims",
    "CutOffs",
    "InsufficientScope",
    "InvalidToken",
    "KeySet",
    "NothingRevoked",
    "Proof",
    "RevocationSource",
    "VerificationKey",
    "Verifier",
    "key_id",
    "read_signed",
    "require_live",
    "require_scope",
]
