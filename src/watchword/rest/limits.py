"""How many requests a resource may send, by setting; without one there is no limit.

    --rate-limits azure                        the original's published table
    --rate-limits azure,issue=5000/30s         the same but for one kind
    --rate-limits issue=200/10s,create=50/1s   these alone

A window slides: of one kind a resource is answered so many requests within any such time, and not one more. Who is
refused spends nothing. It is counted once the caller is proved, so that no stranger can use up what is a resource's.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from watchword.clock import Clock
from watchword.errors import OperatorError, TooManyRequests
from watchword.wire import identity
from watchword.wire.operations import Operation

_FEW_WINDOWS = 1_000
# Each request of a window is remembered, so windows are bounded.
_RULE = re.compile(r"([A-Za-z]+)=([1-9][0-9]{0,4})/([1-9][0-9]{0,3})s", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limit:
    requests: int
    seconds: int


AZURE = {
    "create": Limit(1_000, 30),
    "createWithToken": Limit(1_000, 30),
    "delete": Limit(500, 30),
    "issue": Limit(1_000, 30),
    "revoke": Limit(500, 30),
    "exchange": Limit(500, 30),
}
"""Source: identity.md section 6. Assumed: its windows slide, and each of its rows is counted by itself."""


def parse_limits(rules: Sequence[str]) -> dict[str, Limit]:
    """In any order: a limit for one kind has the better of azure.

    Raises:
        OperatorError: a rule that cannot be read, of a kind that is not limited, or a second one for a kind.
    """
    found: dict[str, Limit] = {}
    for rule in rules:
        if rule == "azure":
            continue
        match = _RULE.fullmatch(rule)
        if match is None or match[1] not in AZURE:
            raise OperatorError(
                f"{rule!r} is no rate limit.",
                "Write azure, or limits such as issue=200/10s, up to 99999 requests and 9999 seconds; "
                f"kinds are {', '.join(AZURE)}.",
            )
        if match[1] in found:
            raise OperatorError(f"{rule!r} is a second rate limit for {match[1]}.", "Leave one of them.")
        found[match[1]] = Limit(int(match[2]), int(match[3]))
    return (AZURE if "azure" in rules else {}) | found


class Limits:
    """Counts for this process alone: of a server's `workers` each answers its share."""

    def __init__(self, limits: Mapping[str, Limit], clock: Clock, workers: int = 1) -> None:
        self._limits = {
            kind: Limit(math.ceil(limit.requests / workers), limit.seconds) for kind, limit in limits.items()
        }
        self._clock = clock
        self._windows: dict[tuple[int, str], deque[int]] = {}
        self._most_windows = _FEW_WINDOWS

    def take(self, counted_for: int | None, operation: Operation, version: str, body: bytes) -> None:
        """`counted_for` is the number of the caller's resource.

        Raises:
        TooManyRequests: the window is full.
        MalformedBody, InvalidCustomId: as the operation itself would; what it creates stands in the body.
        """
        kind = operation.limit
        if operation is identity.CREATE and identity.read_create(body, version).createTokenWithScopes:
            kind = "createWithToken"
        limit = self._limits.get(kind)
        if limit is None or counted_for is None:
            return
        now, span = self._clock.micros(), limit.seconds * 1_000_000
        window = self._windows.get((counted_for, kind))
        if window is None:
            self._forget_idle(now)
            window = self._windows[counted_for, kind] = deque(maxlen=limit.requests)
        # A clock that was set back must not lock anybody out.
        if len(window) == limit.requests and 0 <= now - window[0] < span:
            raise TooManyRequests(kind, limit.requests, limit.seconds, timedelta(microseconds=window[0] + span - now))
        window.append(now)

    def _forget_idle(self, now: int) -> None:
        # Each time that those in use have doubled, so that many resources do not make each other slow.
        if len(self._windows) >= self._most_windows:
            longest = max(limit.seconds for limit in self._limits.values()) * 1_000_000
            self._windows = {key: window for key, window in self._windows.items() if now - window[-1] < longest}
            self._most_windows = max(_FEW_WINDOWS, 2 * len(self._windows))
