"""The machine under the figures: which core does what, how much CPU and memory a process took, what it all is."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

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
    """The command, bound to a core; the process keeps its id."""
    return ["taskset", "--cpu-list", str(core), *command]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads so far."""
    # The name, in parentheses, may hold spaces; what follows it never does.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def resident_mebibytes(pid: int) -> float:
    """What a process holds in memory, shared pages included."""
    [kibibytes] = re.findall(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(kibibytes) / 1024


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
        ("Load generator", _first_line("wrk", "--version")),
        ("Load average", f"{_LOAD_BEFORE:.1f} before the run; above 0.5 others disturbed it, latencies most of all"),
    ]


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
