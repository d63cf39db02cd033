"""What comes of a call to an address that a caller or a resource named, where it does not come to an answer.

Neither repeats anything that was answered.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchword.errors.common import WatchwordError


@dataclass(eq=False)
class AddressRefused(WatchwordError):
    """Nothing was called. `reason` is a sentence that says which rule forbids the address."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class NoAnswer(WatchwordError):
    """Somebody was called, or would have been, and there is no answer; `reason` is a sentence."""

    reason: str

    def __str__(self) -> str:
        return self.reason
