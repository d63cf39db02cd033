"""The rows of signing keys."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.storage import Database, Lock, Row, Statement, Transaction


@dataclass(frozen=True, slots=True)
class SigningKeyRow:
    """`private_key` is encrypted. Times are microseconds since 1970.

    A key is published from `created_micros` on, and signs from `signs_from_micros` on until a newer one does, or it is
    retired or revoked.
    """

    kid: str
    algorithm: str
    private_key: bytes
    created_micros: int
    signs_from_micros: int
    retired_micros: int | None = None
    revoked_micros: int | None = None


_COLUMNS = "kid, algorithm, private_key, created_micros, signs_from_micros, retired_micros, revoked_micros"
_ALL = f"select {_COLUMNS} from signing_keys order by signs_from_micros, created_micros, kid"

KEYS = Lock("key_check")
"""Whoever makes, changes or forgets a signing key does it one after the other, and under this encryption key."""

_KEYS = Statement(
    sqlite=(f"{_ALL} limit :most",),
    parameters=(("most", "int8"),),
    postgres=f"select q.n, k.* from q cross join lateral ({_ALL} limit q.most) k",
    common=True,
)
_MOST_KEYS = 1_000


async def find_keys(database: Database) -> list[Row]:
    """Every signing key, in the order in which they sign, as they are committed now; for each request."""
    return await database.read(_KEYS, {"most": _MOST_KEYS})


async def read_keys(database: Database) -> list[SigningKeyRow]:
    """Every signing key, in the order in which they sign."""
    return [SigningKeyRow(*row) for row in await database.query(_ALL)]


async def list_keys(transaction: Transaction) -> list[SigningKeyRow]:
    """The same within a transaction."""
    return [SigningKeyRow(*row) for row in await transaction.execute(_ALL)]


async def insert_key(transaction: Transaction, row: SigningKeyRow) -> None:
    await transaction.execute(
        f"insert into signing_keys ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7)",
        row.kid,
        row.algorithm,
        row.private_key,
        row.created_micros,
        row.signs_from_micros,
        row.retired_micros,
        row.revoked_micros,
    )


async def start_key(transaction: Transaction, kid: str, signs_from_micros: int) -> None:
    await transaction.execute("update signing_keys set signs_from_micros = $1 where kid = $2", signs_from_micros, kid)


async def retire_key(transaction: Transaction, kid: str, now_micros: int) -> None:
    await transaction.execute(
        "update signing_keys set retired_micros = $1 where kid = $2 and retired_micros is null", now_micros, kid
    )


async def revoke_key(transaction: Transaction, kid: str, now_micros: int) -> None:
    await transaction.execute(
        "update signing_keys set revoked_micros = $1 where kid = $2 and revoked_micros is null", now_micros, kid
    )


async def replace_private_key(transaction: Transaction, kid: str, private_key: bytes) -> None:
    await transaction.execute("update signing_keys set private_key = $1 where kid = $2", private_key, kid)


async def delete_key(transaction: Transaction, kid: str) -> None:
    await transaction.execute("delete from signing_keys where kid = $1", kid)
