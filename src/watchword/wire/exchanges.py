"""Exchanges of Entra ID tokens, and who may: the operations and bodies of each api-version.

    POST /access/entra/:exchangeAccessToken    Authorization: Bearer <the token to exchange>    {}
    200 {"identity": {"id": "8:acs:<resource>_wf_<tenant>_<object>"},
         "accessToken": {"token": "eyJ...", "expiresOn": "2026-11-21T02:14:27+00:00"}}

Source: identity.md sections 1.7 to 1.9, 3.2, and the published documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from watchword.errors import MalformedGuid, MissingField
from watchword.identifiers import parse_guid
from watchword.wire import versions
from watchword.wire.identity_bodies import AccessTokenBody, CreatedBody
from watchword.wire.operations import MERGE_PATCH, Body, Operation
from watchword.wire.request_bodies import Reader, RequestBody, readers

_TEAMS = versions.ALL.since(versions.V2021_10_31_PREVIEW)
_TOKEN_ONLY = versions.ALL.only(versions.V2021_10_31_PREVIEW)
_EXTENSION = versions.ALL.since(versions.V2025_03_02_PREVIEW)
_ENTRA = versions.ALL.only(versions.V2025_03_02_PREVIEW)

_ASSIGNMENTS = "/access/entra/assignments"
_ASSIGNMENT = "/access/entra/assignments/{objectId}"
_EXTENSION_ASSIGNMENT = "/access/teamsExtension/tenants/{tenantId}/assignments/{objectId}"


class TeamsUserRequest2021(RequestBody, frozen=True):
    """`{"token": "eyJ..."}`"""

    token: str | None = None


class TeamsUserRequest(TeamsUserRequest2021, frozen=True):
    """`{"token": "eyJ...", "appId": "<guid>", "userId": "<guid>"}`"""

    appId: str | None = None
    userId: str | None = None


class ExchangeRequest(RequestBody, frozen=True):
    """`{}`: what is exchanged is the bearer token of the request."""


class EntraAssignmentRequest(RequestBody, frozen=True):
    """`{"tenantId": "<guid>", "principalType": "user", "clientIds": ["<guid>"]}`"""

    tenantId: str
    principalType: Literal["user", "group", "tenant"]
    clientIds: Annotated[list[str], msgspec.Meta(max_length=100)]


class EntraAssignmentBody(msgspec.Struct, frozen=True):
    """`{"objectId": "<guid>", "tenantId": "<guid>", "principalType": "user", "clientIds": ["<guid>"]}`"""

    objectId: str
    tenantId: str
    principalType: str
    clientIds: list[str]


class EntraAssignmentPage(msgspec.Struct, frozen=True):
    """`{"value": [...]}`; all on one page."""

    value: list[EntraAssignmentBody]


class ExtensionAssignmentRequest(RequestBody, frozen=True):
    """`{"principalType": "resourceAccount", "clientIds": ["<guid>"]}`; without clients any application may."""

    principalType: Literal["resourceAccount", "user"]
    clientIds: Annotated[list[str], msgspec.Meta(max_length=100)] | None = None


class ExtensionAssignmentBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"objectId": "<guid>", "tenantId": "<guid>", "principalType": "user", "clientIds": ["<guid>"]}`"""

    objectId: str
    tenantId: str
    principalType: str
    clientIds: list[str] | None = None


_Changes = dict[str, EntraAssignmentRequest | None]

EXCHANGE_TEAMS = Operation(
    "CommunicationIdentity_ExchangeTeamsUserAccessToken", "POST", "/teamsUser/:exchangeAccessToken", 200, _TEAMS,
    "Exchange the Entra ID token of a Teams user for an access token.",
    takes=(
        Body(TeamsUserRequest2021, _TOKEN_ONLY),
        Body(TeamsUserRequest, _TEAMS.without(_TOKEN_ONLY)),
    ),
    gives=(Body(AccessTokenBody),),
    limit="exchange",
)  # fmt: skip
EXCHANGE_EXTENSION = Operation(
    "TeamsExtensionToken_Exchange", "POST", "/access/teamsExtension/:exchangeAccessToken", 200, _EXTENSION,
    "Exchange an Entra ID token for an access token of the Teams extension.",
    takes=(Body(ExchangeRequest, required=False),),
    gives=(Body(CreatedBody),),
    limit="exchange",
    is_for_browsers=True,
)  # fmt: skip
GET_EXTENSION = Operation(
    "TeamsExtensionAssignment_Get", "GET", _EXTENSION_ASSIGNMENT, 200, _EXTENSION,
    "Get a Teams extension assignment.",
    gives=(Body(ExtensionAssignmentBody),),
)  # fmt: skip
PUT_EXTENSION = Operation(
    "TeamsExtensionAssignment_Upsert", "PUT", _EXTENSION_ASSIGNMENT, 201, _EXTENSION,
    "Create a Teams extension assignment, or replace it, which is answered with 200.",
    takes=(Body(ExtensionAssignmentRequest),),
    gives=(Body(ExtensionAssignmentBody),),
    also=(200,),
)  # fmt: skip
DELETE_EXTENSION = Operation(
    "TeamsExtensionAssignment_Delete", "DELETE", _EXTENSION_ASSIGNMENT, 204, _EXTENSION,
    "Delete a Teams extension assignment.",
)  # fmt: skip
EXCHANGE_ENTRA = Operation(
    "EntraIdToken_Exchange", "POST", "/access/entra/:exchangeAccessToken", 200, _ENTRA,
    "Exchange an Entra ID token for an access token.",
    takes=(Body(ExchangeRequest, required=False),),
    gives=(Body(CreatedBody),),
    limit="exchange",
    is_for_browsers=True,
)  # fmt: skip
LIST_ENTRA = Operation(
    "EntraIdAssignments_List", "GET", _ASSIGNMENTS, 200, _ENTRA,
    "List the Entra ID assignments.",
    gives=(Body(EntraAssignmentPage),),
)  # fmt: skip
CHANGE_ENTRA = Operation(
    "EntraIdAssignments_Update", "PATCH", _ASSIGNMENTS, 200, _ENTRA,
    "Change several Entra ID assignments, or none: by object id, with null to delete.",
    takes=(Body(_Changes, media_type=MERGE_PATCH),),
    gives=(Body(EntraAssignmentPage),),
)  # fmt: skip
GET_ENTRA = Operation(
    "EntraIdAssignment_Get", "GET", _ASSIGNMENT, 200, _ENTRA,
    "Get an Entra ID assignment.",
    gives=(Body(EntraAssignmentBody),),
)  # fmt: skip
PUT_ENTRA = Operation(
    "EntraIdAssignment_Upsert", "PUT", _ASSIGNMENT, 201, _ENTRA,
    "Create an Entra ID assignment, or replace it, which is answered with 200.",
    takes=(Body(EntraAssignmentRequest),),
    gives=(Body(EntraAssignmentBody),),
    also=(200,),
)  # fmt: skip
DELETE_ENTRA = Operation(
    "EntraIdAssignment_Delete", "DELETE", _ASSIGNMENT, 204, _ENTRA,
    "Delete an Entra ID assignment.",
)  # fmt: skip

_TEAMS_USERS = readers(EXCHANGE_TEAMS)
_EXCHANGES = readers(EXCHANGE_ENTRA, EXCHANGE_EXTENSION)
_ENTRA_PUT = Reader(EntraAssignmentRequest)
_EXTENSION_PUT = Reader(ExtensionAssignmentRequest)
_CHANGE = Reader(_Changes)


def read_teams_user(body: bytes, version: str, ignored: list[str]) -> tuple[str, TeamsUserRequest | None]:
    """The token, and whom it has to be of, where the api-version has the caller say so.

    `ignored` is as in `watchword.wire.request_bodies.Reader.read`.

    Raises:
        MalformedBody: not JSON, or a field of the wrong type.
    """
    request = _TEAMS_USERS[version].read(body or b"{}", ignored)
    return request.token or "", request if isinstance(request, TeamsUserRequest) else None


def require_named(request: TeamsUserRequest) -> tuple[str, str]:
    """Application and user. Observed: an empty text is as good as none.

    Raises:
        MissingField: one of them is not there.
    """
    if not request.appId:
        raise MissingField("appId")
    if not request.userId:
        raise MissingField("userId")
    return request.appId, request.userId


def read_exchange(body: bytes, version: str) -> None:
    """Read the body of an exchange, which says nothing.

    Raises:
        MalformedBody: not a JSON object. Nothing in it counts; no body at all is accepted too.
    """
    _EXCHANGES[version].read(body or b"{}")


def read_entra_assignment(body: bytes) -> EntraAssignmentRequest:
    """Read the assignment that a request puts.

    Raises:
        MalformedBody: a field is missing or of the wrong type.
    """
    request: EntraAssignmentRequest = _ENTRA_PUT.read(body or b"{}")
    return request


def read_extension_assignment(body: bytes) -> ExtensionAssignmentRequest:
    """Read the assignment that a request puts, by the names of the extension API.

    Raises:
        MalformedBody: a field is missing or of the wrong type.
    """
    request: ExtensionAssignmentRequest = _EXTENSION_PUT.read(body or b"{}")
    return request


def read_changes(body: bytes) -> Mapping[str, EntraAssignmentRequest | None]:
    """Read a merge patch: what becomes of each object that it names.

    Raises:
        MalformedBody: a field is missing or of the wrong type.
    """
    changes: _Changes = _CHANGE.read(body or b"{}")
    return changes


def read_guid(text: str, field: str) -> str:
    """The guid is read in lower case.

    Raises:
        MalformedGuid: none.
    """
    guid = parse_guid(text)
    if guid is None:
        raise MalformedGuid(field)
    return guid


def read_guids(texts: list[str], field: str) -> tuple[str, ...]:
    """The guids are read in lower case, each once.

    Raises:
        MalformedGuid: one of them is none.
    """
    return tuple(dict.fromkeys(read_guid(text, field) for text in texts))
