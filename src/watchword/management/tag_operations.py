"""The tags of a group or a resource, asked for and changed by themselves.

    <path of the group or resource>/providers/Microsoft.Resources/tags/default

So clients change tags: .NET's `AddTag`, `SetTags` and `RemoveTag`, Java's `updateTags`, and `az tag`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from watchword.errors import InvalidProperty
from watchword.management.groups import Groups, Tags
from watchword.management.holdings import Holdings
from watchword.management.resource_operations import named, resource_path
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.callers import Manager
from watchword.rest.doors import Doors
from watchword.wire import management as wire
from watchword.wire import management_bodies as bodies
from watchword.wire.management import read

Change: TypeAlias = Callable[[Tags], Tags]


class TagOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(self, groups: Groups, holdings: Holdings) -> None:
        self._groups = groups
        self._holdings = holdings

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
        of = self._of_resource if "communicationServiceName" in call.parts else self._of_group
        scope, tags = await of(call, change)
        path = f"{scope}/providers/Microsoft.Resources/tags/default"
        return bodies.TagsBody(path, "default", bodies.TAGS_TYPE, bodies.TagsProperties(tags))

    async def _of_group(self, call: Call[Manager], change: Change | None) -> tuple[str, Tags]:
        of = call.parts["subscriptionId"], call.parts["resourceGroupName"]
        group = await (self._groups.get(*of) if change is None else self._groups.change_tags(*of, change))
        return f"/subscriptions/{group.subscription}/resourceGroups/{group.name}", group.tags

    async def _of_resource(self, call: Call[Manager], change: Change | None) -> tuple[str, Tags]:
        of = named(call)
        holding = await (self._holdings.get(of) if change is None else self._holdings.change_tags(of, change))
        return resource_path(holding), holding.tags


def _change(operation: str | None, named: Tags) -> Change:
    """Choose what an operation does with the tags that it names.

    Raises:
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
