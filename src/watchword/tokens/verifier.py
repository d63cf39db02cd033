"""Is this a token that we signed, still in time, and not revoked?

The order matters: nothing a token says is believed before its signature was checked, and the signature is checked
with the algorithm of the key, never with the token's own (CVE-2015-9235 and its many children). A header may name a key
id; a key that it carries or points to (`jwk`, `jku`, `x5u`) is never looked at.
"""

from __future__ import annotations

import msgspec

from watchword.clock import Clock
from watchword.errors import InvalidToken
from watchword.tokens.claims import AccessToken, Claims, to_access_token
from watchword.tokens.cutoffs import RevocationSource, require_live
from watchword.tokens.jwks import KeySet, decode_base64url

MAXIMUM_TOKEN_BYTES = 8_192
"""Ours have some 900; what is longer is refused before a byte of it is decoded."""


class _Header(msgspec.Struct):
    alg: str
    kid: str
    typ: str = ""
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_headers = msgspec.json.Decoder(_Header)
_claims = msgspec.json.Decoder(Claims)


class Verifier:
    """Verifies tokens against a key set and a source of revocations, both at hand."""

    def __init__(self, keys: KeySet, revocations: RevocationSource, clock: Clock) -> None:
        self._keys = keys
        self._revocations = revocations
        self._clock = clock

    def verify(self, token: str) -> AccessToken:
        """What the token proves.

        Raises:
            InvalidToken: it proves nothing; `check` says which check failed.
        """
        claims = read_signed(token, self._keys)
        require_in_time(claims, self._clock)
        require_live(claims, self._revocations.cutoffs(claims))
        return to_access_token(claims)


def read_signed(token: str, keys: KeySet) -> Claims:
    """The claims of a token that one of the keys signed, whether it is still in time or not.

    Raises:
        InvalidToken: check `size`, `format`, `header`, `key`, `algorithm`, `signature` or `claims`.
    """
    if len(token) > MAXIMUM_TOKEN_BYTES:
        raise InvalidToken("size", f"The token is longer than {MAXIMUM_TOKEN_BYTES} characters.")
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        raise InvalidToken("format", "A token has three parts of base64url, separated by dots.")
    try:
        header = _headers.decode(decode_base64url(parts[0]))
        payload, signature = decode_base64url(parts[1]), decode_base64url(parts[2])
    except (ValueError, RecursionError):
        raise InvalidToken("format", "The token's parts are not base64url, or its header is not JSON.") from None
    if header.crit is not msgspec.UNSET:
        raise InvalidToken("header", "The token's header demands an extension (crit) that is not known.")
    key = keys.find(header.kid)
    if key is None:
        raise InvalidToken("key", "The token names a signing key that is not in the key set.")
    if header.alg != key.algorithm:
        raise InvalidToken("algorithm", f"The token's algorithm is not its key's, which is {key.algorithm}.")
    if not key.verify(signature, f"{parts[0]}.{parts[1]}".encode("ascii")):
        raise InvalidToken("signature", "The token's signature does not match its content.")
    try:
        return _claims.decode(payload)
    except (ValueError, RecursionError):
        raise InvalidToken("claims", "The token is signed, but its claims are not those of an access token.") from None


def require_in_time(claims: Claims, clock: Clock) -> None:
    """Expiry is a required claim: a token without one would be valid for ever.

    Raises:
        InvalidToken: check `expiry`.
    """
    if clock.micros() >= claims.exp * 1_000_000:
        raise InvalidToken("expiry", "The token has expired.")
