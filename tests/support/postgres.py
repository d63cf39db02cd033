"""A PostgreSQL cluster of the tests' own: made, run and thrown away under a user that is allowed nothing else."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from tests.support.faked_clock import FakedClock
from tests.support.polling import until
from tests.support.postgres_programs import find_programs, free_port, run_as_unprivileged, unprivileged
from tests.support.requirements import require

Result = TypeVar("Result")

USER, PASSWORD = "watchword", "a-password-that-no-log-may-hold"
_NUMBERS = count(1)
_SECONDS = 60.0
_GONE = ""
_ENDED = (_GONE, "Z", "X")
"""States of a process that holds nothing any more."""


def programs() -> Path:
    """The folder of PostgreSQL's programs."""
    found = find_programs()
    require(found is not None, "PostgreSQL is not there: install the package postgresql")
    assert found is not None
    return found


@dataclass
class Cluster:
    """A server on loopback, in a folder that its user owns. What was committed has reached the disk."""

    folder: Path
    port: int
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    password: str = PASSWORD
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the next start adds to ours."""

    def dsn(self, name: str = "postgres") -> str:
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        chosen = ["-p", str(self.port), "-k", str(self.folder), *self.options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [programs() / "postgres", "-D", self.folder / "data", *chosen],
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                # No Ctrl-C for the tests reaches it.
                start_new_session=True,
                **unprivileged(),
            )
        until(self.answers, bool, _SECONDS)

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            self.execute("select 1")
        except (OSError, asyncpg.CannotConnectNowError):
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """By default connections are broken off, and what was committed is written down."""
        if self.process is not None:
            self.process.send_signal(how)
            self._await_end(self.process)

    def kill(self) -> None:
        """As a power cut does it: the server and all that it started, at once."""
        assert self.process is not None
        # Halted, it starts nobody who would outlive it and keep the data folder.
        self.process.send_signal(signal.SIGSTOP)
        pid = self.process.pid
        until(lambda: _state(pid), lambda state: state == "T", _SECONDS)
        killed = self.family()
        for each in killed:
            os.kill(each, signal.SIGKILL)
        self._await_end(self.process)
        # On a busy machine a child ends later than the server, which does not start again before that.
        until(lambda: {_state(each) for each in killed}, lambda states: states <= set(_ENDED), _SECONDS)

    def _await_end(self, process: subprocess.Popen[bytes]) -> None:
        process.wait(_SECONDS)
        self.process = None
        FakedClock.tidy(process.pid)

    def family(self) -> list[int]:
        """The server's process, and those that it started."""
        assert self.process is not None
        pid = self.process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())]

    def fresh(self) -> str:
        """The address of an empty place: a schema, which costs a tenth of a database and goes with the cluster."""
        name = f"test_{next(_NUMBERS)}"
        self.execute(f"create schema {name}")
        return f"{self.dsn()}?search_path={name}"

    def execute(self, sql: str, dsn: str = "") -> list[Any]:
        return on_connection(dsn or self.dsn(), lambda connection: connection.fetch(sql))


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return _GONE


def on_connection(dsn: str, work: Callable[[Any], Awaitable[Result]]) -> Result:
    """The value of `work` over a connection that Watchword knows nothing of; not for use within an event loop."""

    async def run() -> Result:
        connection = await asyncpg.connect(dsn)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(run())


@contextmanager
def cluster(*options: str) -> Iterator[Cluster]:
    """Fresh and running, until the block ends."""
    with cluster_folder() as folder:
        password_file = folder / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        made: list[str | Path] = [
            "--username",
            USER,
            "--pwfile",
            password_file,
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
        ]
        # A locale in which punctuation hardly counts: whoever sorts by it and does not say how is found out.
        locale: list[str | Path] = [
            "--encoding=UTF8",
            "--locale-provider=icu",
            "--icu-locale=en-US",
            "--locale=C.UTF-8",
        ]
        run_program("initdb", "-D", folder / "data", *made, *locale, cwd=folder)
        running = Cluster(folder, free_port(), options)
        running.start()
        try:
            yield running
        finally:
            # Nobody needs it again: it need not write down anything.
            running.stop(signal.SIGQUIT)


@contextmanager
def cluster_folder() -> Iterator[Path]:
    """A folder that the server's user owns. It lies beside the tests' folders, which that user may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="watchword-postgres-"))
    try:
        owner = unprivileged()
        if owner:
            os.chown(folder, owner["user"], owner["group"])
        yield folder
    finally:
        shutil.rmtree(folder)


def run_program(name: str, *arguments: str | Path, cwd: Path) -> None:
    run_as_unprivileged(programs() / name, *arguments, cwd=cwd)
