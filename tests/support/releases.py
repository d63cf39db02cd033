"""Released programs, as they were: their wheels are kept, and run with the dependencies of today."""

from __future__ import annotations

import asyncio
import ssl
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.support.requirements import PROJECT
from watchword.storage.postgres import open_postgres
from watchword.storage.schema import Engine, schema_files
from watchword.testing import MovableClock

WHEELS = sorted((PROJECT / "tests/releases").glob("watchword-*.whl"))
ENGINES: tuple[Engine, ...] = ("sqlite_schema", "postgres_schema")


def name_of(wheel: Path) -> str:
    """`watchword 0.1.0`, as `--version` says it."""
    return " ".join(wheel.name.split("-")[:2])


def schema_of(wheel: Path, engine: Engine) -> dict[str, bytes]:
    """The files of its schema, oldest first."""
    return dict(sorted(_schema_files(wheel, engine)))


def environment_of(wheel: Path, folder: Path) -> dict[str, str]:
    """In which `python -m watchword` is the released program; unpacked into a folder, it starts faster."""
    with zipfile.ZipFile(wheel) as files:
        files.extractall(folder)
    return {"PYTHONPATH": str(folder)}


def before() -> Path:
    """The newest release whose schema is not the newest: databases of it are migrated, and nodes of it replaced."""
    newest = len(schema_files())
    return [wheel for wheel in WHEELS if len(schema_of(wheel, "sqlite_schema")) < newest][-1]


def _schema_files(wheel: Path, engine: Engine) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(wheel) as files:
        for entry in files.namelist():
            if entry.startswith(f"watchword/storage/{engine}/") and entry.endswith(".sql"):
                yield entry.rpartition("/")[2], files.read(entry)


BEFORE = before()


def migrate_under(dsn: str) -> None:
    """Bring the schema up to date under whoever runs on it."""

    async def migrate() -> None:
        database = await open_postgres(
            dsn, pool=1, batch=1, statement_cache=True, patience=timedelta(seconds=30), migrating="always"
        )
        await database.close()

    # Whoever asks may have an event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrate()).result()


@dataclass(frozen=True)
class Reached:
    """A server in a process of its own, without TLS, as a `SignedClient` sees it."""

    port: int
    keys: tuple[bytes, bytes]
    clock: MovableClock = field(default_factory=MovableClock)
    ca_file: Path | None = None

    @property
    def endpoint(self) -> str:
        return f"http://localhost:{self.port}"

    def client_tls(self) -> ssl.SSLContext:
        raise AssertionError("it speaks no TLS")
