"""The key set that a verifier holds: fetched from `/.well-known/jwks.json`, kept through failures, without I/O.

    GET /.well-known/jwks.json          If-None-Match: "<the tag of the last answer>"
    200 with the set, or 304            Cache-Control: public, max-age=300

A fetch that fails, or that brings no usable key, changes nothing. A token that names an unknown key may cause a fetch,
once in a while: a storm of invented key ids must not become a storm of fetches (GHSA-fhv5-28vv-h8m8).
"""

from __future__ import annotations

import re
from datetime import timedelta

from watchword.client.errors import ServiceError, TransportError, UnexpectedReply
from watchword.client.fetching import Question, backoff, refusal
from watchword.client.replies import Reply
from watchword.client.requests import Request
from watchword.clock import Clock
from watchword.errors import InvalidToken
from watchword.tokens.jwks import KeySet
from watchword.wire.verification import KEY_SET

MAXIMUM_AGE = timedelta(hours=24)
"""A set that could not be renewed for so long is used no more.

Less than revocations are kept, so that a revoked key never outlives, in a set that is kept, the knowledge that it was
revoked.
"""

UNKNOWN_KEY_PAUSE = timedelta(seconds=5)
"""Between two fetches that tokens with unknown keys cause."""

LARGEST_KEY_SET_BYTES = 256 * 1024

_DEFAULT_MAX_AGE_SECONDS = 300
_LONGEST_MAX_AGE_SECONDS = 3_600
_DEADLINE = timedelta(seconds=5)
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)


class HeldKeySet:
    """The last good set. Times are steady seconds; one task writes, any thread reads `keys`."""

    def __init__(self, clock: Clock) -> None:
        self.keys = KeySet(())
        self.error: ServiceError | TransportError | None = None
        self._clock = clock
        self._body = b""
        self._tag = ""
        self._fresh_at: float | None = None
        self._failures = 0
        self._unknown_asked_at: float | None = None

    def question(self) -> Question:
        headers = {"If-None-Match": self._tag} if self._tag else {}
        return Question(Request("GET", KEY_SET.path), headers, _DEADLINE, LARGEST_KEY_SET_BYTES, is_public=True)

    def take(self, answer: Reply | TransportError, sent: float) -> float:
        """Learn from an answer; how many seconds to wait before the next question."""
        if self._fresh_at is not None and sent < self._fresh_at:
            # A later question was answered before this one: what it said is newer.
            return 0.0
        match self._read(answer):
            case Reply() as reply:
                self.error, self._failures, self._fresh_at = None, 0, sent
                # Three quarters, so that the next set is there before this one is older than it may be.
                return max(_max_age_seconds(reply) * 0.75, 1.0)
            case error:
                self.error = error
                self._failures += 1
                return backoff(self._failures, error)

    def may_ask_for_unknown(self, now: float) -> bool:
        asked = self._unknown_asked_at
        return asked is None or now - asked >= UNKNOWN_KEY_PAUSE.total_seconds()

    def note_unknown(self, now: float) -> None:
        """A fetch for an unknown key begins; the next has to wait."""
        self._unknown_asked_at = now

    def require_fresh(self, now: float) -> None:
        """Refuse to decide by a set that is too old.

        Raises:
            InvalidToken: check `stale`; there is no set, or one that is too old.
        """
        if self._fresh_at is None:
            raise InvalidToken("stale", "The key set could not be fetched yet.")
        if now - self._fresh_at > MAXIMUM_AGE.total_seconds():
            raise InvalidToken("stale", "The key set could not be renewed for too long.")

    def _read(self, answer: Reply | TransportError) -> Reply | ServiceError | TransportError:
        """The answer itself, where it is good."""
        if isinstance(answer, TransportError) or (answer.status == 304 and self._tag):
            return answer
        if (refused := refusal(answer, self._clock)) is not None:
            return refused
        try:
            self._hold(answer)
        except UnexpectedReply as error:
            return error
        return answer

    def _hold(self, reply: Reply) -> None:
        if reply.body != self._body:
            try:
                fetched = list(KeySet.from_json(reply.body))
            except (ValueError, RecursionError):
                raise reply.unexpected("The reply is not a key set; is the endpoint right?") from None
            if not fetched:
                raise reply.unexpected("The key set holds no key that can verify a token.")
            # A key that did not change stays the same object, which keeps what was verified with it in the cache.
            self.keys = KeySet(known if (known := self.keys.find(key.kid)) == key else key for key in fetched)
            self._body = reply.body
        self._tag = reply.headers.get("etag", "")


def _max_age_seconds(reply: Reply) -> int:
    found = _MAX_AGE.search(reply.headers.get("cache-control", ""))
    return min(int(found[1]), _LONGEST_MAX_AGE_SECONDS) if found else _DEFAULT_MAX_AGE_SECONDS
