"""What a verifier has at hand, and how it judges tokens by it: no network, no waiting, any thread."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from watchword.client.errors import ServiceError, TransportError
from watchword.client.fetching import Question
from watchword.client.key_sets import HeldKeySet
from watchword.client.replies import Reply
from watchword.client.revocation_set import LONGEST_LEEWAY, RevocationSet, WhenStale
from watchword.client.subscriber import Subscriber
from watchword.clock import Clock
from watchword.tokens.claims import AccessToken
from watchword.tokens.verifier import DEFAULT_CACHE_SIZE, Verifier


@dataclass(frozen=True, slots=True)
class VerifierState:
    """How a verifier fares.

    `connected`: the last poll of the feed was answered. `staleness`: how long ago the revocations at hand were known
    to be complete, or None where they never were. `last_error`: what stands in the way now, of feed or key set.
    """

    connected: bool
    staleness: timedelta | None
    revocations: int
    last_error: ServiceError | TransportError | None


class Evidence:
    """The key set, the revocations, and the tokens that were verified before."""

    def __init__(
        self,
        clock: Clock,
        steady: Callable[[], float],
        *,
        resources: Collection[str] | None,
        issuer: str | None,
        leeway: timedelta,
        max_staleness: timedelta,
        when_stale: WhenStale,
        cache_size: int = DEFAULT_CACHE_SIZE,
    ) -> None:
        if not timedelta(0) <= leeway <= LONGEST_LEEWAY:
            raise ValueError(f"leeway is between 0 and {LONGEST_LEEWAY}: revocations are not kept for longer")
        if max_staleness <= timedelta(0):
            raise ValueError("max_staleness is more than nothing")
        if when_stale not in ("refuse", "accept"):
            raise ValueError("when_stale is 'refuse' or 'accept'")
        self._held_keys = HeldKeySet(clock)
        self._has_key_set_answer = False
        self.revocations = RevocationSet(max_staleness=max_staleness, when_stale=when_stale, steady=steady)
        self.subscriber = Subscriber(self.revocations, max_staleness, clock)
        self._steady = steady
        self._verifier = Verifier(
            self._held_keys.keys,
            self.revocations,
            clock,
            resources=resources,
            issuer=issuer,
            leeway=leeway,
            cache_size=cache_size,
        )

    @property
    def settled(self) -> bool:
        """Whether feed and key set were each heard of once, be it that they failed."""
        return self.subscriber.settled and self._has_key_set_answer

    def verify(self, token: str) -> AccessToken:
        """Verify the token by what is at hand.

        Raises:
            InvalidToken: the token proves nothing; `check` says which check failed.
        """
        self._held_keys.require_fresh(self._steady())
        return self._verifier.verify(token)

    def key_set_question(self) -> Question:
        return self._held_keys.question()

    def take_key_set(self, answer: Reply | TransportError, sent: float) -> float:
        """Learn from an answer; how many seconds to wait before the next question."""
        delay = self._held_keys.take(answer, sent)
        self._verifier.keys = self._held_keys.keys
        # Last: other threads judge by it from now on.
        self._has_key_set_answer = True
        return delay

    def may_ask_for_unknown_key(self) -> bool:
        """Whether a token that names an unknown key may cause a fetch now.

        When a signing key was revoked another one signs at once. To know it does not wait until the pause is over that
        somebody's invented key id began: it is the service that told of it, so no storm can come of that.
        """
        return self.subscriber.signing_key_revoked or self._held_keys.may_ask_for_unknown(self._steady())

    def note_unknown_key(self) -> None:
        """A fetch for an unknown key begins; the next has to wait."""
        self.subscriber.signing_key_revoked = False
        self._held_keys.note_unknown(self._steady())

    def state(self) -> VerifierState:
        feed = self.subscriber
        return VerifierState(
            connected=feed.settled and feed.error is None,
            staleness=self.revocations.staleness(),
            revocations=len(self.revocations),
            last_error=feed.error or self._held_keys.error,
        )
