"""Is this a token that we signed, still in time, and not revoked?

The order matters: nothing a token says is believed before its signature was checked, and the signature is checked
with the algorithm of the key, never with the token's own (CVE-2015-9235 and its many children). A header may name a key
id; a key that it carries or points to (`jwk`, `jku`, `x5u`) is never looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from watchword.clock import Clock
from watchword.errors import InvalidToken
from watchword.tokens.claims import AccessToken, Claims, to_access_token
from watchword.tokens.cutoffs import RevocationSource, require_live
from watchword.tokens.jwks import KeySet, VerificationKey, decode_base64url

MAXIMUM_TOKEN_BYTES = 8_192
"""Ours have some 900; what is longer is refused before a byte of it is decoded (CVE-2025-61920)."""

DEFAULT_CACHE_SIZE = 10_000


class _Header(msgspec.Struct):
    alg: str
    kid: str
    typ: str = "JWT"
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    b64: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_headers = msgspec.json.Decoder(_Header)
_claims = msgspec.json.Decoder(Claims)


@dataclass(frozen=True, slots=True)
class Proof:
    """The claims of a token whose signature was checked, and the key that made it; expiry and revocation were not."""

    claims: Claims
    key: VerificationKey


class Verifier:
    """Verifies tokens against a key set and a source of revocations, both at hand; safe to share between threads.

    A token that was verified before costs a look-up: every hit checks again that its key is in the key set, that it is
    in time, and that it is live. `resources` are the only ones whose tokens are accepted, if any are named; `leeway`
    is how far the clocks of issuer and verifier may differ at expiry. `keys` may be replaced at any time.
    """

    def __init__(
        self,
        keys: KeySet,
        revocations: RevocationSource,
        clock: Clock,
        *,
        resources: Collection[str] | None = None,
        leeway: timedelta = timedelta(0),
        cache_size: int = DEFAULT_CACHE_SIZE,
    ) -> None:
        self.keys = keys
        self._revocations = revocations
        self._clock = clock
        self._resources = None if resources is None else frozenset(resource.lower() for resource in resources)
        self._leeway_micros = round(leeway / timedelta(microseconds=1))
        self._cache_size = cache_size
        self._cache: dict[bytes, tuple[Proof, AccessToken]] = {}

    def verify(self, token: str) -> AccessToken:
        """What the token proves.

        Raises:
            InvalidToken: it proves nothing; `check` says which check failed.
        """
        # A digest, so that the cache holds nothing that could be presented as a token.
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        found = self._cache.get(digest)
        if found is None or self.keys.find(found[0].key.kid) != found[0].key:
            proof = read_signed(token, self.keys)
            found = (proof, to_access_token(proof.claims))
            self._require_resource(proof.claims)
            self._remember(digest, found)
        proof, access_token = found
        require_in_time(proof.claims, self._clock, self._leeway_micros)
        require_live(proof.claims, self._revocations.cutoffs(proof.claims, proof.key.kid))
        return access_token

    def _require_resource(self, claims: Claims) -> None:
        if self._resources is not None and claims.resourceId not in self._resources:
            raise InvalidToken("resource", "The token is of another resource.")

    def _remember(self, digest: bytes, found: tuple[Proof, AccessToken]) -> None:
        while len(self._cache) >= self._cache_size > 0:
            try:
                self._cache.pop(next(iter(self._cache)), None)
            except (RuntimeError, StopIteration):
                # Another thread changed the dictionary between the two calls; it made room, or the next turn will.
                continue
        if self._cache_size > 0:
            self._cache[digest] = found


def read_signed(token: str, keys: KeySet) -> Proof:
    """The claims of a token that one of the keys signed, whether it is still in time or not.

    Raises:
        InvalidToken: check `size`, `format`, `header`, `key`, `algorithm`, `signature` or `claims`.
    """
    if len(token) > MAXIMUM_TOKEN_BYTES:
        raise InvalidToken("size", f"The token is longer than {MAXIMUM_TOKEN_BYTES} characters.")
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        raise InvalidToken("format", "A token has three parts of base64url, separated by dots.")
    header = _read_header(parts[0])
    key = keys.find(header.kid)
    if key is None:
        raise InvalidToken("key", "The token names a signing key that is not in the key set.")
    if header.alg != key.algorithm:
        raise InvalidToken("algorithm", f"The token's algorithm is not its key's, which is {key.algorithm}.")
    try:
        payload, signature = decode_base64url(parts[1]), decode_base64url(parts[2])
    except ValueError:
        raise InvalidToken("format", "The token's parts are not base64url.") from None
    if not key.verify(signature, f"{parts[0]}.{parts[1]}".encode("ascii")):
        raise InvalidToken("signature", "The token's signature does not match its content.")
    try:
        return Proof(_claims.decode(payload), key)
    except (ValueError, RecursionError):
        raise InvalidToken("claims", "The token is signed, but its claims are not those of an access token.") from None


def key_id(token: str) -> str:
    """The key id that a token names, which proves nothing yet: for fetching a key set that may hold it.

    Raises:
        InvalidToken: check `size`, `format` or `header`.
    """
    if len(token) > MAXIMUM_TOKEN_BYTES:
        raise InvalidToken("size", f"The token is longer than {MAXIMUM_TOKEN_BYTES} characters.")
    return _read_header(token.partition(".")[0]).kid


def require_in_time(claims: Claims, clock: Clock, leeway_micros: int = 0) -> None:
    """Expiry is a required claim: a token without one would be valid for ever.

    Raises:
        InvalidToken: check `expiry`.
    """
    if clock.micros() >= claims.exp * 1_000_000 + leeway_micros:
        raise InvalidToken("expiry", "The token has expired.")


def _read_header(segment: str) -> _Header:
    try:
        header = _headers.decode(decode_base64url(segment))
    except (ValueError, RecursionError):
        raise InvalidToken("format", "The token's header is not base64url of JSON with alg and kid.") from None
    if header.crit is not msgspec.UNSET or header.b64 is not msgspec.UNSET:
        raise InvalidToken("header", "The token's header demands an extension (crit, b64) that is not known.")
    if header.typ.upper() != "JWT":
        raise InvalidToken("header", "The token's type (typ) is not JWT.")
    return header
