"""The rows of signing keys."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.storage import Transaction


@dataclass(frozen=True, slots=True)
class SigningKeyRow:
    """`private_key` is encrypted."""

    kid: str
    algorithm: str
    private_key: bytes
    created_micros: int


def list_keys(transaction: Transaction) -> list[SigningKeyRow]:
    """Every signing key, oldest first."""
    rows = transaction.execute("select kid, algorithm, private_key, created_micros from signing_keys order by 4, 1")
    return [SigningKeyRow(*row) for row in rows]


def insert_key(transaction: Transaction, row: SigningKeyRow) -> None:
    transaction.execute(
        "insert into signing_keys (kid, algorithm, private_key, created_micros) values (?, ?, ?, ?)",
        (row.kid, row.algorithm, row.private_key, row.created_micros),
    )
