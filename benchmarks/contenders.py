"""Who is measured: each contender is started with identities of its own and says whom to ask.

Watchword is the only one so far. A peer joins by a function like `watchword` in a module of `benchmarks/peers/`, which
yields the same `Contender`; what it cannot do is left out of its measurements and named in the report.
"""

from __future__ import annotations

import base64
import re
import secrets
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Process, python_server, seconds_to_first_answer
from benchmarks.workloads import Target

_EPOCH_MILLIS = 1_577_865_600_000
"""Identifiers count milliseconds since 2020-01-01T08:00:00Z."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A running server, whom its clients ask, and the folder that it keeps its data in."""

    name: str
    durability: str
    process: Process
    target: Target
    data: Path
    tls: bool = False


@contextmanager
def watchword(folder: Path, algorithm: str, *, identities: int, core: int, tls: bool = False) -> Iterator[Contender]:
    """The command `watchword serve` on SQLite with that many identities; request log and all as by default."""
    arguments = _arguments(folder, algorithm, tls=tls)
    with python_server("watchword", *arguments, core=core, home=folder, until="connection string") as first_run:
        found = re.search(r"accesskey=(\S+)", first_run.said)
        assert found is not None
        key = base64.b64decode(found[1])
    ids = _insert_identities(folder / "data" / "watchword.sqlite", identities)
    with python_server("watchword", *arguments, core=core, home=folder) as process:
        target = Target(f"localhost:{process.port}", key, ids)
        yield Contender(
            f"Watchword {algorithm}", "SQLite, WAL, synchronous=FULL", process, target, folder / "data", tls
        )


def watchword_start_seconds(folder: Path, *, core: int) -> float:
    """From the start of the command until its first answer, on a data folder that is there already."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [*_arguments(folder, "ES256", tls=False), "--port", str(port)]
    return seconds_to_first_answer("watchword", arguments, port=port, path="/readyz", core=core, home=folder)


def _arguments(folder: Path, algorithm: str, *, tls: bool) -> list[str]:
    place = ["--data", str(folder / "data"), "--host", "127.0.0.1", "--port", "0"]
    return ["serve", *place, "--signing-algorithm", algorithm, "--tls" if tls else "--no-tls"]


def _insert_identities(database: Path, count: int) -> list[str]:
    """Identities as the service would mint them, one each millisecond until now; far faster than by asking it."""
    now = time.time_ns() // 1_000_000
    node = secrets.token_bytes(6)
    flakes = [(now - count + n - _EPOCH_MILLIS).to_bytes(8, "big") + node + bytes(2) for n in range(count)]
    connection = sqlite3.connect(database)
    with connection:
        [(number, guid)] = connection.execute("select number, id from resources")
        connection.executemany(
            "insert into identities (resource, flake, generation, created_micros) values (?, ?, 1, ?)",
            ((number, flake, now * 1_000) for flake in flakes),
        )
    connection.close()
    return [_identity(guid, flake.hex()) for flake in flakes]


def _identity(guid: str, digits: str) -> str:
    flake = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return f"8:acs:{guid}_{flake}"
