"""How many requests a resource may send, a user, or all users to a thread, by setting; without one there is no limit.

    --rate-limits azure                        the original's published table
    --rate-limits azure,issue=5000/30s         the same but for one kind
    --rate-limits issue=200/10s,create=50/1s   these alone

A window slides: of one kind so many requests are answered within any such time, and not one more. Who is refused
spends nothing. It is counted once the caller is proved, so that no stranger can use up what is a resource's.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, TypeAlias

from watchword.clock import Clock
from watchword.errors import OperatorError, TooManyRequests
from watchword.wire import identity
from watchword.wire.operations import Operation

Per: TypeAlias = Literal["resource", "user", "thread", "user in a thread"]
_Key: TypeAlias = tuple[int, str, int, bytes]

_FEW_WINDOWS = 1_000
# Each request of a window is remembered, so windows are bounded.
_RULE = re.compile(r"([A-Za-z]+)=([1-9][0-9]{0,4})/([1-9][0-9]{0,3})s", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limit:
    """`per` says whose requests are counted together."""

    requests: int
    seconds: int
    per: Per = "resource"


AllLimits = Mapping[str, tuple[Limit, ...]]
"""By kind of request; a request is answered where it fits into all of them."""

AZURE: AllLimits = {
    "create": (Limit(1_000, 30),),
    "createWithToken": (Limit(1_000, 30),),
    "delete": (Limit(500, 30),),
    "issue": (Limit(1_000, 30),),
    "revoke": (Limit(500, 30),),
    "exchange": (Limit(500, 30),),
    "createThread": (Limit(10, 10, "user"),),
    "deleteThread": (Limit(10, 10, "user"),),
    "updateThread": (Limit(5, 10, "thread"),),
    "getThreads": (Limit(50, 10, "user"),),
    "changeParticipants": (Limit(10, 10, "thread"), Limit(30, 60, "thread")),
    "changeMessages": (Limit(10, 10, "thread"), Limit(30, 60, "thread")),
    "listMessages": (
        Limit(50, 10, "user in a thread"),
        Limit(200, 60, "user in a thread"),
        Limit(250, 10, "thread"),
        Limit(400, 60, "thread"),
    ),
    "sendReceipts": (Limit(10, 10, "user in a thread"), Limit(30, 60, "user in a thread")),
    "sendTyping": (
        Limit(5, 10, "user"),
        Limit(15, 60, "user"),
        Limit(10, 10, "thread"),
        Limit(30, 60, "thread"),
    ),
}
"""Source: identity.md section 6; of chat surroundings.md section 1.4, which leaves open whose receipts and updates of
threads are counted. Assumed: its windows slide, and each of its rows is counted by itself.
"""


def parse_limits(rules: Sequence[str]) -> dict[str, tuple[Limit, ...]]:
    """Reads limits in any order: one for a kind has the better of azure, and counts together what azure's first does.

    Raises:
        OperatorError: a rule that cannot be read, of a kind that is not limited, or a second one for a kind.
    """
    found: dict[str, tuple[Limit, ...]] = {}
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
        found[match[1]] = (Limit(int(match[2]), int(match[3]), AZURE[match[1]][0].per),)
    return {**(AZURE if "azure" in rules else {}), **found}


class Limits:
    """Counts for this process alone: of a server's `workers` each answers its share."""

    def __init__(self, limits: AllLimits, clock: Clock, workers: int = 1) -> None:
        self._limits = {
            kind: tuple(replace(each, requests=math.ceil(each.requests / workers)) for each in limits[kind])
            for kind in limits
        }
        self._clock = clock
        self._windows: dict[_Key, deque[int]] = {}
        self._most_windows = _FEW_WINDOWS

    def take(
        self,
        counted_for: int | None,
        operation: Operation,
        version: str,
        *,
        body: bytes,
        user: str = "",
        thread: str = "",
    ) -> None:
        """`counted_for` is the number of the caller's resource; `user` and `thread` are who and what for, in chat.

        Raises:
            TooManyRequests: a window is full.
            MalformedBody, InvalidCustomId: as the operation itself would; what it creates stands in the body.
        """
        kind = operation.limit
        if operation is identity.CREATE and identity.read_create(body, version).createTokenWithScopes:
            kind = "createWithToken"
        limits = self._limits.get(kind)
        if limits is None or counted_for is None:
            return
        now = self._clock.micros()
        windows = [
            self._window((counted_for, kind, at, _counted(limit.per, user, thread)), limit, now)
            for at, limit in enumerate(limits)
        ]
        for limit, window in zip(limits, windows, strict=True):
            span = limit.seconds * 1_000_000
            # A clock that was set back must not lock anybody out.
            if len(window) == limit.requests and 0 <= now - window[0] < span:
                after = timedelta(microseconds=window[0] + span - now)
                raise TooManyRequests(kind, limit.requests, limit.seconds, after, limit.per)
        for window in windows:
            window.append(now)

    def _window(self, key: _Key, limit: Limit, now: int) -> deque[int]:
        window = self._windows.get(key)
        if window is None:
            self._forget_idle(now)
            window = self._windows[key] = deque(maxlen=limit.requests)
        return window

    def _forget_idle(self, now: int) -> None:
        # Each time that those in use have doubled, so that many resources do not make each other slow.
        if len(self._windows) >= self._most_windows:
            longest = max(each.seconds for limits in self._limits.values() for each in limits) * 1_000_000
            kept = {key: window for key, window in self._windows.items() if window and now - window[-1] < longest}
            self._windows = kept
            self._most_windows = max(_FEW_WINDOWS, 2 * len(self._windows))


def _counted(per: Per, user: str, thread: str) -> bytes:
    """Whose window it is, within a resource: a digest, since what stands in a path may be of any length."""
    if per == "resource":
        return b""
    whose = {"user": f"{user}\n", "thread": f"\n{thread}", "user in a thread": f"{user}\n{thread}"}[per]
    return hashlib.blake2b(whose.encode("utf-8", "surrogatepass"), digest_size=16).digest()
