"""The access token, pure and usable alone: its scopes and claims, how it is issued, and how it is verified.

Nothing here does I/O or asks the time; who accepts tokens imports `watchword.tokens`.
"""

from watchword.errors import InvalidToken
from watchword.tokens.claims import AccessToken, Claims
from watchword.tokens.cutoffs import CutOffs, RevocationSource, require_live
from watchword.tokens.jwks import KeySet, VerificationKey
from watchword.tokens.verifier import Verifier

__all__ = [
    "AccessToken",
    "Claims",
    "CutOffs",
    "InvalidToken",
    "KeySet",
    "RevocationSource",
    "VerificationKey",
    "Verifier",
    "require_live",
]
