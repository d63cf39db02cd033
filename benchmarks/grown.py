"""Watchword on a database of a given size, which is as large before every load: what a load made is taken out again."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from benchmarks import postgres
from benchmarks.closed_loop import Load
from benchmarks.contenders import Contender, watchword
from benchmarks.growth_findings import Size
from benchmarks.identities import Identities
from benchmarks.machine import proportional_mebibytes, resident_mebibytes

ENGINES = ("SQLite", "PostgreSQL")

_FORGET = ("delete from identities where flake > {}", "delete from revocations")


@dataclass(frozen=True, slots=True)
class Grown:
    """`loads` are those of each workload, a round after another."""

    engine: str
    identities: int
    contender: Contender
    cluster: postgres.Cluster | None
    loads: dict[str, list[Load]] = field(default_factory=dict)

    def forget(self) -> None:
        """Take out identities that a load created, and what it revoked."""
        ids = self.contender.target.identities
        assert isinstance(ids, Identities)
        last = ids.flake(len(ids) - 1)
        if self.cluster:
            asyncio.run(_forget_on_postgres(self.cluster.dsn, last))
        else:
            with closing(sqlite3.connect(self._file)) as connection, connection:
                connection.execute(_FORGET[0].format("?"), (last,))
                connection.execute(_FORGET[1])

    def size(self) -> Size:
        process = self.contender.process
        on_disk = asyncio.run(_bytes_on_postgres(self.cluster.dsn)) if self.cluster else self._file.stat().st_size
        database = proportional_mebibytes(process.database) if process.database else None
        return Size(self.engine, self.identities, on_disk / 2**20, resident_mebibytes(process.pid), database)

    @property
    def _file(self) -> Path:
        return self.contender.data / "watchword.sqlite"


@contextmanager
def grown(folder: Path, engine: str, identities: int, *, core: int) -> Iterator[Grown]:
    """Running until the block ends; each PostgreSQL database has a server of its own, so that none warms another."""
    place = folder / f"{engine}-{identities}"
    place.mkdir(mode=0o711)
    if engine == "SQLite":
        with watchword(place, "ES256", identities=identities, core=core) as contender:
            yield Grown(engine, identities, contender, None)
    else:
        with (
            postgres.cluster(place, core=core) as cluster,
            watchword(place, "ES256", identities=identities, core=core, cluster=cluster) as contender,
        ):
            yield Grown(engine, identities, contender, cluster)


async def _forget_on_postgres(dsn: str, last: bytes) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(_FORGET[0].format("$1"), last)
    await connection.execute(_FORGET[1])
    await connection.execute("vacuum identities, revocations")
    await connection.close()


async def _bytes_on_postgres(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    found: int = await connection.fetchval("select pg_database_size(current_database())")
    await connection.close()
    return found
