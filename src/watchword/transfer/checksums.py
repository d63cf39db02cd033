"""Whether rows are the same, wherever they are: how many, and a running SHA-256 over them in the order of their key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

_encode = msgspec.msgpack.Encoder().encode


class TableSum(msgspec.Struct, frozen=True):
    """The sum of one table; `sha256` over each row as MessagePack, one after another."""

    rows: int
    sha256: bytes


class Checksums:
    """Adds up the rows of tables, however they are cut into pages."""

    def __init__(self, tables: Iterable[str]) -> None:
        self._counts = dict.fromkeys(tables, 0)
        self._digests = {table: hashlib.sha256() for table in self._counts}

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        self._counts[table] += len(rows)
        self._digests[table].update(b"".join(map(_encode, rows)))

    def sums(self) -> dict[str, TableSum]:
        return {table: TableSum(count, self._digests[table].digest()) for table, count in self._counts.items()}
