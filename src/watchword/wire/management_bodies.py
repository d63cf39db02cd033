"""The bodies of the management API. Names are the published ones; what is null or unset is left out.

Source: the published documents, see `wire.management`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from watchword.wire.request_bodies import RequestBody

RESOURCE_TYPE = "Microsoft.Communication/CommunicationServices"
GROUP_TYPE = "Microsoft.Resources/resourceGroups"
TAGS_TYPE = "Microsoft.Resources/tags"


class GroupRequest(RequestBody, frozen=True):
    """`{"location": "westeurope", "tags": {"team": "chat"}}`; everything else is ignored."""

    location: str
    tags: dict[str, str] | None = None


class GroupPatch(RequestBody, frozen=True):
    """What may change of a group."""

    tags: dict[str, str] | None = None


class GroupProperties(msgspec.Struct, frozen=True):
    """`Succeeded`, or `Deleting`."""

    provisioningState: str


class GroupBody(msgspec.Struct, frozen=True):
    """{"id":"/subscriptions/.../resourceGroups/contoso","name":"contoso","type":"Microsoft.Resources/resourceGroups",
    "location":"westeurope","tags":{},"properties":{"provisioningState":"Succeeded"}}
    """

    id: str
    name: str
    type: str
    location: str
    tags: Mapping[str, str]
    properties: GroupProperties


class GroupList(msgspec.Struct, frozen=True):
    """All at once: there is never a next page."""

    value: list[GroupBody]


class ContentBody(msgspec.Struct, frozen=True):
    """A resource as its group lists it."""

    id: str
    name: str
    type: str
    location: str
    tags: Mapping[str, str]


class ContentList(msgspec.Struct, frozen=True):
    """All at once."""

    value: list[ContentBody]


class PropertiesRequest(RequestBody, frozen=True):
    """`linkedDomains` are read only to refuse what would have no effect."""

    dataLocation: str | None = None
    linkedDomains: list[str] | None = None


class PropertiesRequest2025(PropertiesRequest, frozen=True):
    """`publicNetworkAccess` is read only to refuse what would have no effect."""

    disableLocalAuth: bool | None = None
    publicNetworkAccess: str | None = None


class IdentityRequest(RequestBody, frozen=True):
    """The managed identity of the resource itself, of which there is none here."""

    type: str = "None"


class ResourceRequest(RequestBody, frozen=True):
    """`{"location": "global", "properties": {"dataLocation": "United States"}, "tags": {}}`"""

    location: str
    properties: PropertiesRequest | None = None
    tags: dict[str, str] | None = None
    identity: IdentityRequest | None = None


class ResourceRequest2025(ResourceRequest, frozen=True):
    """`{"location": "global", "properties": {"dataLocation": "United States", "disableLocalAuth": true}}`"""

    properties: PropertiesRequest2025 | None = None


class ResourcePatch(RequestBody, frozen=True):
    """What may change of a resource."""

    properties: PropertiesRequest | None = None
    tags: dict[str, str] | None = None
    identity: IdentityRequest | None = None


class ResourcePatch2025(ResourcePatch, frozen=True):
    """`{"properties": {"disableLocalAuth": true}}`"""

    properties: PropertiesRequest2025 | None = None


class ResourceProperties(msgspec.Struct, frozen=True, omit_defaults=True):
    """`immutableResourceId` is the first half of every identity's id."""

    provisioningState: str
    hostName: str
    dataLocation: str
    immutableResourceId: str
    disableLocalAuth: bool | None = None
    publicNetworkAccess: str | None = None


class SystemData(msgspec.Struct, frozen=True):
    """Who made it is not kept."""

    createdAt: str


class ResourceBody(msgspec.Struct, frozen=True):
    """The resource, whose `type` the original writes with a capital C."""

    id: str
    name: str
    type: str
    location: str
    tags: Mapping[str, str]
    properties: ResourceProperties
    systemData: SystemData


class ResourceList(msgspec.Struct, frozen=True):
    """All at once."""

    value: list[ResourceBody]


class Keys(msgspec.Struct, frozen=True, omit_defaults=True):
    """Both keys, or the one that was regenerated."""

    primaryKey: str | None = None
    secondaryKey: str | None = None
    primaryConnectionString: str | None = None
    secondaryConnectionString: str | None = None


class RegenerateRequest(RequestBody, frozen=True):
    """`Primary` or `Secondary`, in any case of letters."""

    keyType: str


class NameRequest(RequestBody, frozen=True):
    """The type is that of communication resources."""

    name: str
    type: str = RESOURCE_TYPE


class NameAvailability(msgspec.Struct, frozen=True, omit_defaults=True):
    """`reason` is `Invalid` or `AlreadyExists`."""

    nameAvailable: bool
    reason: str | None = None
    message: str | None = None


class Display(msgspec.Struct, frozen=True):
    """What people are shown."""

    provider: str
    resource: str
    operation: str
    description: str


class OperationBody(msgspec.Struct, frozen=True):
    """One thing that an operator may be allowed to do."""

    name: str
    isDataAction: bool
    display: Display


class OperationList(msgspec.Struct, frozen=True):
    """All at once."""

    value: list[OperationBody]


class ProviderBody(msgspec.Struct, frozen=True):
    """`{"id": "...", "namespace": "Microsoft.Communication", "registrationState": "Registered", ...}`"""

    id: str
    namespace: str
    registrationState: str
    registrationPolicy: str
    resourceTypes: list[dict[str, str | list[str]]]


class StatusBody(msgspec.Struct, frozen=True):
    """`{"id": "...", "name": "<guid>", "status": "Succeeded"}`"""

    id: str
    name: str
    status: str


class SubscriptionBody(msgspec.Struct, frozen=True):
    """{"id":"/subscriptions/<guid>","subscriptionId":"<guid>","displayName":"Watchword","state":"Enabled",
    "tenantId":"00000000-0000-0000-0000-000000000000"}
    """

    id: str
    subscriptionId: str
    displayName: str
    state: str
    tenantId: str


class SubscriptionList(msgspec.Struct, frozen=True):
    """All at once."""

    value: list[SubscriptionBody]


class TagsRequestProperties(RequestBody, frozen=True):
    """`{"tags": {"team": "chat"}}`"""

    tags: dict[str, str] | None = None


class TagsRequest(RequestBody, frozen=True):
    """`{"properties": {"tags": {"team": "chat"}}}`: all tags from now on."""

    properties: TagsRequestProperties


class TagsPatch(RequestBody, frozen=True):
    """`{"operation": "Merge", "properties": {"tags": {"team": "chat"}}}`"""

    operation: str | None = None
    properties: TagsRequestProperties | None = None


class TagsProperties(msgspec.Struct, frozen=True):
    """`{"tags": {"team": "chat"}}`"""

    tags: Mapping[str, str]


class TagsBody(msgspec.Struct, frozen=True):
    """{"id":"/subscriptions/.../providers/Microsoft.Resources/tags/default","name":"default",
    "type":"Microsoft.Resources/tags","properties":{"tags":{}}}
    """

    id: str
    name: str
    type: str
    properties: TagsProperties
