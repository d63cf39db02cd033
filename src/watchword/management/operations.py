"""Resource groups, providers, and how far a deletion is: where the resource manager's wire meets our rules.

What takes time is known by what it is about: a creation by the resource's guid, a deletion by that of the resource or
group. So it needs no record of its own, and a restart loses none: a deletion has ended when its object is gone.
"""

from __future__ import annotations

from watchword.errors import GroupNotFound, OperationNotFound
from watchword.identifiers import parse_guid
from watchword.management.groups import Groups
from watchword.management.resource_operations import operation_address, resource_path
from watchword.resources.groups import Group
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.callers import Manager
from watchword.rest.doors import Doors
from watchword.wire import management as wire
from watchword.wire import management_bodies as bodies
from watchword.wire.management import read
from watchword.wire.management_bodies import RESOURCE_TYPE

_DELETION_POLL = (("retry-after", "1"),)


class GroupOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        return [
            Binding(wire.GROUP_EXISTS, self.exists, doors.operators, "waits"),
            Binding(wire.PUT_GROUP, self.put, doors.operators, "waits"),
            Binding(wire.GET_GROUP, self.get, doors.operators, "waits"),
            Binding(wire.PATCH_GROUP, self.patch, doors.operators, "waits"),
            Binding(wire.DELETE_GROUP, self.delete, doors.operators, "waits"),
            Binding(wire.LIST_GROUPS, self.list_all, doors.operators, "waits"),
            Binding(wire.LIST_CONTENT, self.list_content, doors.operators, "waits"),
            Binding(wire.GET_PROVIDER, self.provider, doors.operators, "waits"),
            Binding(wire.REGISTER_PROVIDER, self.provider, doors.operators, "waits"),
            Binding(wire.OPERATION_RESULT, self.result, doors.operators, "waits"),
        ]

    async def exists(self, call: Call[Manager]) -> None:
        if await self._groups.find(*_named(call)) is None:
            raise GroupNotFound(call.parts["resourceGroupName"])

    async def put(self, call: Call[Manager]) -> RawAnswer:
        asked = read(call.request.body, bodies.GroupRequest, call.request.ignored)
        group, is_new = await self._groups.put(
            *_named(call), location=asked.location, tags=asked.tags or {}, now_micros=call.now
        )
        return RawAnswer.json(_group_body(group), 201 if is_new else 200)

    async def get(self, call: Call[Manager]) -> bodies.GroupBody:
        return _group_body(await self._groups.get(*_named(call)))

    async def patch(self, call: Call[Manager]) -> bodies.GroupBody:
        tags = read(call.request.body, bodies.GroupPatch, call.request.ignored).tags
        if tags is None:
            return _group_body(await self._groups.get(*_named(call)))
        return _group_body(await self._groups.change_tags(*_named(call), lambda _: tags))

    async def delete(self, call: Call[Manager]) -> RawAnswer:
        group = await self._groups.delete(*_named(call), call.now)
        return RawAnswer(
            b"", (("location", operation_address(call, "operationResults", group.id)), *_DELETION_POLL), 202
        )

    async def list_all(self, call: Call[Manager]) -> bodies.GroupList:
        found = await self._groups.of_subscription(call.parts["subscriptionId"])
        return bodies.GroupList([_group_body(group) for group in found])

    async def list_content(self, call: Call[Manager]) -> bodies.ContentList:
        return bodies.ContentList(
            [
                bodies.ContentBody(resource_path(each), each.resource.name, RESOURCE_TYPE, each.region, each.tags)
                for each in await self._groups.content(*_named(call))
            ]
        )

    async def provider(self, call: Call[Manager]) -> bodies.ProviderBody:
        versions: list[str] = [*reversed(wire.ALL_VERSIONS)]
        kind: dict[str, str | list[str]] = {
            "resourceType": "CommunicationServices",
            "locations": ["global"],
            "apiVersions": versions,
        }
        return bodies.ProviderBody(
            f"/subscriptions/{call.parts['subscriptionId']}/providers/Microsoft.Communication",
            "Microsoft.Communication",
            "Registered",
            "RegistrationRequired",
            [kind],
        )

    async def result(self, call: Call[Manager]) -> RawAnswer | None:
        id = parse_guid(call.parts["operationId"])
        if id is None:
            raise OperationNotFound
        return RawAnswer(b"", _DELETION_POLL, 202) if await self._groups.is_there(id) else None


def _named(call: Call[Manager]) -> tuple[str, str]:
    return call.parts["subscriptionId"], call.parts["resourceGroupName"]


def _group_body(group: Group) -> bodies.GroupBody:
    path = f"/subscriptions/{group.subscription}/resourceGroups/{group.name}"
    state = bodies.GroupProperties("Deleting" if group.is_deleting else "Succeeded")
    return bodies.GroupBody(path, group.name, bodies.GROUP_TYPE, group.location, group.tags, state)
