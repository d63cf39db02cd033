"""Identities by the million, as the service would have minted them: inserted far faster than by asking for each."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import asyncpg

_EPOCH_MILLIS = 1_577_865_600_000
"""Identifiers count milliseconds since 2020-01-01T08:00:00Z."""

_BATCH = 1_000_000


@dataclass(frozen=True, slots=True)
class Identities(Sequence[str]):
    """One each millisecond until now, in order; they are numbers until one is asked for."""

    resource: str
    first: int
    node: bytes
    size: int

    @classmethod
    def until_now(cls, resource: str, count: int) -> Identities:
        return cls(resource, time.time_ns() // 1_000_000 - count - _EPOCH_MILLIS, secrets.token_bytes(6), count)

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(self.size))]
        if not 0 <= at < self.size:
            raise IndexError(at)
        digits = self.flake(at).hex()
        flake = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        return f"8:acs:{self.resource}_{flake}"

    def flake(self, at: int) -> bytes:
        return (self.first + at).to_bytes(8, "big") + self.node + bytes(2)


def insert_into_sqlite(path: Path, count: int) -> Identities:
    """Into the first resource of a database that no process has open; the write-ahead log is empty afterwards."""
    connection = sqlite3.connect(path)
    [(number, resource)] = connection.execute("select number, id from resources")
    identities = Identities.until_now(resource, count)
    micros = time.time_ns() // 1_000
    for start in range(0, count, _BATCH):
        with connection:
            connection.executemany(
                "insert into identities (resource, flake, generation, created_micros) values (?, ?, 1, ?)",
                ((number, identities.flake(at), micros) for at in range(start, min(start + _BATCH, count))),
            )
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    return identities


def insert_into_postgres(dsn: str, count: int) -> Identities:
    """The same on PostgreSQL, with its statistics gathered and everything written down."""
    return asyncio.run(_insert_into_postgres(dsn, count))


async def _insert_into_postgres(dsn: str, count: int) -> Identities:
    connection = await asyncpg.connect(dsn)
    [row] = await connection.fetch("select number, id from resources")
    identities = Identities.until_now(row["id"], count)
    for start in range(0, count, _BATCH):
        await connection.execute(
            "insert into identities (resource, flake, generation, created_micros)"
            " select $1, int8send($2 + n) || $3, 1, $4 from generate_series($5::bigint, $6::bigint) as n",
            row["number"],
            identities.first,
            identities.node + bytes(2),
            time.time_ns() // 1_000,
            start,
            min(start + _BATCH, count) - 1,
        )
    await connection.execute("vacuum (analyze) identities")
    await connection.execute("checkpoint")
    await connection.close()
    return identities
