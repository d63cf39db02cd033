"""Communication resources: where the resource manager's wire meets our rules."""

from __future__ import annotations

from base64 import b64encode
from typing import NoReturn
from urllib.parse import quote

from watchword.clock import Clock
from watchword.errors import InvalidName, InvalidProperty, NotServed, OperationNotFound
from watchword.identifiers import parse_guid
from watchword.keyring.encryption import Encryption
from watchword.resources.access_keys import AccessKey, open_access_keys, regenerate_access_key
from watchword.resources.deletion import Deletions, begin_resource_deletion, is_resource_there
from watchword.resources.groups import get_group, get_group_in_force
from watchword.resources.holdings import (
    Holding,
    Wanted,
    create_holding,
    find_holding,
    get_holding,
    get_holding_in_force,
    is_name_free,
    list_holdings,
    require_unmoved,
    update_holding,
)
from watchword.resources.store import Slot
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.callers import Manager
from watchword.rest.doors import Doors
from watchword.rest.resource_hosts import ResourceHosts
from watchword.revocations.feed import Feed
from watchword.storage import Database, Transaction
from watchword.wire import management as wire
from watchword.wire import management_bodies as bodies
from watchword.wire.connection_string import ConnectionString
from watchword.wire.identity_bodies import format_time
from watchword.wire.management import read
from watchword.wire.management_bodies import RESOURCE_TYPE

_SLOTS: dict[str, Slot] = {"primary": "primary", "secondary": "secondary"}
_ACTIONS = (("read", "Get or list resources"), ("write", "Create or change resources"), ("delete", "Delete resources"),
            ("listKeys/action", "Show access keys"), ("regenerateKey/action", "Replace an access key"))  # fmt: skip


class ResourceOperations:
    """Each operation is one transaction. `endpoint` is where clients reach resources, if not where operators come."""

    def __init__(
        self,
        database: Database,
        encryption: Encryption,
        deletions: Deletions,
        feed: Feed,
        clock: Clock,
        hosts: ResourceHosts,
        endpoint: str | None = None,
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._deletions = deletions
        self._feed = feed
        self._clock = clock
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
        wanted = _wanted(asked)
        data_location = asked.properties.dataLocation if asked.properties else None
        subscription, group_name, name = _named(call)

        async def create_or_update(transaction: Transaction) -> tuple[Holding, bool]:
            group = await get_group_in_force(transaction, subscription, group_name)
            present = await find_holding(transaction, name)
            if present is not None and present.is_in(group):
                require_unmoved(present, asked.location, data_location)
                return await update_holding(transaction, present, wanted), False
            if data_location is None:
                raise InvalidProperty("properties.dataLocation", "It says where the data is kept, and must be there.")
            created = await create_holding(
                transaction,
                self._encryption,
                self._clock,
                group,
                name=name,
                region=asked.location,
                data_location=data_location,
                wanted=wanted,
                shares_host=self._hosts.are_shared,
            )
            return created, True

        holding, is_new = await self._database.transact(create_or_update)
        body = self._body(holding, call)
        if not is_new:
            return RawAnswer.json(body, 200)
        # It is there already; clients poll all the same, and at once.
        progress = operation_address(call, "operationStatuses", holding.resource.id)
        return RawAnswer.json(body, 201, (("azure-asyncoperation", progress), ("retry-after", "0")))

    async def get(self, call: Call[Manager]) -> bodies.ResourceBody:
        found = await self._database.transact(lambda transaction: get_holding(transaction, *_named(call)))
        return self._body(found, call)

    async def patch(self, call: Call[Manager]) -> bodies.ResourceBody:
        shape = bodies.ResourcePatch2025 if call.version in wire.LOCAL_AUTH else bodies.ResourcePatch
        asked = read(call.request.body, shape, call.request.ignored)
        wanted = _wanted(asked)

        async def update(transaction: Transaction) -> Holding:
            return await update_holding(transaction, await get_holding(transaction, *_named(call)), wanted)

        return self._body(await self._database.transact(update), call)

    async def delete(self, call: Call[Manager]) -> RawAnswer | None:
        subscription, group_name, name = _named(call)

        async def begin(transaction: Transaction) -> Holding | None:
            group = await get_group(transaction, subscription, group_name)
            found = await find_holding(transaction, name)
            if found is None or not found.is_in(group):
                return None
            await begin_resource_deletion(transaction, found.resource, self._clock.micros())
            return found

        holding = await self._database.transact(begin)
        if holding is None:
            return None
        self._feed.wake()
        self._deletions.nudge()
        progress = operation_address(call, "operationResults", holding.resource.id)
        return RawAnswer(b"", (("location", progress), ("retry-after", "1")), 202)

    async def list_of_subscription(self, call: Call[Manager]) -> bodies.ResourceList:
        subscription = call.parts["subscriptionId"]
        found = await self._database.transact(lambda transaction: list_holdings(transaction, subscription))
        return bodies.ResourceList([self._body(each, call) for each in found])

    async def list_of_group(self, call: Call[Manager]) -> bodies.ResourceList:
        async def listed(transaction: Transaction) -> list[Holding]:
            group = await get_group(transaction, call.parts["subscriptionId"], call.parts["resourceGroupName"])
            return await list_holdings(transaction, group.subscription, group)

        return bodies.ResourceList([self._body(each, call) for each in await self._database.transact(listed)])

    async def list_keys(self, call: Call[Manager]) -> RawAnswer:
        async def opened(transaction: Transaction) -> tuple[Holding, list[AccessKey]]:
            holding = await get_holding_in_force(transaction, *_named(call))
            return holding, await open_access_keys(transaction, holding.resource, self._encryption)

        holding, keys = await self._database.transact(opened)
        return self._keys(call, holding, keys)

    async def regenerate_key(self, call: Call[Manager]) -> RawAnswer:
        asked = read(call.request.body, bodies.RegenerateRequest, call.request.ignored)
        slot = _SLOTS.get(asked.keyType.lower())
        if slot is None:
            raise InvalidProperty("keyType", "It is Primary or Secondary.")

        async def regenerate(transaction: Transaction) -> tuple[Holding, AccessKey]:
            holding = await get_holding_in_force(transaction, *_named(call))
            now = self._clock.micros()
            return holding, await regenerate_access_key(transaction, self._encryption, holding.resource, slot, now)

        holding, key = await self._database.transact(regenerate)
        self._feed.wake()
        return self._keys(call, holding, [key])

    async def check_name(self, call: Call[Manager]) -> bodies.NameAvailability:
        asked = read(call.request.body, bodies.NameRequest, call.request.ignored)
        if asked.type.lower() != RESOURCE_TYPE.lower():
            raise InvalidProperty("type", f"Only names of {RESOURCE_TYPE} are known here.")
        try:
            free = await self._database.transact(lambda transaction: is_name_free(transaction, asked.name))
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
        if id is None or not await self._database.transact(lambda transaction: is_resource_there(transaction, id)):
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


def _named(call: Call[Manager]) -> tuple[str, str, str]:
    parts = call.parts
    return parts["subscriptionId"], parts["resourceGroupName"], parts["communicationServiceName"]


def _wanted(asked: bodies.ResourceRequest | bodies.ResourcePatch) -> Wanted:
    """Raises:
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
