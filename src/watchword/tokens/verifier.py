"""Is this a token that we signed, still in time, and not revoked? Signatures themselves are `tokens.jws`."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from watchword.clock import Clock
from watchword.errors import InvalidToken
from watchword.tokens.claims import LONGEST_LIFETIME, AccessToken, Claims, to_access_token
from watchword.tokens.cutoffs import RevocationSource, require_live
from watchword.tokens.jwks import KeySet, VerificationKey
from watchword.tokens.jws import require_size, verify_jws

DEFAULT_CACHE_SIZE = 10_000

_LONGEST_LIFETIME_SECONDS = LONGEST_LIFETIME // timedelta(seconds=1)
_LARGEST_SKEW_MICROS = timedelta(minutes=5) // timedelta(microseconds=1)
"""How far ahead of this machine's clock the clock that stamped a token may be, beside the leeway."""

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
    is how far the clocks of issuer and verifier may differ at expiry. Where an `issuer` is given, a token that names
    another one is refused; one that names none was made before 0.3.0, or by setting. `keys` may be replaced at any
    time.
    """

    def __init__(
        self,
        keys: KeySet,
        revocations: RevocationSource,
        clock: Clock,
        *,
        resources: Collection[str] | None = None,
        issuer: str | None = None,
        leeway: timedelta = timedelta(0),
        cache_size: int = DEFAULT_CACHE_SIZE,
    ) -> None:
        self.keys = keys
        self._revocations = revocations
        self._clock = clock
        self._resources = None if resources is None else frozenset(resource.lower() for resource in resources)
        self._issuer = None if issuer is None else issuer.rstrip("/").lower()
        self._leeway_micros = round(leeway / timedelta(microseconds=1))
        self._cache_size = cache_size
        self._cache: dict[bytes, tuple[Proof, AccessToken]] = {}

    def verify(self, token: str) -> AccessToken:
        """What the token proves.

        Raises:
            InvalidToken: it proves nothing; `check` says which check failed.
        """
        require_size(token)
        # A digest, so that the cache holds nothing that could be presented as a token.
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        found = self._cache.get(digest)
        if found is None or self.keys.find(found[0].key.kid) != found[0].key:
            proof = read_signed(token, self.keys)
            found = (proof, to_access_token(proof.claims))
            self._require_resource(proof.claims)
            self._require_issuer(proof.claims)
            self._remember(digest, found)
        proof, access_token = found
        require_in_time(proof.claims, self._clock.micros(), self._leeway_micros)
        require_live(proof.claims, self._revocations.cutoffs(proof.claims, proof.key.kid))
        return access_token

    def _require_resource(self, claims: Claims) -> None:
        if self._resources is not None and claims.resourceId not in self._resources:
            raise InvalidToken("resource", "The token is of another resource.")

    def _require_issuer(self, claims: Claims) -> None:
        if self._issuer is not None and claims.iss not in (None, self._issuer):
            raise InvalidToken("issuer", "The token is of another issuer.")

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
        InvalidToken: check `size`, `format`, `header`, `key`, `algorithm`, `signature`, `claims` or `audience`.
    """
    payload, key = verify_jws(token, keys)
    try:
        claims = _claims.decode(payload)
    except (ValueError, RecursionError):
        raise InvalidToken("claims", "The token is signed, but its claims are not those of an access token.") from None
    # A revocation is kept as long as the longest token may live: one that lived longer would outlive its revocation.
    if not 0 < claims.exp - claims.iat <= _LONGEST_LIFETIME_SECONDS:
        raise InvalidToken("claims", "The token is signed, but lives longer than an access token may.")
    # Both say which resource it is of; a stock verifier looks at the one, and Watchword's own at the other.
    if claims.aud is not None and claims.aud != claims.resourceId:
        raise InvalidToken("audience", "The token is signed, but its audience (aud) is not its resource.")
    return Proof(claims, key)


def require_in_time(claims: Claims, now_micros: int, leeway_micros: int = 0) -> None:
    """Expiry is a required claim: a token without one would be valid for ever.

    One that a clock far ahead stamped would outlive its revocation, which is kept by clocks that are right.

    Raises:
        InvalidToken: check `expiry`; or `issued`, where it was issued more than five minutes from now.
    """
    if now_micros >= claims.exp * 1_000_000 + leeway_micros:
        raise InvalidToken("expiry", "The token has expired.")
    if claims.iat * 1_000_000 > now_micros + _LARGEST_SKEW_MICROS + leeway_micros:
        raise InvalidToken("issued", "The token was issued in the future: a clock is wrong, there or here.")
