"""The wall clock of whole processes, set from outside while they run, by Debian's libfaketime.

The clocks that nobody can set (monotonic, and of the time since boot) are left alone, as a time server leaves them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.support.requirements import require

_MICROSECOND = timedelta(microseconds=1)


def require_faked_clocks() -> None:
    require(bool(_libraries()), "processes cannot be given a wrong clock: install the package faketime")


@dataclass(frozen=True, slots=True)
class FakedClock:
    """The clock of processes started with `environment()`: the machine's, and as much ahead as the file says.

    `threads`: they have some. PostgreSQL's have none, and ask for the time in signal handlers, where a lock would hang.
    """

    file: Path
    threads: bool = True

    def __post_init__(self) -> None:
        self.set(timedelta(0))

    def set(self, ahead: timedelta) -> None:
        """From this moment on; behind where that is negative."""
        draft = self.file.with_suffix(".draft")
        draft.write_text(f"{ahead / timedelta(seconds=1):+.6f}\n")
        # Whoever runs under it may be another user, such as PostgreSQL's.
        draft.chmod(0o644)
        draft.replace(self.file)

    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(_libraries(threads=self.threads)[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            # Read again at every look at the clock, so that it is set from this moment on.
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Its way around a fault of older systems keeps a thread waiting for Python's lock a hundred times as long.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "NO_FAKE_STAT": "1",
        }

    @staticmethod
    def tidy(pid: int) -> None:
        """Remove what the library of a process that has ended leaves behind: it refuses a second one of that number."""
        for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
            Path("/dev/shm", name).unlink(missing_ok=True)


def micros_ahead(file: Path) -> int:
    """What a clock's file says."""
    return timedelta(seconds=float(file.read_text())) // _MICROSECOND


def _libraries(*, threads: bool = True) -> list[Path]:
    return sorted(Path("/usr/lib").glob(f"*/faketime/libfaketime{'MT' if threads else ''}.so.1"))
