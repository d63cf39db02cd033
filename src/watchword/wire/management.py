"""The management API's operations, as data: groups and communication resources, on the resource manager's wire.

Source: surroundings.md section 3; the published documents of Microsoft.Resources 2024-03-01 and Microsoft.Communication
2020-08-20, 2023-03-31 and 2023-04-01; of subscriptions what the clients of .NET and Java read. What is published once
for any scope has an id of its own for each. Assumed: 2025-09-01 is as surroundings.md section 3.1 says, since its
document is not at hand.
"""

from __future__ import annotations

from typing import TypeVar

from watchword.wire import management_bodies as bodies
from watchword.wire import versions
from watchword.wire.operations import Body, Operation
from watchword.wire.request_bodies import Reader, RequestBody

Shape = TypeVar("Shape", bound=RequestBody)

ALL_VERSIONS = versions.Series(("2020-08-20", "2023-03-31", "2023-04-01", "2025-09-01"))
"""Of Microsoft.Communication. Groups and providers answer to every api-version."""

LOCAL_AUTH = ALL_VERSIONS.only("2025-09-01")
"""Know `disableLocalAuth` and `publicNetworkAccess`."""

_BEFORE = ALL_VERSIONS.without(LOCAL_AUTH)

_SUBSCRIPTION = "/subscriptions/{subscriptionId}"
_GROUPS = f"{_SUBSCRIPTION}/resourceGroups"
_GROUP = f"{_GROUPS}/{{resourceGroupName}}"
_PROVIDER = f"{_SUBSCRIPTION}/providers/Microsoft.Communication"
_TAGS_PROVIDER = "/providers/Microsoft.Resources"
_IN_GROUP = f"{_GROUP}/providers/Microsoft.Communication/communicationServices"
_RESOURCE = f"{_IN_GROUP}/{{communicationServiceName}}"
_TENANT = "/providers/Microsoft.Communication"
_PROGRESS = f"{_TENANT}/locations/{{location}}"

LIST_SUBSCRIPTIONS = Operation(
    "Subscriptions_List", "GET", "/subscriptions", 200, versions.ANY,
    "List the subscriptions that have resource groups.",
    gives=(Body(bodies.SubscriptionList),),
)  # fmt: skip
GET_SUBSCRIPTION = Operation(
    "Subscriptions_Get", "GET", _SUBSCRIPTION, 200, versions.ANY,
    "Get a subscription: every id is one.",
    gives=(Body(bodies.SubscriptionBody),),
)  # fmt: skip
GROUP_EXISTS = Operation(
    "ResourceGroups_CheckExistence", "HEAD", _GROUP, 204, versions.ANY,
    "Whether a resource group is there: 204, or 404.",
)  # fmt: skip
PUT_GROUP = Operation(
    "ResourceGroups_CreateOrUpdate", "PUT", _GROUP, 201, versions.ANY,
    "Create a resource group, or give one that is there other tags: 200 then.",
    takes=(Body(bodies.GroupRequest),), gives=(Body(bodies.GroupBody),), also=(200,),
)  # fmt: skip
GET_GROUP = Operation(
    "ResourceGroups_Get", "GET", _GROUP, 200, versions.ANY,
    "Get a resource group.",
    gives=(Body(bodies.GroupBody),),
)  # fmt: skip
PATCH_GROUP = Operation(
    "ResourceGroups_Update", "PATCH", _GROUP, 200, versions.ANY,
    "Give a resource group other tags.",
    takes=(Body(bodies.GroupPatch),), gives=(Body(bodies.GroupBody),),
)  # fmt: skip
DELETE_GROUP = Operation(
    "ResourceGroups_Delete", "DELETE", _GROUP, 202, versions.ANY,
    "Delete a resource group with everything in it; `Location` tells when it has ended.",
)  # fmt: skip
LIST_GROUPS = Operation(
    "ResourceGroups_List", "GET", _GROUPS, 200, versions.ANY,
    "List the resource groups of a subscription.",
    gives=(Body(bodies.GroupList),),
)  # fmt: skip
LIST_CONTENT = Operation(
    "Resources_ListByResourceGroup", "GET", f"{_GROUP}/resources", 200, versions.ANY,
    "List what is in a resource group.",
    gives=(Body(bodies.ContentList),),
)  # fmt: skip
GET_PROVIDER = Operation(
    "Providers_Get", "GET", _PROVIDER, 200, versions.ANY,
    "Whether the subscription may use Microsoft.Communication: it always may.",
    gives=(Body(bodies.ProviderBody),),
)  # fmt: skip
REGISTER_PROVIDER = Operation(
    "Providers_Register", "POST", f"{_PROVIDER}/register", 200, versions.ANY,
    "Answered like the question, for clients that register first.",
    gives=(Body(bodies.ProviderBody),),
)  # fmt: skip
GET_TAGS_PROVIDER = Operation(
    "Providers_Get_Microsoft_Resources", "GET", f"{_SUBSCRIPTION}{_TAGS_PROVIDER}", 200, versions.ANY,
    "Whether the subscription may use Microsoft.Resources, and that it has tags.",
    gives=(Body(bodies.ProviderBody),),
)  # fmt: skip

LIST_OPERATIONS = Operation(
    "Operations_List", "GET", f"{_TENANT}/operations", 200, ALL_VERSIONS,
    "List what operators may be allowed to do.",
    gives=(Body(bodies.OperationList),),
)  # fmt: skip
CHECK_NAME = Operation(
    "CommunicationServices_CheckNameAvailability", "POST", f"{_PROVIDER}/checkNameAvailability", 200, ALL_VERSIONS,
    "Whether a name is free on this server.",
    takes=(Body(bodies.NameRequest),), gives=(Body(bodies.NameAvailability),),
)  # fmt: skip
LIST_OF_SUBSCRIPTION = Operation(
    "CommunicationServices_ListBySubscription", "GET", f"{_PROVIDER}/communicationServices", 200, ALL_VERSIONS,
    "List the resources of a subscription.",
    gives=(Body(bodies.ResourceList),),
)  # fmt: skip
LIST_OF_GROUP = Operation(
    "CommunicationServices_ListByResourceGroup", "GET", _IN_GROUP, 200, ALL_VERSIONS,
    "List the resources of a group.",
    gives=(Body(bodies.ResourceList),),
)  # fmt: skip
PUT_RESOURCE = Operation(
    "CommunicationServices_CreateOrUpdate", "PUT", _RESOURCE, 201, ALL_VERSIONS,
    "Create a resource with two access keys, or change one that is there: 200 then.",
    takes=(Body(bodies.ResourceRequest, _BEFORE), Body(bodies.ResourceRequest2025, LOCAL_AUTH)),
    gives=(Body(bodies.ResourceBody),), also=(200,),
)  # fmt: skip
GET_RESOURCE = Operation(
    "CommunicationServices_Get", "GET", _RESOURCE, 200, ALL_VERSIONS,
    "Get a resource.",
    gives=(Body(bodies.ResourceBody),),
)  # fmt: skip
PATCH_RESOURCE = Operation(
    "CommunicationServices_Update", "PATCH", _RESOURCE, 200, ALL_VERSIONS,
    "Change the tags of a resource, or whether it takes access keys.",
    takes=(
        Body(bodies.ResourcePatch, _BEFORE, required=False),
        Body(bodies.ResourcePatch2025, LOCAL_AUTH, required=False),
    ),
    gives=(Body(bodies.ResourceBody),),
)  # fmt: skip
DELETE_RESOURCE = Operation(
    "CommunicationServices_Delete", "DELETE", _RESOURCE, 202, ALL_VERSIONS,
    "Delete a resource with its identities, and kill its tokens; `Location` tells when it has ended.",
    also=(204,),
)  # fmt: skip
LIST_KEYS = Operation(
    "CommunicationServices_ListKeys", "POST", f"{_RESOURCE}/listKeys", 200, ALL_VERSIONS,
    "Show both access keys of a resource, and its connection strings.",
    gives=(Body(bodies.Keys),),
)  # fmt: skip
REGENERATE_KEY = Operation(
    "CommunicationServices_RegenerateKey", "POST", f"{_RESOURCE}/regenerateKey", 200, ALL_VERSIONS,
    "Replace an access key; what the former one asked for is dead, the other one works on.",
    takes=(Body(bodies.RegenerateRequest),), gives=(Body(bodies.Keys),),
)  # fmt: skip
LINK_NOTIFICATION_HUB = Operation(
    "CommunicationServices_LinkNotificationHub", "POST", f"{_RESOURCE}/linkNotificationHub", 200, ALL_VERSIONS,
    "Link a notification hub to a resource.",
    refusal="There is nothing here that would notify anybody.",
)  # fmt: skip

_TAGGED = (("Group", _GROUP), ("Resource", _RESOURCE))
GET_TAGS = tuple(
    Operation(
        f"Tags_GetAtScope_{kind}", "GET", f"{scope}{_TAGS_PROVIDER}/tags/default", 200, versions.ANY,
        f"Get the tags of a {kind.lower()}.",
        gives=(Body(bodies.TagsBody),),
    )
    for kind, scope in _TAGGED
)  # fmt: skip
PUT_TAGS = tuple(
    Operation(
        f"Tags_CreateOrUpdateAtScope_{kind}", "PUT", f"{scope}{_TAGS_PROVIDER}/tags/default", 200, versions.ANY,
        f"Give a {kind.lower()} these tags and no others.",
        takes=(Body(bodies.TagsRequest),), gives=(Body(bodies.TagsBody),),
    )
    for kind, scope in _TAGGED
)  # fmt: skip
PATCH_TAGS = tuple(
    Operation(
        f"Tags_UpdateAtScope_{kind}", "PATCH", f"{scope}{_TAGS_PROVIDER}/tags/default", 200, versions.ANY,
        f"Merge, replace or delete tags of a {kind.lower()}.",
        takes=(Body(bodies.TagsPatch),), gives=(Body(bodies.TagsBody),),
    )
    for kind, scope in _TAGGED
)  # fmt: skip
DELETE_TAGS = tuple(
    Operation(
        f"Tags_DeleteAtScope_{kind}", "DELETE", f"{scope}{_TAGS_PROVIDER}/tags/default", 200, versions.ANY,
        f"Delete every tag of a {kind.lower()}.",
    )
    for kind, scope in _TAGGED
)  # fmt: skip

OPERATION_STATUS = Operation(
    "Watchword_GetOperationStatus", "GET", f"{_PROGRESS}/operationStatuses/{{operationId}}", 200, None,
    "How far a creation is, at the address that it named in `Azure-AsyncOperation`.",
    gives=(Body(bodies.StatusBody),),
)  # fmt: skip
OPERATION_RESULT = Operation(
    "Watchword_GetOperationResult", "GET", f"{_PROGRESS}/operationResults/{{operationId}}", 204, None,
    "How far a deletion is, at the address that it named in `Location`: 202, then 204.",
    also=(202,),
)  # fmt: skip

OPERATIONS = (
    LIST_SUBSCRIPTIONS, GET_SUBSCRIPTION, GET_TAGS_PROVIDER, *GET_TAGS, *PUT_TAGS, *PATCH_TAGS, *DELETE_TAGS,
    GROUP_EXISTS, PUT_GROUP, GET_GROUP, PATCH_GROUP, DELETE_GROUP, LIST_GROUPS, LIST_CONTENT, GET_PROVIDER,
    REGISTER_PROVIDER, LIST_OPERATIONS, CHECK_NAME, LIST_OF_SUBSCRIPTION, LIST_OF_GROUP, PUT_RESOURCE, GET_RESOURCE,
    PATCH_RESOURCE, DELETE_RESOURCE, LIST_KEYS, REGENERATE_KEY, LINK_NOTIFICATION_HUB, OPERATION_STATUS,
    OPERATION_RESULT,
)  # fmt: skip


_READERS = {
    body.shape: Reader(body.shape, [each.shape for each in operation.takes])
    for operation in OPERATIONS
    for body in operation.takes
}


def read(body: bytes, shape: type[Shape], ignored: list[str]) -> Shape:
    """What the body of a request says; `ignored` as in `watchword.wire.request_bodies.Reader.read`.

    Raises:
        MalformedBody: not JSON, a field of the wrong type, or a required one that is absent.
    """
    said: Shape = _READERS[shape].read(body or b"{}", ignored)
    return said
