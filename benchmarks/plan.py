"""How much is measured: the full run for the report, the quick one for use while working."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """`folder` is where databases are made, None for the machine's own choice: the disk whose durable writes count."""

    quick: bool
    rounds: int
    seconds: int
    identities: int
    distinct_requests: int
    folder: Path | None
    report: Path

    @staticmethod
    def say(text: str) -> None:
        """Progress goes to standard error: standard output is the report's."""
        print(text, file=sys.stderr, flush=True)


REPORT = Path(__file__).with_name("report")


@contextmanager
def temporary_folder(within: Path | None = None) -> Iterator[Path]:
    """Gone at the end. PostgreSQL's user may pass through it, though not look around."""
    with tempfile.TemporaryDirectory(prefix="watchword-bench-", dir=within, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def parse_plan(arguments: list[str]) -> Plan:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description="Load on Watchword, beside this machine's limits."
    )
    parser.add_argument(
        "--quick", action="store_true", help="main ratios only, fewer and shorter rounds, no report file"
    )
    parser.add_argument("--rounds", type=int, help="interleaved rounds (7, quick: 3)")
    parser.add_argument("--seconds", type=int, help="seconds of load for each figure and round (3, quick: 2)")
    parser.add_argument("--identities", type=int, default=10_000, help="identities in each database (10000)")
    parser.add_argument("--folder", type=Path, help="where databases are made for the run")
    parser.add_argument("--report", type=Path, default=REPORT, help="where the report goes (benchmarks/report)")
    given = parser.parse_args(arguments)
    return Plan(
        quick=given.quick,
        rounds=given.rounds or (3 if given.quick else 7),
        seconds=given.seconds or (2 if given.quick else 3),
        identities=given.identities,
        distinct_requests=min(given.identities, 10_000),
        folder=given.folder,
        report=given.report,
    )
