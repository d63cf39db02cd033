"""The rows of resources and access keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from watchword.storage import Database, Row, Statement, Transaction

Slot = Literal["primary", "secondary"]


@dataclass(frozen=True, slots=True)
class Resource:
    """`number` is the row's, `id` the immutable guid in every identifier; `generation` grows to revoke all tokens.

    No token that was issued before `valid_from_micros` is good: it is the mark that purged revocations left.
    """

    number: int
    id: str
    name: str
    location: str
    generation: int
    valid_from_micros: int = 0


@dataclass(frozen=True, slots=True)
class AccessKeyRow:
    """`secret` is encrypted; `id` names the key in the tokens that it asked for."""

    resource: Resource
    id: str
    slot: Slot
    secret: bytes
    is_refused: bool = False
    """The resource takes no access keys, for as long as its local authentication is disabled."""


RESOURCE_COLUMNS = """
    r.number, r.id, r.name, r.location, r.generation, coalesce((
        select m.valid_from_micros from revocations m
        where m.kind = 'resource' and m.resource = r.number and m.subject = r.id
    ), 0) as valid_from_micros
"""
"""What a `Resource` is made of, where `r` is its row."""

_KEY_COLUMNS = f"{RESOURCE_COLUMNS}, k.id as key_id, k.slot, k.secret, r.local_auth_disabled"

KEYS = Statement(
    sqlite=(
        f"""
        select {_KEY_COLUMNS} from resources r join access_keys k on k.resource = r.number
        where r.state = 'active' order by r.number, k.slot limit :most
        """,
    ),
    parameters=(("most", "int8"),),
    postgres=f"""
        select q.n, k.* from q cross join lateral (
            select {_KEY_COLUMNS} from resources r join access_keys k on k.resource = r.number
            where r.state = 'active' order by r.number, k.slot limit q.most
        ) k
    """,
    common=True,
)

KEYS_OF = Statement(
    sqlite=(
        f"""
        select {_KEY_COLUMNS} from resources r join access_keys k on k.resource = r.number
        where r.name = :name and r.state = 'active' order by k.slot
        """,
    ),
    parameters=(("name", "text"),),
    postgres=f"""
        select q.n, {_KEY_COLUMNS} from q join resources r on lower(r.name) = lower(q.name)
        join access_keys k on k.resource = r.number where r.state = 'active' order by k.slot
    """,
    common=True,
)


RESOURCE = Statement(
    sqlite=(f"select {RESOURCE_COLUMNS} from resources r where r.id = :id and r.state = 'active'",),
    parameters=(("id", "text"),),
    postgres=f"select q.n, {RESOURCE_COLUMNS} from q join resources r on r.id = q.id and r.state = 'active'",
    common=True,
)


async def find_resource(database: Database, id: str) -> Resource | None:
    """Finds it by its guid, as it is committed now; None of one that is being deleted."""
    rows = await database.read(RESOURCE, {"id": id})
    return Resource(*rows[0]) if rows else None


async def find_access_keys(database: Database, name: str | None, most: int) -> list[Row]:
    """The access keys that may have signed a request, as they are committed now; to be read by `access_key_row`.

    Of the resource of that name, or of all that share a Host.
    """
    if name is None:
        return await database.read(KEYS, {"most": most})
    return await database.read(KEYS_OF, {"name": name})


def access_key_row(row: Row) -> AccessKeyRow:
    return AccessKeyRow(Resource(*row[:6]), row[6], row[7], row[8], bool(row[9]))


async def list_resources(transaction: Transaction) -> list[Resource]:
    """Every resource that is not being deleted, oldest first."""
    rows = await transaction.execute(
        "select number, id, name, location, generation from resources where state = 'active' order by number"
    )
    return [Resource(*row) for row in rows]


async def list_access_keys(transaction: Transaction, resource: Resource) -> list[AccessKeyRow]:
    """The two keys of a resource, the primary one first."""
    rows = await transaction.execute(
        "select id, slot, secret from access_keys where resource = $1 order by slot", resource.number
    )
    return [AccessKeyRow(resource, *row) for row in rows]


async def insert_resource(
    transaction: Transaction, id: str, name: str, *, location: str, created_micros: int, group: int = 1
) -> Resource:
    [row] = await transaction.execute(
        "insert into resources (id, name, location, created_micros, resource_group) values ($1, $2, $3, $4, $5)"
        " returning number, id, name, location, generation",
        id,
        name,
        location,
        created_micros,
        group,
    )
    return Resource(*row)


async def insert_access_key(
    transaction: Transaction, row: AccessKeyRow, fingerprint: bytes, *, created_micros: int
) -> None:
    await transaction.execute(
        "insert into access_keys (id, resource, slot, secret, fingerprint, created_micros)"
        " values ($1, $2, $3, $4, $5, $6)",
        row.id,
        row.resource.number,
        row.slot,
        row.secret,
        fingerprint,
        created_micros,
    )


async def has_fingerprint(transaction: Transaction, fingerprint: bytes) -> bool:
    return bool(await transaction.execute("select 1 from access_keys where fingerprint = $1", fingerprint))


async def list_secrets(transaction: Transaction, *, after: str, most: int) -> list[tuple[str, bytes]]:
    """Id and encrypted secret of the access keys of all resources, by id."""
    rows = await transaction.execute(
        "select id, secret from access_keys where id > $1 order by id limit $2", after, most
    )
    return [(id, secret) for id, secret in rows]


async def replace_secrets(transaction: Transaction, rows: Sequence[tuple[str, bytes, bytes]]) -> None:
    """`rows` are ids, encrypted secrets and fingerprints; a key from before there were any is not given one."""
    await transaction.execute_many(
        "update access_keys set secret = $2, fingerprint = case when fingerprint is null then fingerprint else $3 end"
        " where id = $1",
        rows,
    )


async def delete_access_key(transaction: Transaction, id: str) -> None:
    await transaction.execute("delete from access_keys where id = $1", id)
