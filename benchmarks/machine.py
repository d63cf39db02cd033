"""The machine under the figures: which core does what, how much CPU and memory a process took, what it all is."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.postgres_programs import find_programs

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_LOAD_BEFORE = os.getloadavg()[0]
_LIBRARIES = ("uvicorn", "uvloop", "httptools", "msgspec", "cryptography")


@dataclass(frozen=True, slots=True)
class Cores:
    """The server has one core for itself; everything else shares another one."""

    server: int
    generator: int


def choose_cores() -> Cores:
    """The last core is the server's: the first one often serves the machine's interrupts."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[-1], usable[0])


def on_core(core: int, *command: str) -> list[str]:
    """The command, bound to a core; the process keeps its id, and ends with whoever started it, however that ends."""
    return ["setpriv", "--pdeathsig", "TERM", "taskset", "--cpu-list", str(core), *command]


def cpu_seconds(pid: int) -> float:
    """User and system time so far of a process, with its threads, its children, and those of them that have ended."""
    return sum(map(_own_and_reaped_seconds, family(pid)))


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            with suppress(FileNotFoundError, ProcessLookupError):
                found += map(int, task.read_text("ascii").split())
    return found


def resident_mebibytes(pid: int) -> float:
    """What a process holds in memory, shared pages included."""
    return _kibibytes(pid, "status", "VmRSS") / 1024


def proportional_mebibytes(pid: int) -> float:
    """What a process and its descendants hold in memory; a page that several share is counted once among them."""
    return sum(_kibibytes(each, "smaps_rollup", "Pss") for each in family(pid)) / 1024


def describe() -> list[tuple[str, str]]:
    """Name and value of what decides how the figures come out."""
    libraries = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)
    return [
        ("CPU", f"{_cpu_model()}, {os.cpu_count()} cores"),
        ("Memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"),
        ("Kernel", f"{platform.system()} {platform.release()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("Libraries", libraries),
        ("OpenSSL (command)", _first_line("openssl", "version")),
        ("PostgreSQL", _first_line(str((find_programs() or Path()) / "postgres"), "--version")),
        ("Node.js", _first_line("node", "--version")),
        ("Load generator", _first_line("wrk", "--version")),
        ("Load average", f"{_LOAD_BEFORE:.1f} before the run; above 0.5 others disturbed it, latencies most of all"),
    ]


def _own_and_reaped_seconds(pid: int) -> float:
    try:
        # The name, in parentheses, may hold spaces; what follows it never does.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS_PER_SECOND


def _kibibytes(pid: int, file: str, name: str) -> int:
    """0 of a process that has ended, as a database's do now and then."""
    try:
        told = Path(f"/proc/{pid}/{file}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = re.search(rf"^{name}:\s+(\d+) kB", told, re.MULTILINE)
    return int(found[1]) if found else 0


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo").read_text()
    found = re.search(r"^model name\s*: (.*)$", info, re.MULTILINE)
    family = re.search(r"^cpu family\s*: (\d+)$", info, re.MULTILINE)
    model = re.search(r"^model\s*: (\d+)$", info, re.MULTILINE)
    detail = f" (family {family[1]}, model {model[1]})" if family and model else ""
    return (found[1] if found else platform.machine()) + detail


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not there"
    # wrk writes its version to stdout and ends with a failure.
    return (done.stdout or done.stderr).splitlines()[0].partition(" Copyright")[0].strip()
