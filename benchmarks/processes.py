"""Server processes under load: started on a core of their own, stopped at the end."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from benchmarks.machine import on_core

_ADDRESS = re.compile(r"https?://localhost:(\d+)")


@dataclass(frozen=True, slots=True)
class Process:
    """A server that listens on loopback, and what it printed until it said where."""

    pid: int
    port: int
    said: str


@contextmanager
def python_server(module: str, *arguments: str, core: int, home: Path, until: str = "localhost:") -> Iterator[Process]:
    """Run a module that prints its address, and more, up to a line that holds `until`; it ends on SIGTERM.

    Its standard error is thrown away, but written all the same: the request log costs its system calls. `home` is the
    user's home as it sees it, so that nothing is left on the machine.

    Raises:
        RuntimeError: it ended before it said where it listens.
    """
    with subprocess.Popen(
        on_core(core, sys.executable, "-m", module, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(home),
    ) as child:
        try:
            assert child.stdout is not None
            said = ""
            for line in child.stdout:
                said += line
                if until in line:
                    break
            found = _ADDRESS.search(said)
            if found is None:
                raise RuntimeError(f"{module} {' '.join(arguments)} did not start: run it by hand to see why")
            yield Process(child.pid, int(found[1]), said)
        finally:
            child.terminate()


def seconds_to_first_answer(
    module: str, arguments: Sequence[str], *, port: int, path: str, core: int, home: Path
) -> float:
    """From the start of the process until a GET is answered with 200."""
    started = perf_counter()
    with subprocess.Popen(
        on_core(core, sys.executable, "-m", module, *arguments),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_environment(home),
    ) as child:
        try:
            while child.poll() is None:
                if _answers(port, path):
                    return perf_counter() - started
                sleep(0.002)
        finally:
            child.terminate()
    raise RuntimeError(f"{module} {' '.join(arguments)} did not start: run it by hand to see why")


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "WATCHWORD_"))}
    return {**kept, "HOME": str(home)}
