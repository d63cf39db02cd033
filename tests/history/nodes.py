"""One server of the service: the real `watchword serve`, started, killed, stopped and continued from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.history.service import Address
from tests.support.faked_clock import FakedClock
from tests.support.nginx import free_port


class Node:
    """Keeps its port and its data over every restart. `environment` holds settings that all nodes share; `clock` is
    its own, where it may be set wrong.

    What is done to it is done to all its processes at once.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, workers: int = 1, clock: FakedClock | None = None
    ) -> None:
        self._workers = workers
        self.clock = clock
        self.data = folder / "data"
        self.address: Address = ("localhost", free_port())
        self._home = folder / "home"
        self._complaints = folder / "complaints.txt"
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it answers. What it complains of is in a file beside its data."""
        self._complaints.parent.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "watchword", "serve", "--no-tls", "--no-request-log", "--host", "127.0.0.1"]
        flags = ["--port", str(self.address[1]), "--data", str(self.data)]
        if self._workers > 1:
            flags += ["--workers", str(self._workers)]
        faked = self.clock.environment() if self.clock else {}
        with self._complaints.open("ab") as complaints:
            self._process = subprocess.Popen(
                [*command, *flags],
                env={**os.environ, **self._environment, **faked, "WATCHWORD_HOME": str(self._home)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        # It says what to do next as soon as it listens; it says nothing after that.
        if not any(line.startswith(b"Next,") for line in self._process.stdout):
            raise RuntimeError("watchword serve ended before it listened: run it by hand to see why")

    def lower_clock(self) -> None:
        """What its operator does once it is stopped, where its clock was ahead and is right again."""
        subprocess.run(
            [sys.executable, "-m", "watchword", "clock", "lower", "--data", self.data],
            env={**os.environ, **self._environment, "WATCHWORD_HOME": str(self._home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        if self._process is not None:
            self._end(signal.SIGTERM)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def _end(self, number: int) -> None:
        assert self._process is not None
        process, self._process = self._process, None
        with process:
            os.killpg(process.pid, number)
        FakedClock.tidy(process.pid)
