"""How much of large bodies a process holds while they arrive: anybody may send some, before it is known who it is."""

from __future__ import annotations

MOST_BYTES = 67_108_864
"""Some twenty of the largest bodies that any operation takes, by default."""


class LargeBodies:
    """Room for the bodies that are larger than most, of all connections together."""

    __slots__ = ("_held_bytes", "_most_bytes")

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._held_bytes = 0

    def take(self, count: int) -> bool:
        """Take room for so many bytes, if there is as much."""
        if self._held_bytes + count > self._most_bytes:
            return False
        self._held_bytes += count
        return True

    def give_back(self, count: int) -> None:
        self._held_bytes -= count
