"""Operators: who may call the management API. Each holds a token of its own.

    wwo_<16 hexadecimal digits that name it>_<43 characters of secret>

A reader sees everything but secrets; a contributor does everything. Several may exist, so that one is replaced without
a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchword.resources.bearer_secrets import BearerSecret, fits, new_secret
from watchword.storage import Database, Statement, Transaction

PREFIX = "wwo"

Role = Literal["reader", "contributor"]

_FIND = Statement(
    sqlite=("select secret_hash, id, name, role, created_micros from operators where id = :id",),
    parameters=(("id", "text"),),
    postgres="select q.n, o.secret_hash, o.id, o.name, o.role, o.created_micros from q join operators o on o.id = q.id",
)


@dataclass(frozen=True, slots=True)
class Operator:
    """What is kept of one; the secret is not."""

    id: str
    name: str
    role: Role
    created_micros: int


async def create_operator(
    transaction: Transaction, name: str, role: Role, *, now_micros: int, token: BearerSecret | None = None
) -> BearerSecret:
    """The operator's token, which is shown once; it is drawn where none is given."""
    token = token or new_secret(PREFIX)
    await transaction.execute(
        "insert into operators (id, name, role, secret_hash, created_micros) values ($1, $2, $3, $4, $5)",
        token.id,
        name,
        role,
        token.hash(),
        now_micros,
    )
    return token


async def list_operators(transaction: Transaction) -> list[Operator]:
    """All of them, oldest first."""
    rows = await transaction.execute("select id, name, role, created_micros from operators order by created_micros, id")
    return [Operator(*row) for row in rows]


async def delete_operator(transaction: Transaction, id: str) -> bool:
    """Whether it was there; its token is refused from now on."""
    return bool(await transaction.execute("delete from operators where id = $1 returning 1", id))


async def prove_operator(database: Database, token: BearerSecret) -> Operator | None:
    """The operator who holds the token, as committed now; None where it is unknown or the secret wrong."""
    rows = await database.read(_FIND, {"id": token.id})
    stored, operator = (rows[0][0], Operator(*rows[0][1:])) if rows else (None, None)
    return operator if fits(token.secret, stored) else None
