"""What a resource group holds: resources as those who manage them see them; the rules of their names and changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from watchword.errors import BeingDeleted, InvalidName, InvalidProperty, NameTaken, ResourceNotFound, TooManyResources
from watchword.keyring.encryption import Encryption
from watchword.resources.access_keys import MOST_RESOURCES_OF_A_HOST, create_resource
from watchword.resources.groups import Group, decode_tags, encode_tags, plain_region, require_tags
from watchword.resources.store import Resource
from watchword.storage import Row, Transaction

NAME_RULE = (
    "It has 1 to 63 letters, digits and hyphens, and begins and ends with a letter or digit: hosts are made of it."
)

_NAME = re.compile("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_LOCATION = re.compile("[A-Za-z0-9 ]{1,64}", re.ASCII)
_SELECT = """
    select r.number, r.id, r.name, r.location, r.generation, g.subscription, g.name,
           r.region, r.data_location, r.tags, r.local_auth_disabled, r.state, r.created_micros
    from resources r join resource_groups g on g.number = r.resource_group
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """A resource in its group. `data_location` as it was written; `region` is where Azure would run it."""

    resource: Resource
    subscription: str
    group: str
    region: str
    data_location: str
    tags: Mapping[str, str]
    is_local_auth_disabled: bool
    state: str
    created_micros: int

    @property
    def is_deleting(self) -> bool:
        return self.state == "deleting"

    def is_in(self, group: Group) -> bool:
        return (self.subscription, self.group) == (group.subscription, group.name)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a resource is to be like; None leaves as it is what is there."""

    tags: Mapping[str, str] | None = None
    is_local_auth_disabled: bool | None = None


async def find_holding(transaction: Transaction, name: str) -> Holding | None:
    """Finds it by name alone: no two resources of a server have one."""
    rows = await transaction.execute(f"{_SELECT} where lower(r.name) = lower($1)", name)
    return _holding(rows[0]) if rows else None


async def get_holding(transaction: Transaction, subscription: str, group: str, *, name: str) -> Holding:
    """Find a resource, even one that is being deleted.

    Raises:
        ResourceNotFound: it is not there, or elsewhere.
    """
    found = await find_holding(transaction, name)
    if found is None or (found.subscription, found.group.lower()) != (subscription.lower(), group.lower()):
        raise ResourceNotFound(name, group)
    return found


async def get_holding_in_force(transaction: Transaction, subscription: str, group: str, *, name: str) -> Holding:
    """Find a resource that is not being deleted.

    Raises:
        ResourceNotFound: as `get_holding`.
        BeingDeleted: it has no keys to show or change any more.
    """
    holding = await get_holding(transaction, subscription, group, name=name)
    if holding.is_deleting:
        raise BeingDeleted("resource", holding.resource.name)
    return holding


async def list_holdings(transaction: Transaction, subscription: str, group: Group | None = None) -> list[Holding]:
    """Those of a group or of a whole subscription, oldest first."""
    if group is None:
        rows = await transaction.execute(f"{_SELECT} where g.subscription = $1 order by r.number", subscription.lower())
    else:
        rows = await transaction.execute(f"{_SELECT} where g.number = $1 order by r.number", group.number)
    return [_holding(row) for row in rows]


async def list_all_holdings(transaction: Transaction) -> list[Holding]:
    """Every resource of the server, oldest first."""
    return [_holding(row) for row in await transaction.execute(f"{_SELECT} order by r.number")]


async def is_name_free(transaction: Transaction, name: str) -> bool:
    """Ask whether no resource of this server has the name.

    Raises:
        InvalidName: nobody could have it.
    """
    if not _NAME.fullmatch(name):
        raise InvalidName("resource", NAME_RULE)
    return await find_holding(transaction, name) is None


async def create_holding(
    transaction: Transaction,
    encryption: Encryption,
    now_micros: int,
    *,
    group: Group,
    name: str,
    region: str,
    data_location: str,
    wanted: Wanted,
    shares_host: bool,
) -> Holding:
    """A resource with its two access keys, in a group that is in force.

    Raises:
        InvalidName: of the resource.
        NameTaken: another resource has the name, in whatever group.
        InvalidProperty: the data location or a tag cannot be so.
        TooManyResources: as many as can share a Host are there already.
    """
    if not await is_name_free(transaction, name):
        raise NameTaken(name)
    if not _LOCATION.fullmatch(data_location) or not (location := _claim(data_location)):
        raise InvalidProperty("properties.dataLocation", "It is made of letters and digits, such as United States.")
    [(count,)] = await transaction.execute("select count(*) from resources where state = 'active'")
    if shares_host and count >= MOST_RESOURCES_OF_A_HOST:
        raise TooManyResources(MOST_RESOURCES_OF_A_HOST)
    resource = await create_resource(
        transaction, encryption, now_micros, name=name, location=location, group=group.number
    )
    await transaction.execute(
        "update resources set region = $1, data_location = $2 where number = $3", region, data_location, resource.number
    )
    return await update_holding(
        transaction, await get_holding(transaction, group.subscription, group.name, name=name), wanted
    )


async def update_holding(transaction: Transaction, holding: Holding, wanted: Wanted) -> Holding:
    """The resource as it is wanted.

    Raises:
        InvalidProperty: a tag cannot be so.
        BeingDeleted: it is too late.
    """
    if holding.is_deleting:
        raise BeingDeleted("resource", holding.resource.name)
    tags = holding.tags if wanted.tags is None else wanted.tags
    require_tags(tags)
    disabled = (
        holding.is_local_auth_disabled if wanted.is_local_auth_disabled is None else wanted.is_local_auth_disabled
    )
    await transaction.execute(
        "update resources set tags = $1, local_auth_disabled = $2 where number = $3",
        encode_tags(tags),
        int(disabled),
        holding.resource.number,
    )
    return replace(holding, tags=tags, is_local_auth_disabled=disabled)


def require_unmoved(holding: Holding, region: str, data_location: str | None) -> None:
    """Let a change pass that leaves the resource and its data where they are.

    Raises:
        InvalidProperty: where a resource is and keeps its data is said once.
    """
    if plain_region(region) != plain_region(holding.region):
        raise InvalidProperty("location", f"The resource is in {holding.region}, and a resource does not move.")
    if data_location is not None and _claim(data_location) != holding.resource.location:
        told = f"The resource keeps its data in {holding.data_location or holding.resource.location}"
        raise InvalidProperty("properties.dataLocation", f"{told}, which is chosen once.")


async def count_identities(transaction: Transaction, resource: int) -> int:
    [(count,)] = await transaction.execute("select count(*) from identities where resource = $1", resource)
    return int(count)


def _claim(data_location: str) -> str:
    """A location as tokens name it: `unitedstates` for `United States`."""
    return data_location.replace(" ", "").lower()


def _holding(row: Row) -> Holding:
    subscription, group, region, data_location, tags, disabled, state, created = row[5:]
    details: Any = (subscription, group, region, data_location, decode_tags(tags), bool(disabled), state, created)
    return Holding(Resource(*row[:5]), *details)
