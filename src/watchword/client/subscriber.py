"""Following the feed of revocations by long polls: what to ask next, and what an answer means. Without I/O.

    GET /revocations                              a snapshot, at once
    GET /revocations?since=<cursor>&wait=3.333    what came after, or an empty page when the time is up

A poll waits a third of `max_staleness` at the most, and is given up a sixth later: one may be lost, or hang, and the
next, which does not wait, still comes in time.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import msgspec

from watchword.client.errors import ServiceError, TransportError
from watchword.client.fetching import Question, backoff, refusal
from watchword.client.replies import Reply
from watchword.client.requests import Request
from watchword.client.revocation_set import RevocationSet
from watchword.clock import Clock
from watchword.wire.verification import REVOCATIONS, RevocationPage

LONGEST_WAIT = timedelta(seconds=25)
"""Proxies commonly give up on a silent connection after thirty seconds."""

LARGEST_PAGE_BYTES = 4 * 1024 * 1024

_PATIENCE = timedelta(seconds=5)
_SHORTEST_GRACE = timedelta(seconds=1)
_pages = msgspec.json.Decoder(RevocationPage)


class Subscriber:
    """Keeps a `RevocationSet` fresh; `error` says why it is not, where the last poll failed.

    `signing_key_revoked` is set when the service tells of one, and taken back by who has drawn the consequence.
    """

    def __init__(self, revocations: RevocationSet, max_staleness: timedelta, clock: Clock) -> None:
        self.settled = False
        self.signing_key_revoked = False
        self.error: ServiceError | TransportError | None = None
        self._revocations = revocations
        self._wait = min(LONGEST_WAIT, max_staleness / 3)
        self._grace = min(max(max_staleness / 6, _SHORTEST_GRACE), _PATIENCE)
        self._longest_pause_seconds = self._wait.total_seconds()
        self._clock = clock
        self._cursor: str | None = None
        self._more = False
        self._failures = 0

    def question(self) -> Question:
        """The next poll. It waits for news only where the last one brought all there was."""
        if not self._more and self._revocations.wants_snapshot:
            self._cursor = None
        wait = timedelta(0) if self._cursor is None or self._more or self.error else self._wait
        query: dict[str, str] = {}
        if self._cursor is not None:
            query["since"] = self._cursor
        if wait:
            query["wait"] = f"{wait.total_seconds():.3f}"
        target = f"{REVOCATIONS.path}?{urlencode(query)}" if query else REVOCATIONS.path
        return Question(Request("GET", target), {}, wait + self._grace if wait else _PATIENCE, LARGEST_PAGE_BYTES)

    def take(self, answer: Reply | TransportError, sent: float) -> float:
        """Learn from an answer; how many seconds to wait before the next question."""
        self.error = self._read(answer, sent)
        if self.error is None:
            self._failures = 0
            self.settled = self.settled or not self._more
            return 0.0
        self.settled = True
        self._failures += 1
        return backoff(self._failures, self.error, longest_seconds=self._longest_pause_seconds)

    def _read(self, answer: Reply | TransportError, sent: float) -> ServiceError | TransportError | None:
        if isinstance(answer, TransportError):
            return answer
        if (error := refusal(answer, self._clock)) is not None:
            return error
        try:
            page = _pages.decode(answer.body)
            if page.more and page.cursor == self._cursor:
                raise ValueError("the feed promises more and does not go on")
            self._revocations.apply(page, sent)
        except (ValueError, RecursionError):
            # Not a page, or one of a kind that this version does not know. Going on with the parts that it does know
            # could miss a revocation; not going on lets the set grow stale, which refuses.
            return answer.unexpected("The reply is not a page of revocations; is the endpoint right?")
        self._cursor, self._more = page.cursor, page.more
        if any(revocation.kind == "signingKey" for revocation in page.revocations):
            self.signing_key_revoked = True
        return None
