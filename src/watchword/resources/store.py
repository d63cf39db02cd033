"""The rows of resources and access keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchword.storage import Database, Row, Statement, Transaction

Slot = Literal["primary", "secondary"]


@dataclass(frozen=True, slots=True)
class Resource:
    """`number` is the row's, `id` the immutable guid in every identifier; `generation` grows to revoke all tokens."""

    number: int
    id: str
    name: str
    location: str
    generation: int


@dataclass(frozen=True, slots=True)
class AccessKeyRow:
    """`secret` is encrypted; `id` names the key in the tokens that it asked for."""

    resource: Resource
    id: str
    slot: Slot
    secret: bytes


_KEYS = Statement(
    sqlite=(
        """
        select r.number, r.id, r.name, r.location, r.generation, k.id, k.slot, k.secret
        from resources r join access_keys k on k.resource = r.number
        order by r.number, k.slot limit :most
        """,
    ),
    parameters=(("most", "int8"),),
    postgres="""
        select q.n, k.* from q cross join lateral (
            select r.number, r.id, r.name, r.location, r.generation, k.id as key_id, k.slot, k.secret
            from resources r join access_keys k on k.resource = r.number
            order by r.number, k.slot limit q.most
        ) k
    """,
)


async def find_access_keys(database: Database, most: int) -> list[Row]:
    """The access keys that may have signed a request, as they are committed now; to be read by `access_key_row`."""
    return await database.read(_KEYS, {"most": most})


def access_key_row(row: Row) -> AccessKeyRow:
    return AccessKeyRow(Resource(*row[:5]), *row[5:])


async def list_resources(transaction: Transaction) -> list[Resource]:
    """Every resource, oldest first."""
    rows = await transaction.execute("select number, id, name, location, generation from resources order by number")
    return [Resource(*row) for row in rows]


async def list_access_keys(transaction: Transaction, resource: Resource) -> list[AccessKeyRow]:
    """The two keys of a resource, the primary one first."""
    rows = await transaction.execute(
        "select id, slot, secret from access_keys where resource = $1 order by slot", resource.number
    )
    return [AccessKeyRow(resource, *row) for row in rows]


async def insert_resource(transaction: Transaction, id: str, name: str, location: str, created_micros: int) -> Resource:
    [row] = await transaction.execute(
        "insert into resources (id, name, location, created_micros) values ($1, $2, $3, $4)"
        " returning number, id, name, location, generation",
        id,
        name,
        location,
        created_micros,
    )
    return Resource(*row)


async def insert_access_key(transaction: Transaction, row: AccessKeyRow, created_micros: int) -> None:
    await transaction.execute(
        "insert into access_keys (id, resource, slot, secret, created_micros) values ($1, $2, $3, $4, $5)",
        row.id,
        row.resource.number,
        row.slot,
        row.secret,
        created_micros,
    )
