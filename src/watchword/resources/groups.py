"""Resource groups: what is deleted together. Names are equal in any case of letters, within a subscription."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from watchword.errors import BeingDeleted, GroupNotFound, InvalidName, InvalidProperty
from watchword.identifiers import new_guid
from watchword.storage import Row, Transaction

DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
DEFAULT_GROUP = "default"
"""Where the resource of the first start lives, and what a command means that names none."""

_NAME = re.compile(r"[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]", re.ASCII)
_NAME_RULE = "It has 1 to 90 letters, digits, underscores, hyphens, periods and parentheses, and ends with no period."
_COLUMNS = "number, id, subscription, name, location, tags, state, created_micros"
_MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class Group:
    """`id` is the group's own: another one of the same name, made later, has another."""

    number: int
    id: str
    subscription: str
    name: str
    location: str
    tags: Mapping[str, str]
    state: str
    created_micros: int

    @property
    def is_deleting(self) -> bool:
        return self.state == "deleting"


async def find_group(transaction: Transaction, subscription: str, name: str) -> Group | None:
    rows = await transaction.execute(
        f"select {_COLUMNS} from resource_groups where subscription = $1 and lower(name) = lower($2)",
        subscription.lower(),
        name,
    )
    return _group(rows[0]) if rows else None


async def get_group(transaction: Transaction, subscription: str, name: str) -> Group:
    """Find a group, even one that is being deleted.

    Raises:
        GroupNotFound: there is none.
    """
    found = await find_group(transaction, subscription, name)
    if found is None:
        raise GroupNotFound(name)
    return found


async def get_group_in_force(transaction: Transaction, subscription: str, name: str) -> Group:
    """Find a group that things can be put into.

    Raises:
        GroupNotFound: there is none.
        BeingDeleted: nothing can be put into it any more.
    """
    group = await get_group(transaction, subscription, name)
    if group.is_deleting:
        raise BeingDeleted("resource group", group.name)
    return group


async def list_groups(transaction: Transaction, subscription: str | None = None) -> list[Group]:
    """Those of a subscription, or all, by name."""
    everything = f"select {_COLUMNS} from resource_groups"
    if subscription is None:
        rows = await transaction.execute(f"{everything} order by subscription, lower(name)")
    else:
        rows = await transaction.execute(
            f"{everything} where subscription = $1 order by lower(name)", subscription.lower()
        )
    return [_group(row) for row in rows]


async def list_subscriptions(transaction: Transaction) -> list[str]:
    """Those that have groups, by id; so the default one comes first."""
    rows = await transaction.execute("select distinct subscription from resource_groups order by subscription")
    return [subscription for (subscription,) in rows]


async def create_group(
    transaction: Transaction, subscription: str, name: str, *, location: str, tags: Mapping[str, str], now_micros: int
) -> tuple[Group, bool]:
    """The group, and whether it is new; one that is there already is given the tags.

    Raises:
        InvalidName: of the group.
        InvalidProperty: the location is not the one that the group has, or a tag cannot be so.
        BeingDeleted: the name is free only when the deletion has ended.
    """
    if not _NAME.fullmatch(name):
        raise InvalidName("resource group", _NAME_RULE)
    require_tags(tags)
    present = await find_group(transaction, subscription, name)
    if present is None:
        [row] = await transaction.execute(
            "insert into resource_groups (id, subscription, name, location, tags, created_micros)"
            f" values ($1, $2, $3, $4, $5, $6) returning {_COLUMNS}",
            new_guid(),
            subscription.lower(),
            name,
            location,
            encode_tags(tags),
            now_micros,
        )
        return _group(row), True
    if present.is_deleting:
        raise BeingDeleted("resource group", present.name)
    if plain_region(location) != plain_region(present.location):
        raise InvalidProperty("location", f"The group is in {present.location}, and a group does not move.")
    return await update_group(transaction, present, tags), False


async def update_group(transaction: Transaction, group: Group, tags: Mapping[str, str]) -> Group:
    """Its tags are these from now on.

    Raises:
        InvalidProperty: a tag cannot be so.
        BeingDeleted: it is too late.
    """
    if group.is_deleting:
        raise BeingDeleted("resource group", group.name)
    require_tags(tags)
    await transaction.execute("update resource_groups set tags = $1 where number = $2", encode_tags(tags), group.number)
    return replace(group, tags=tags)


async def default_group(transaction: Transaction, now_micros: int, subscription: str = DEFAULT_SUBSCRIPTION) -> Group:
    """The group of resources that were made without one; it is made when it is first needed."""
    found = await find_group(transaction, subscription, DEFAULT_GROUP)
    if found is None:
        found, _ = await create_group(
            transaction, subscription, DEFAULT_GROUP, location="global", tags={}, now_micros=now_micros
        )
    return found


async def is_group_there(transaction: Transaction, id: str) -> bool:
    """Whether a group, by its own id, is there or still being deleted."""
    return bool(await transaction.execute("select 1 from resource_groups where id = $1", id))


def plain_region(text: str) -> str:
    """`West Europe` and `westeurope` are one."""
    return text.replace(" ", "").lower()


def require_tags(tags: Mapping[str, str]) -> None:
    """Let tags pass that are few and short enough.

    Raises:
        InvalidProperty: too many, or too long.
    """
    if len(tags) > _MOST_TAGS:
        raise InvalidProperty("tags", f"There are {len(tags)} tags; {_MOST_TAGS} are the most.")
    if any(not 1 <= len(name) <= 512 or len(value) > 256 for name, value in tags.items()):
        raise InvalidProperty("tags", "The name of a tag has 1 to 512 characters, its value 256 at the most.")


def encode_tags(tags: Mapping[str, str]) -> str:
    return msgspec.json.encode(tags).decode()


def decode_tags(text: str) -> Mapping[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


def _group(row: Row) -> Group:
    values: list[Any] = list(row)
    values[5] = decode_tags(values[5])
    return Group(*values)
