"""Which tokens of those that verify are no longer valid, and who knows.

A token carries the generation of its identity and of its resource at the time of issue. Revoking raises the
generation, so that what was issued before is dead and what is issued next lives, even within the same microsecond;
no clock takes part. A single token, everything made with one access key and everything signed by one signing key can
be revoked too. The strictest of all kinds decides, never the first that is found (CVE-2026-18218, CVE-2026-8922).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from watchword.errors import InvalidToken
from watchword.tokens.claims import Claims


@dataclass(frozen=True, slots=True)
class CutOffs:
    """What a token must reach to be live; the defaults cut nothing off.

    `valid_from_micros` is compared with the issue time in microseconds since 1970.
    """

    generation: int = 0
    resource_generation: int = 0
    valid_from_micros: int = 0
    deleted: bool = False
    token_revoked: bool = False
    access_key_revoked: bool = False
    signing_key_revoked: bool = False


class RevocationSource(Protocol):
    """Answers at once from what it has at hand: a local set that a feed keeps fresh, or nothing at all."""

    def cutoffs(self, claims: Claims, kid: str) -> CutOffs:
        """Find the cut-offs that hold for a token with these claims and this key.

        Raises:
            InvalidToken: check `stale`; what is at hand is too old to decide by.
        """
        ...


class NothingRevoked:
    """A source for callers that check revocation elsewhere."""

    def cutoffs(self, claims: Claims, kid: str) -> CutOffs:
        del claims, kid
        return CutOffs()


def require_live(claims: Claims, cutoffs: CutOffs) -> None:
    """Let a token pass that was not revoked.

    Raises:
        InvalidToken: check `revoked`; the reason says by which kind.
    """
    if cutoffs.deleted:
        raise InvalidToken("revoked", "The token's identity, or its resource, was deleted.")
    if claims.gen < cutoffs.generation:
        raise InvalidToken("revoked", "The tokens of this identity were revoked after this one was issued.")
    if claims.iatMicros < cutoffs.valid_from_micros:
        raise InvalidToken("revoked", "The token was issued before the time from which its identity's tokens count.")
    if cutoffs.token_revoked:
        raise InvalidToken("revoked", "This token was revoked.")
    if claims.resourceGen < cutoffs.resource_generation:
        raise InvalidToken("revoked", "The tokens of this resource were revoked after this one was issued.")
    if cutoffs.access_key_revoked:
        raise InvalidToken("revoked", "The access key that asked for this token was replaced.")
    if cutoffs.signing_key_revoked:
        raise InvalidToken("revoked", "The signing key of this token was revoked.")
