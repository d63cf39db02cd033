"""When a call is tried again, and how long after.

Tried again: 408, 429, 5xx but 501 and 505, and trouble with the network. A call that would do its work twice is tried
again only where it is known to have done nothing yet: the connection never came about, or the service refused it with
408, with 429, or with a 503 that says when to come back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from watchword.client.errors import CertificateNotTrusted, ServiceError, TransportError
from watchword.identifiers import random_bytes

_REFUSED_UNTRIED = (408, 429)
_NEVER_AGAIN = (501, 505)


def draw_fraction() -> float:
    """A number from 0 up to 1, so that clients that failed together do not come back together."""
    return int.from_bytes(random_bytes(4), "big") / (1 << 32)


@dataclass(frozen=True, slots=True)
class Retries:
    """`count` tries follow the first one; the delays between them double from `first` to `longest`, less up to a half.

    A service that asks for a longer wait than `longest` is not waited for: the error is raised at once and says how
    long it would have been.
    """

    count: int = 3
    first: timedelta = timedelta(milliseconds=500)
    longest: timedelta = timedelta(seconds=60)
    jitter: Callable[[], float] = draw_fraction

    def delay(self, tries: int, error: ServiceError | TransportError, *, repeatable: bool) -> timedelta | None:
        """How long to wait after so many tries, or None where there is no further one."""
        if tries > self.count or not may_pass(error) or not (repeatable or not may_have_happened(error)):
            return None
        asked = error.retry_after if isinstance(error, ServiceError) else None
        if asked is not None:
            return asked if asked <= self.longest else None
        # The exponent is bounded so that a patient caller's count cannot overflow a timedelta.
        backoff = min(self.first * (1 << min(tries - 1, 20)), self.longest)
        return backoff * (1 - self.jitter() / 2)


def may_pass(error: ServiceError | TransportError) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, TransportError):
        return not isinstance(error, CertificateNotTrusted)
    return error.status in _REFUSED_UNTRIED or (error.status >= 500 and error.status not in _NEVER_AGAIN)


def may_have_happened(error: ServiceError | TransportError) -> bool:
    """Whether the service may have carried the call out all the same."""
    if isinstance(error, TransportError):
        return error.sent
    # Watchword answers 503 with Retry-After only where it changed nothing; so do gateways that shed load.
    shed = error.status == 503 and error.retry_after is not None
    return error.status >= 500 and not shed
