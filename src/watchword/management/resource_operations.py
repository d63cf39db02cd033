"""Communication resources: where the resource manager's wire meets our rules."""

from __future__ import annotations

from base64 import b64encode
from typing import NoReturn
from urllib.parse import quote

from watchword.errors import InvalidName, InvalidProperty, NotServed, OperationNotFound
from watchword.identifiers import parse_guid
from watchword.management.groups import Groups
from watchword.management.holdings import Holdings, Named
from watchword.resources.access_keys import AccessKey
from watchword.resources.holdings import Holding, Wanted
from watchword.resources.store import Slot
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.callers import Manager
from watchword.rest.doors import Doors
from watchword.rest.resource_hosts import ResourceHosts
from watchword.wire import management as wire
from watchword.wire import management_bodies as bodies
from watchword.wire.connection_string import ConnectionString
from watchword.wire.management import read
from watchword.wire.management_bodies import RESOURCE_TYPE
from watchword.wire.times import format_time

_SLOTS: dict[str, Slot] = {"primary": "primary", "secondary": "secondary"}
_ACTIONS = (("read", "Get or list resources"), ("write", "Create or change resources"), ("delete", "Delete resources"),
            ("listKeys/action", "Show access keys"), ("regenerateKey/action", "Replace an access key"))  # fmt: skip


class ResourceOperations:
    """Speaks both languages. `endpoint` is where clients reach resources, if not where operators come."""

    def __init__(
        self, groups: Groups, holdings: Holdings, hosts: ResourceHosts, *, endpoint: str | None = None
    ) -> None:
        self._groups = groups
        self._holdings = holdings
        self._hosts = hosts
        self._own_endpoint = endpoint

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        return [
            Binding(wire.LIST_OPERATIONS, self.list_operations, doors.operators, "waits"),
            Binding(wire.CHECK_NAME, self.check_name, doors.operators, "waits"),
            Binding(wire.LIST_OF_SUBSCRIPTION, self.list_of_subscription, doors.operators, "waits"),
            Binding(wire.LIST_OF_GROUP, self.list_of_group, doors.operators, "waits"),
            Binding(wire.PUT_RESOURCE, self.put, doors.operators, "waits"),
            Binding(wire.GET_RESOURCE, self.get, doors.operators, "waits"),
            Binding(wire.PATCH_RESOURCE, self.patch, doors.operators, "waits"),
            Binding(wire.DELETE_RESOURCE, self.delete, doors.operators, "waits"),
            Binding(wire.LIST_KEYS, self.list_keys, doors.operators, "waits"),
            Binding(wire.REGENERATE_KEY, self.regenerate_key, doors.operators, "waits"),
            Binding(wire.LINK_NOTIFICATION_HUB, self.refuse, doors.operators, "waits"),
            Binding(wire.OPERATION_STATUS, self.status, doors.operators, "waits"),
        ]

    async def put(self, call: Call[Manager]) -> RawAnswer:
        shape = bodies.ResourceRequest2025 if call.version in wire.LOCAL_AUTH else bodies.ResourceRequest
        asked = read(call.request.body, shape, call.request.ignored)
        holding, is_new = await self._holdings.put(
            named(call),
            region=asked.location,
            data_location=asked.properties.dataLocation if asked.properties else None,
            wanted=_wanted(asked),
            now_micros=call.now,
        )
        body = self._body(holding, call)
        if not is_new:
            return RawAnswer.json(body, 200)
        # It is there already; clients poll all the same, and at once.
        progress = operation_address(call, "operationStatuses", holding.resource.id)
        return RawAnswer.json(body, 201, (("azure-asyncoperation", progress), ("retry-after", "0")))

    async def get(self, call: Call[Manager]) -> bodies.ResourceBody:
        return self._body(await self._holdings.get(named(call)), call)

    async def patch(self, call: Call[Manager]) -> bodies.ResourceBody:
        shape = bodies.ResourcePatch2025 if call.version in wire.LOCAL_AUTH else bodies.ResourcePatch
        asked = read(call.request.body, shape, call.request.ignored)
        return self._body(await self._holdings.update(named(call), _wanted(asked)), call)

    async def delete(self, call: Call[Manager]) -> RawAnswer | None:
        holding = await self._holdings.delete(named(call), call.now)
        if holding is None:
            return None
        progress = operation_address(call, "operationResults", holding.resource.id)
        return RawAnswer(b"", (("location", progress), ("retry-after", "1")), 202)

    async def list_of_subscription(self, call: Call[Manager]) -> bodies.ResourceList:
        found = await self._holdings.of_subscription(call.parts["subscriptionId"])
        return bodies.ResourceList([self._body(each, call) for each in found])

    async def list_of_group(self, call: Call[Manager]) -> bodies.ResourceList:
        found = await self._groups.content(call.parts["subscriptionId"], call.parts["resourceGroupName"])
        return bodies.ResourceList([self._body(each, call) for each in found])

    async def list_keys(self, call: Call[Manager]) -> RawAnswer:
        holding, keys = await self._holdings.keys(named(call))
        return self._keys(call, holding, keys)

    async def regenerate_key(self, call: Call[Manager]) -> RawAnswer:
        asked = read(call.request.body, bodies.RegenerateRequest, call.request.ignored)
        slot = _SLOTS.get(asked.keyType.lower())
        if slot is None:
            raise InvalidProperty("keyType", "It is Primary or Secondary.")
        holding, key = await self._holdings.regenerate_key(named(call), slot, call.now)
        return self._keys(call, holding, [key])

    async def check_name(self, call: Call[Manager]) -> bodies.NameAvailability:
        asked = read(call.request.body, bodies.NameRequest, call.request.ignored)
        if asked.type.lower() != RESOURCE_TYPE.lower():
            raise InvalidProperty("type", f"Only names of {RESOURCE_TYPE} are known here.")
        try:
            free = await self._holdings.is_name_free(asked.name)
        except InvalidName as error:
            return bodies.NameAvailability(False, "Invalid", error.rule)
        if free:
            return bodies.NameAvailability(True)
        # Source: the sentence, surroundings.md section 3.1.
        message = "Requested name is unavailable for the requested type"
        return bodies.NameAvailability(False, "AlreadyExists", message)

    async def list_operations(self, call: Call[Manager]) -> bodies.OperationList:
        del call
        return bodies.OperationList(
            [
                bodies.OperationBody(
                    f"{RESOURCE_TYPE}/{action}",
                    False,
                    bodies.Display("Watchword", "Communication resources", description, f"{description}."),
                )
                for action, description in _ACTIONS
            ]
        )

    async def status(self, call: Call[Manager]) -> bodies.StatusBody:
        id = parse_guid(call.parts["operationId"])
        if id is None or not await self._holdings.is_there(id):
            raise OperationNotFound
        return bodies.StatusBody(call.request.target.partition("?")[0], id, "Succeeded")

    async def refuse(self, call: Call[Manager]) -> NoReturn:
        raise NotServed(call.operation.id, call.operation.refusal)

    def _keys(self, call: Call[Manager], holding: Holding, keys: list[AccessKey]) -> RawAnswer:
        endpoint = self._endpoint(call, holding)
        found: dict[str, str] = {}
        for key in keys:
            found[f"{key.slot}Key"] = b64encode(key.secret).decode("ascii")
            found[f"{key.slot}ConnectionString"] = str(ConnectionString(endpoint, key.secret))
        return RawAnswer.json(bodies.Keys(**found), 200, (("cache-control", "no-store"),))

    def _endpoint(self, call: Call[Manager], holding: Holding) -> str:
        return self._hosts.endpoint(self._own_endpoint or call.request.origin, holding.resource.name)

    def _body(self, holding: Holding, call: Call[Manager]) -> bodies.ResourceBody:
        knows = call.version in wire.LOCAL_AUTH
        properties = bodies.ResourceProperties(
            provisioningState="Deleting" if holding.is_deleting else "Succeeded",
            # Clients put https:// before it, so that a port that is not TLS's own has to be there.
            hostName=self._endpoint(call, holding).partition("://")[2],
            dataLocation=holding.data_location or holding.resource.location,
            immutableResourceId=holding.resource.id,
            disableLocalAuth=holding.is_local_auth_disabled if knows else None,
            publicNetworkAccess="Enabled" if knows else None,
        )
        created = bodies.SystemData(format_time(holding.created_micros))
        return bodies.ResourceBody(
            resource_path(holding),
            holding.resource.name,
            RESOURCE_TYPE,
            holding.region,
            holding.tags,
            properties,
            created,
        )


def resource_path(holding: Holding) -> str:
    group = f"/subscriptions/{holding.subscription}/resourceGroups/{holding.group}"
    return f"{group}/providers/{RESOURCE_TYPE}/{holding.resource.name}"


def operation_address(call: Call[Manager], kind: str, id: str) -> str:
    """Where a client asks how far something is."""
    # As it was sent, it may be anything; in a header it must not end a line.
    query = f"?api-version={quote(call.version)}" if call.version else ""
    return f"{call.request.origin}/providers/Microsoft.Communication/locations/global/{kind}/{id}{query}"


def named(call: Call[Manager]) -> Named:
    parts = call.parts
    return Named(parts["subscriptionId"], parts["resourceGroupName"], parts["communicationServiceName"])


def _wanted(asked: bodies.ResourceRequest | bodies.ResourcePatch) -> Wanted:
    """Read what a request asks for.

    Raises:
        InvalidProperty: something is asked for that would have no effect here.
    """
    properties = asked.properties or bodies.PropertiesRequest()
    if asked.identity is not None and asked.identity.type.lower() != "none":
        raise InvalidProperty("identity.type", "Resources have no managed identity here; leave it out, or say None.")
    if properties.linkedDomains:
        raise InvalidProperty("properties.linkedDomains", "There is no e-mail here that domains could be linked for.")
    if not isinstance(properties, bodies.PropertiesRequest2025):
        return Wanted(asked.tags, None)
    if (properties.publicNetworkAccess or "Enabled").lower() != "enabled":
        reason = "Who may connect is decided by --host and the network; it stays Enabled."
        raise InvalidProperty("properties.publicNetworkAccess", reason)
    return Wanted(asked.tags, properties.disableLocalAuth)
