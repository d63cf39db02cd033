"""What a verifier knows of revocations: a local set that the feed keeps fresh, asked once for every token.

Threads. One writer (whoever follows the feed) and any number of readers, which take no lock. What is published is
either whole or unchanged: a reference is swapped, or one key of a dictionary is set to an immutable value; Python does
both in one step, with or without the global lock. A reader takes, in this order, the instant that the set is known to
be fresh at, the entries, and the time: the entries are at least as new as that instant, so a reader that is stopped in
between can only find the set older than it is, never fresher.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Literal, NamedTuple, get_args

from watchword.clock import steady_seconds
from watchword.errors import InvalidToken
from watchword.tokens.claims import LONGEST_LIFETIME, Claims
from watchword.tokens.cutoffs import CutOffs
from watchword.wire.verification import Kind, Revocation, RevocationPage

WhenStale = Literal["refuse", "accept"]

LONGEST_LEEWAY = timedelta(hours=1)
KEPT = LONGEST_LIFETIME + LONGEST_LEEWAY
"""How long an entry is kept: until no token that it concerns can be in time, with the largest leeway.

A token that a clock far ahead stamped can be in time later still. The service knows of it, and tells its revocation
again in the snapshot that is asked for before the entry goes.
"""

RENEWED_AFTER = LONGEST_LIFETIME

_NOTHING_CUT_OFF = CutOffs()


class _Entry(NamedTuple):
    generation: int
    valid_from_micros: int
    deleted: bool
    kept_until: float


class _Entries:
    """Entries by kind and id, and the order in which they go."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, _Entry]] = {kind: {} for kind in get_args(Kind)}
        self._ageing: deque[tuple[float, str, str]] = deque()

    def __len__(self) -> int:
        return sum(map(len, self.kinds.values()))

    def add(self, revocation: Revocation, kept_until: float) -> None:
        """The strictest of what was known and what is told."""
        known = self.kinds[revocation.kind].get(revocation.id, _Entry(0, 0, False, 0.0))
        self.kinds[revocation.kind][revocation.id] = _Entry(
            max(known.generation, revocation.generation),
            max(known.valid_from_micros, revocation.validFrom),
            known.deleted or revocation.deleted,
            kept_until,
        )
        self._ageing.append((kept_until, revocation.kind, revocation.id))

    def forget(self, now: float) -> None:
        while self._ageing and self._ageing[0][0] <= now:
            _, kind, id = self._ageing.popleft()
            entry = self.kinds[kind].get(id)
            # One that was told again since has a later place in the line.
            if entry is not None and entry.kept_until <= now:
                del self.kinds[kind][id]


class RevocationSet:
    """A `RevocationSource` for the tokens of one resource, the one whose feed it is given.

    `when_stale` says what becomes of tokens while the set is older than `max_staleness`: refused, or judged by what
    was known last. Before the first page nothing is known, and all are refused either way.
    """

    def __init__(
        self,
        *,
        max_staleness: timedelta,
        when_stale: WhenStale = "refuse",
        steady: Callable[[], float] = steady_seconds,
    ) -> None:
        self._max_staleness_seconds = max_staleness.total_seconds()
        self._accepts_stale = when_stale == "accept"
        self._steady = steady
        self._entries = _Entries()
        self._draft: _Entries | None = None
        self._resource = ""
        self._fresh_at: float | None = None
        self._begun_at = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    def apply(self, page: RevocationPage, sent: float) -> None:
        """Take over a page; `sent` is the steady time at which it was asked for.

        What was committed before a question was sent is in its answer; what came later may not be. So the answer's
        own time of arrival, which a slow network or a stopped process makes any later, counts for nothing.
        """
        now = self._steady()
        if page.snapshot:
            self._draft, self._begun_at = _Entries(), sent
        elif self._fresh_at is None and self._draft is None:
            raise ValueError("the feed's first page is not a snapshot")
        entries = self._entries if self._draft is None else self._draft
        for revocation in page.revocations:
            entries.add(revocation, now + KEPT.total_seconds())
        entries.forget(now)
        if not page.more:
            self._resource = page.resource.lower()
            self._entries, self._draft = entries, None
            self._fresh_at = sent

    @property
    def wants_snapshot(self) -> bool:
        """Whether it is time to be told everything anew."""
        return self._steady() - self._begun_at >= RENEWED_AFTER.total_seconds()

    def staleness(self) -> timedelta | None:
        """How long ago the set was last known to be complete, or None where it never was."""
        fresh_at = self._fresh_at
        return None if fresh_at is None else timedelta(seconds=self._steady() - fresh_at)

    def cutoffs(self, claims: Claims, kid: str) -> CutOffs:
        """Find the cut-offs that hold for a token with these claims and this key.

        Raises:
            InvalidToken: check `stale`; the set is too old to decide by. Check `resource`; it knows nothing of that
                one.
        """
        fresh_at = self._fresh_at
        cutoffs = _find(self._entries.kinds, claims, kid)
        if fresh_at is None:
            raise InvalidToken("stale", "Which tokens are revoked is not known yet; the feed has not answered.")
        if self._steady() - fresh_at > self._max_staleness_seconds and not self._accepts_stale:
            raise InvalidToken("stale", "Which tokens are revoked has not been heard for too long.")
        if claims.resourceId != self._resource:
            raise InvalidToken("resource", "The token is of another resource than the revocations that are followed.")
        return cutoffs


def _find(kinds: dict[str, dict[str, _Entry]], claims: Claims, kid: str) -> CutOffs:
    identity = kinds["identity"].get(claims.skypeid)
    resource = kinds["resource"].get(claims.resourceId)
    token_revoked = claims.jti in kinds["token"]
    access_key_revoked = claims.accessKey in kinds["accessKey"]
    signing_key_revoked = kid in kinds["signingKey"]
    if identity is None and resource is None and not (token_revoked or access_key_revoked or signing_key_revoked):
        return _NOTHING_CUT_OFF
    return CutOffs(
        generation=identity.generation if identity else 0,
        resource_generation=resource.generation if resource else 0,
        valid_from_micros=max(entry.valid_from_micros if entry else 0 for entry in (identity, resource)),
        deleted=any(entry.deleted for entry in (identity, resource) if entry),
        token_revoked=token_revoked,
        access_key_revoked=access_key_revoked,
        signing_key_revoked=signing_key_revoked,
    )
