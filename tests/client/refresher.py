"""What the tests of the self-renewing credentials share: tokens, a refresher that counts, and timers without time."""

import base64
from collections.abc import Callable
from datetime import timedelta

import msgspec

from watchword.testing import MovableClock

MINUTE = timedelta(minutes=1)


def token(clock: MovableClock, lifetime: timedelta, name: str = "") -> str:
    """A token as its user sees it: three segments, and an expiry in the middle one."""
    expiry = (clock.micros() + lifetime // timedelta(microseconds=1)) // 1_000_000
    payload = base64.urlsafe_b64encode(msgspec.json.encode({"exp": expiry, "name": name})).rstrip(b"=").decode()
    return f"eyJhbGciOiJFUzI1NiJ9.{payload}.c2lnbmF0dXJl"


class Refresher:
    """Hands out tokens of a given lifetime, or fails while `failure` is set."""

    def __init__(self, clock: MovableClock, lifetime: timedelta = 60 * MINUTE) -> None:
        self.clock = clock
        self.lifetime = lifetime
        self.calls = 0
        self.failure: Exception | None = None

    def __call__(self) -> str:
        self.calls += 1
        if self.failure is not None:
            raise self.failure
        return token(self.clock, self.lifetime, f"number {self.calls}")


class Timers:
    """Keeps what was to be called later; the test lets the time come."""

    def __init__(self, clock: MovableClock) -> None:
        self.clock = clock
        self.pending: list[tuple[float, Callable[[], None]]] = []

    def start(self, seconds: float, callback: Callable[[], None]) -> "Timers":
        self.pending.append((seconds, callback))
        return self

    def cancel(self) -> None:
        self.pending.clear()

    def come(self) -> float:
        """Move the clock to the one pending call, and make it."""
        [(seconds, callback)] = self.pending
        self.pending.clear()
        self.clock.move(timedelta(seconds=seconds))
        callback()
        return seconds
