"""The tokens of the moment, as read from what the issuers have logged."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from tests.history.events import Issued, Tail


class Recent:
    """Tokens that were issued within the last seconds, oldest first."""

    def __init__(self, logs: Sequence[Path], seconds: float) -> None:
        self._tails = [Tail(path) for path in logs]
        self._span = round(seconds * 1e9)
        self._tokens: deque[Issued] = deque()

    def look(self) -> deque[Issued]:
        for tail in self._tails:
            self._tokens.extend(event for event in tail.read() if isinstance(event, Issued))
        oldest = time.monotonic_ns() - self._span
        while self._tokens and self._tokens[0].replied < oldest:
            self._tokens.popleft()
        return self._tokens
