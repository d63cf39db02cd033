"""What a run is told: who takes part, and where what they log is to go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from tests.history.service import Address

Bug = Literal["", "late feed", "inclusive comparison", "seconds for microseconds", "skipped entry"]

BUGS: tuple[Bug, ...] = ("late feed", "inclusive comparison", "seconds for microseconds", "skipped entry")

RoomBug = Literal["", "message lost", "message twice", "messages out of order", "removal undone", "open door"]

ROOM_BUGS: tuple[RoomBug, ...] = (
    "message lost", "message twice", "messages out of order", "removal undone", "open door",
)  # fmt: skip


FORGETFUL = "b"
"""The room in which messages are deleted again. Its pages are not read: what was deleted comes first on them."""


@dataclass(frozen=True, slots=True)
class Room:
    """A thread of chat, with the bug that is planted in it, if any; all rooms have the same people in them."""

    name: str
    thread: str
    bug: RoomBug = ""

    @property
    def is_forgetful(self) -> bool:
        return self.name == FORGETFUL


MAX_STALENESS = timedelta(seconds=1.5)


@dataclass(frozen=True, slots=True)
class Plan:
    """`verifiers` by name, each with the bug that is planted in it, if any; `environment` holds settings of all nodes.

    `data` is the folder of the first of them.
    """

    folder: Path
    addresses: tuple[Address, ...]
    data: Path
    keys: tuple[bytes, bytes]
    credential: str
    verifiers: dict[str, Bug]
    seed: int
    environment: Mapping[str, str]
    max_staleness: timedelta = MAX_STALENESS
    clocks: Mapping[Address, Path] = field(default_factory=dict)
    """Of nodes whose clock may be set wrong, the file that says how far it is ahead."""
    rooms: tuple[Room, ...] = ()
    host: str = ""
    """An identity, who takes the speakers out of rooms and lets them in again."""
    speakers: tuple[str, ...] = ()

    @property
    def listeners(self) -> dict[str, str]:
        """Whose each of them is, by name: everybody who is in the rooms has one."""
        return {f"listener-{number}": user for number, user in enumerate((self.host, *self.speakers))}

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    @property
    def issuers(self) -> list[Path]:
        """One for each access key."""
        return [self.log(f"issuer-{number}") for number in range(len(self.keys))]

    @property
    def watched_seconds(self) -> float:
        """How long a token is judged over and over: until its revocation must have been heard of, and then some."""
        return OLDEST_REVOKED_SECONDS + self.max_staleness.total_seconds() + 1.0


OLDEST_REVOKED_SECONDS = 0.8
"""A token is revoked while it is no older than that, so that it is watched for long enough afterwards."""
