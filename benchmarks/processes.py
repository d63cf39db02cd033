"""Processes under load: started on a core of their own, and gone at the end, whatever the end is."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from types import FrameType
from typing import Any

from benchmarks.machine import cpu_seconds, on_core

PROJECT = Path(__file__).resolve().parents[1]

_ADDRESS = re.compile(r"https?://localhost:(\d+)")
_STOP_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Process:
    """A server that listens on loopback, what it printed until it said where, and its database server's process.

    `start_seconds` went by from its start to its first answer, where it was asked for one.
    """

    pid: int
    port: int
    said: str = ""
    start_seconds: float | None = None
    database: int | None = None

    def cpu_seconds(self) -> float:
        """So far, of all that works for it."""
        return cpu_seconds(self.pid) + (cpu_seconds(self.database) if self.database else 0.0)


def end_on_signals() -> None:
    """Unwind when asked to end, so that every process that was started is stopped and every folder deleted.

    Ctrl-C does so anyway. When not even that is possible, the kernel ends the processes (see `on_core`).
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        # Whoever ignores the end of a terminal, as `nohup` does, wants the run to go on.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


@contextmanager
def python_server(
    module: str,
    *arguments: str,
    core: int,
    home: Path,
    until: str = "localhost:",
    ready: str = "",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Process]:
    """A module that is a server, run by the interpreter that runs this."""
    command = [sys.executable, "-m", module, *arguments]
    with announced_server(command, core=core, home=home, until=until, ready=ready, environment=environment) as process:
        yield process


@contextmanager
def announced_server(
    command: Sequence[str],
    *,
    core: int,
    home: Path,
    until: str = "localhost:",
    ready: str = "",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Process]:
    """Run a command that prints its address, and more, up to a line that holds `until`, and wait until a GET of `ready`
    is answered with 200; it ends on SIGTERM.

    Its standard error is thrown away, but written all the same: the request log costs its system calls. `home` is the
    user's home as it sees it, so that nothing is left on the machine.

    Raises:
        RuntimeError: it ended before that.
    """
    before = perf_counter()
    with started(command, core=core, home=home, environment=environment, stdout=subprocess.PIPE) as child:
        said = ""
        for line in child.stdout or ():
            said += line
            if until in line:
                break
        found = _ADDRESS.search(said)
        if found is None:
            raise _did_not_start(command)
        port = int(found[1])
        if ready:
            _wait_for_answer(child, port, ready, command)
        yield Process(child.pid, port, said, perf_counter() - before if ready else None)


@contextmanager
def answering_server(command: Sequence[str], *, port: int, path: str, core: int, home: Path) -> Iterator[Process]:
    """Run a command until a GET on the port that it was told is answered with 200.

    Raises:
        RuntimeError: it ended before that.
    """
    before = perf_counter()
    with started(command, core=core, home=home) as child:
        _wait_for_answer(child, port, path, command)
        yield Process(child.pid, port, start_seconds=perf_counter() - before)


def seconds_to_first_answer(
    module: str, arguments: Sequence[str], *, port: int, path: str, core: int, home: Path
) -> float:
    """From the start of the process until a GET is answered with 200."""
    command = [sys.executable, "-m", module, *arguments]
    with answering_server(command, port=port, path=path, core=core, home=home) as process:
        assert process.start_seconds is not None
        return process.start_seconds


@contextmanager
def started(
    command: Sequence[str],
    *,
    core: int,
    home: Path,
    environment: Mapping[str, str] | None = None,
    stdout: int = subprocess.DEVNULL,
    **how: Any,
) -> Iterator[subprocess.Popen[str]]:
    """The process while the block lasts; `how` goes to Popen."""
    with subprocess.Popen(
        on_core(core, *command),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(home) | dict(environment or {}),
        cwd=how.pop("cwd", PROJECT),
        **how,
    ) as child:
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def _wait_for_answer(child: subprocess.Popen[str], port: int, path: str, command: Sequence[str]) -> None:
    while not _answers(port, path):
        if child.poll() is not None:
            raise _did_not_start(command)
        sleep(0.002)


def _did_not_start(command: Sequence[str]) -> RuntimeError:
    return RuntimeError(f"{' '.join(command)} did not start: run it by hand to see why")


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
