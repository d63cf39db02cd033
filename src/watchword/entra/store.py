"""The rows of role assignments, on resources and on the management API, and of assignments that allow an exchange."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from watchword.resources.operators import Role
from watchword.resources.store import RESOURCE_COLUMNS, Resource
from watchword.storage import Database, Row, Statement, Transaction

Kind = Literal["entra", "teamsExtension"]


_WITH_ROLE = Statement(
    sqlite=(
        f"""
        select {RESOURCE_COLUMNS} from resources r
        where r.number in (select resource from role_assignments where principal in (:object, :application))
        and r.state = 'active'
        order by r.number
        """,
    ),
    parameters=(("object", "text"), ("application", "text")),
    postgres=f"""
        select q.n, {RESOURCE_COLUMNS} from q join resources r on r.number in (
            select a.resource from role_assignments a where a.principal in (q.object, q.application)
        ) and r.state = 'active'
        order by r.number
    """,
)


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """`resource` is its name; None where the role is on the management API."""

    resource: str | None
    principal: str
    role: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """An object's tokens from these applications may be exchanged; `clients` is None where any application may."""

    object_id: str
    tenant_id: str
    principal_type: str
    clients: tuple[str, ...] | None


async def resources_with_role(database: Database, principals: Sequence[str]) -> list[Resource]:
    """The resources on which one of at most two principals has a role, as committed now."""
    first, last = principals[0], principals[-1]
    rows = await database.read(_WITH_ROLE, {"object": first, "application": last})
    return [Resource(*row) for row in rows]


async def assign_role(
    transaction: Transaction, resource: Resource, principal: str, *, role: str, now_micros: int
) -> None:
    await transaction.execute(
        "insert into role_assignments (resource, principal, role, created_micros) values ($1, $2, $3, $4)"
        " on conflict (resource, principal) do update set role = excluded.role",
        resource.number,
        principal,
        role,
        now_micros,
    )


async def remove_role(transaction: Transaction, resource: Resource, principal: str) -> bool:
    """Whether it was there."""
    return bool(
        await transaction.execute(
            "delete from role_assignments where resource = $1 and principal = $2 returning 1",
            resource.number,
            principal,
        )
    )


async def list_roles(transaction: Transaction) -> list[RoleAssignment]:
    """All of them: those on the management API, then by resource."""
    managing = await transaction.execute("select null, principal, role from management_roles order by principal")
    rows = await transaction.execute(
        "select r.name, a.principal, a.role from role_assignments a join resources r on r.number = a.resource"
        " order by r.number, a.principal"
    )
    return [RoleAssignment(*row) for row in (*managing, *rows)]


async def management_roles(database: Database, principals: Sequence[str]) -> list[Role]:
    """The roles that one of at most two principals has on the management API, as committed now."""
    rows = await database.query(
        "select role from management_roles where principal in ($1, $2)", principals[0], principals[-1]
    )
    return [role for (role,) in rows]


async def assign_management_role(transaction: Transaction, principal: str, role: Role, *, now_micros: int) -> None:
    await transaction.execute(
        "insert into management_roles (principal, role, created_micros) values ($1, $2, $3)"
        " on conflict (principal) do update set role = excluded.role",
        principal,
        role,
        now_micros,
    )


async def remove_management_role(transaction: Transaction, principal: str) -> bool:
    """Whether it was there."""
    return bool(await transaction.execute("delete from management_roles where principal = $1 returning 1", principal))


async def find_assignments(database: Database, kind: Kind, objects: Sequence[str]) -> list[tuple[Resource, Assignment]]:
    """Finds those of any of the objects, in every resource, as committed now."""
    places = ", ".join(f"${number}" for number in range(2, len(objects) + 2))
    rows = await database.query(
        f"select {RESOURCE_COLUMNS}, a.object_id, a.tenant_id, a.principal_type, a.client_ids"
        " from exchange_assignments a join resources r on r.number = a.resource"
        f" where a.kind = $1 and a.object_id in ({places}) and r.state = 'active' order by r.number",
        kind,
        *objects,
    )
    return [(Resource(*row[:6]), _assignment(row[6:])) for row in rows]


async def list_assignments(database: Database, resource: Resource, kind: Kind) -> list[Assignment]:
    """All of a resource, by object."""
    rows = await database.query(
        "select object_id, tenant_id, principal_type, client_ids from exchange_assignments"
        " where resource = $1 and kind = $2 order by object_id, tenant_id",
        resource.number,
        kind,
    )
    return [_assignment(row) for row in rows]


async def put_assignment(
    transaction: Transaction, resource: Resource, kind: Kind, *, wanted: Assignment
) -> list[Assignment]:
    """What it replaces."""
    replaced = await delete_assignment(
        transaction,
        resource,
        kind,
        object_id=wanted.object_id,
        tenant_id=wanted.tenant_id if kind == "teamsExtension" else None,
    )
    await transaction.execute(
        "insert into exchange_assignments (resource, kind, object_id, tenant_id, principal_type, client_ids)"
        " values ($1, $2, $3, $4, $5, $6)",
        resource.number,
        kind,
        wanted.object_id,
        wanted.tenant_id,
        wanted.principal_type,
        None if wanted.clients is None else msgspec.json.encode(wanted.clients).decode(),
    )
    return replaced


async def delete_assignment(
    transaction: Transaction, resource: Resource, kind: Kind, *, object_id: str, tenant_id: str | None
) -> list[Assignment]:
    """What is gone; without a tenant, of whichever it is."""
    in_tenant = "" if tenant_id is None else " and tenant_id = $4"
    parameters = (resource.number, kind, object_id, *([] if tenant_id is None else [tenant_id]))
    rows = await transaction.execute(
        f"delete from exchange_assignments where resource = $1 and kind = $2 and object_id = $3{in_tenant}"
        " returning object_id, tenant_id, principal_type, client_ids",
        *parameters,
    )
    return [_assignment(row) for row in rows]


def _assignment(row: Row) -> Assignment:
    object_id, tenant_id, principal_type, clients = row
    listed = None if clients is None else tuple(msgspec.json.decode(clients, type=list[str]))
    return Assignment(object_id, tenant_id, principal_type, listed)
