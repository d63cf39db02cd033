"""What `python -m benchmarks.growth` found, kept beside its report so that the main report can tell it too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.spread import Spread

_NAME = "growth.json"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a workload costs on an engine with so many identities: requests per CPU-second and per second, milliseconds.

    `ratio` is the CPU of a request by that of one with the fewest identities.
    """

    engine: str
    workload: str
    identities: int
    per_cpu_second: Spread
    per_second: Spread
    p99_millis: Spread
    ratio: Spread


@dataclass(frozen=True, slots=True)
class Size:
    """Mebibytes of one database, and of the processes on it after the load."""

    engine: str
    identities: int
    on_disk: float
    worker: float
    database: float | None


@dataclass(frozen=True, slots=True)
class Growth:
    rounds: int
    seconds: int
    distinct_requests: int
    costs: Sequence[Cost]
    sizes: Sequence[Size]


def save(growth: Growth, report: Path) -> None:
    (report / _NAME).write_bytes(msgspec.json.format(msgspec.json.encode(growth)) + b"\n")


def load(report: Path) -> Growth | None:
    """What that folder of a report holds, if anything."""
    file = report / _NAME
    return msgspec.json.decode(file.read_bytes(), type=Growth) if file.exists() else None
