"""The tags of a group or a resource, asked for and changed by themselves.

    <path of the group or resource>/providers/Microsoft.Resources/tags/default

So clients change tags: .NET's `AddTag`, `SetTags` and `RemoveTag`, Java's `updateTags`, and `az tag`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from watchword.errors import InvalidProperty
from watchword.management.resource_operations import resource_path
from watchword.resources.groups import get_group, update_group
from watchword.resources.holdings import Wanted, get_holding, update_holding
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.callers import Manager
from watchword.rest.doors import Doors
from watchword.storage import Database, Transaction
from watchword.wire import management as wire
from watchword.wire import management_bodies as bodies
from watchword.wire.management import read

Tags: TypeAlias = Mapping[str, str]
Change: TypeAlias = Callable[[Tags], Tags]


class TagOperations:
    """Each operation is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        return [
            Binding(operation, function, doors.operators, "waits")
            for operations, function in (
                (wire.GET_TAGS, self.get),
                (wire.PUT_TAGS, self.put),
                (wire.PATCH_TAGS, self.patch),
                (wire.DELETE_TAGS, self.delete),
            )
            for operation in operations
        ]

    async def get(self, call: Call[Manager]) -> bodies.TagsBody:
        return await self._carry_out(call, None)

    async def put(self, call: Call[Manager]) -> bodies.TagsBody:
        wanted = read(call.request.body, bodies.TagsRequest, call.request.ignored).properties.tags or {}
        return await self._carry_out(call, lambda _: wanted)

    async def patch(self, call: Call[Manager]) -> bodies.TagsBody:
        asked = read(call.request.body, bodies.TagsPatch, call.request.ignored)
        named = (asked.properties.tags if asked.properties else None) or {}
        return await self._carry_out(call, _change(asked.operation, named))

    async def delete(self, call: Call[Manager]) -> RawAnswer:
        await self._carry_out(call, lambda _: {})
        return RawAnswer(b"")

    async def _carry_out(self, call: Call[Manager], change: Change | None) -> bodies.TagsBody:
        """What the tags are then."""
        of = _of_resource if "communicationServiceName" in call.parts else _of_group
        scope, tags = await self._database.transact(lambda transaction: of(transaction, call.parts, change))
        path = f"{scope}/providers/Microsoft.Resources/tags/default"
        return bodies.TagsBody(path, "default", bodies.TAGS_TYPE, bodies.TagsProperties(tags))


async def _of_group(transaction: Transaction, parts: Mapping[str, str], change: Change | None) -> tuple[str, Tags]:
    group = await get_group(transaction, parts["subscriptionId"], parts["resourceGroupName"])
    if change is not None:
        group = await update_group(transaction, group, change(group.tags))
    return f"/subscriptions/{group.subscription}/resourceGroups/{group.name}", group.tags


async def _of_resource(transaction: Transaction, parts: Mapping[str, str], change: Change | None) -> tuple[str, Tags]:
    holding = await get_holding(
        transaction, parts["subscriptionId"], parts["resourceGroupName"], parts["communicationServiceName"]
    )
    if change is not None:
        holding = await update_holding(transaction, holding, Wanted(tags=change(holding.tags)))
    return resource_path(holding), holding.tags


def _change(operation: str | None, named: Tags) -> Change:
    """Raises:
    InvalidProperty: there is no such operation.
    """
    match (operation or "").lower():
        case "replace":
            return lambda _: named
        case "merge":
            return lambda present: {**present, **named}
        case "delete":
            # Source: tags are deleted by names, or by names with values. Assumed: an empty value stands for the name
            # alone.
            return lambda present: {
                name: value for name, value in present.items() if named.get(name) not in ("", value)
            }
        case _:
            raise InvalidProperty("operation", "It is Replace, Merge or Delete.")
