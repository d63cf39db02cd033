"""A PostgreSQL server for one contender: a cluster of its own, durable as by default, on the core of the service."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import asyncpg

from benchmarks.processes import started
from tests.support.postgres_programs import find_programs, free_port, run_as_unprivileged, unprivileged

_USER, _PASSWORD = "watchword", "only-for-the-benchmark"
_START_SECONDS = 60

SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB"}
"""All that is not as by default: memory as its manual advises for a server, and no checkpoint every few seconds."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server; `dsn` is the address of its one database."""

    pid: int
    dsn: str
    folder: Path


def is_installed() -> bool:
    return find_programs() is not None


@contextmanager
def cluster(folder: Path, *, core: int) -> Iterator[Cluster]:
    """Fresh and running in that folder, which its user must be able to enter, until the block ends."""
    programs = find_programs()
    assert programs is not None
    home = folder / "postgres"
    home.mkdir()
    owner = unprivileged()
    if owner:
        os.chown(home, owner["user"], owner["group"])
    try:
        password = home / "password"
        password.write_text(_PASSWORD)
        password.chmod(0o644)
        initdb: list[str | Path] = ["--username", _USER, "--pwfile", password, "--encoding=UTF8", "--locale=C.UTF-8"]
        ways = ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"]
        run_as_unprivileged(programs / "initdb", "-D", home / "data", *initdb, *ways, cwd=home)
        port = free_port()
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [str(programs / "postgres"), "-D", str(home / "data"), "-p", str(port), "-k", str(home), *options]
        # No Ctrl-C for the benchmark reaches it: the service goes first.
        with started(command, core=core, home=home, cwd=home, start_new_session=True, **owner) as child:
            dsn = f"postgresql://{_USER}:{_PASSWORD}@127.0.0.1:{port}/postgres"
            asyncio.run(_wait_for_answer(dsn))
            try:
                yield Cluster(child.pid, dsn, home / "data")
            finally:
                # Nobody needs it again: it need not write down anything.
                with suppress(ProcessLookupError):
                    child.send_signal(signal.SIGQUIT)
                child.wait(_START_SECONDS)
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _wait_for_answer(dsn: str) -> None:
    end = monotonic() + _START_SECONDS
    while True:
        try:
            connection = await asyncpg.connect(dsn)
        except (OSError, asyncpg.CannotConnectNowError):
            if monotonic() > end:
                raise
            sleep(0.05)
        else:
            await connection.close()
            return
