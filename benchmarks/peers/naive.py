"""Starts the service of `naive_service`, with as many identities in its database as Watchword has in its own."""

from __future__ import annotations

import base64
import secrets
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.contenders import Contender
from benchmarks.peers.environments import PYTHON
from benchmarks.processes import announced_server
from benchmarks.workloads import Target


@contextmanager
def naive(folder: Path, *, identities: int, core: int) -> Iterator[Contender]:
    """FastAPI, pydantic, PyJWT and SQLAlchemy; uvicorn's own access log is on, as by default."""
    key, resource = secrets.token_bytes(64), str(uuid.uuid4())
    database = folder / "naive.sqlite"
    command = [str(PYTHON), "-m", "benchmarks.peers.naive_service", str(database)]
    environment = {"NAIVE_RESOURCE": resource, "NAIVE_ACCESS_KEY": base64.b64encode(key).decode("ascii")}
    with announced_server(command, core=core, home=folder, ready="/jwks", environment=environment) as process:
        ids = _insert_identities(database, resource, identities)
        yield Contender(
            "FastAPI, PyJWT, SQLAlchemy",
            "ES256",
            "SQLite, WAL, `synchronous=FULL`",
            process,
            Target(f"localhost:{process.port}", key, ids),
            folder,
            "a feed of revocations, rotation of keys, several resources",
        )


def _insert_identities(database: Path, resource: str, count: int) -> list[str]:
    ids = [f"8:acs:{resource}_{uuid.uuid4()}" for _ in range(count)]
    created = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime())
    connection = sqlite3.connect(database)
    with connection:
        connection.executemany("insert into identities (id, created_at) values (?, ?)", ((id, created) for id in ids))
    connection.close()
    return ids
