"""The Identity API's operations and bodies, as data: what each api-version looks like on the wire.

Source: identity.md sections 1.1 to 1.6, table (a), and the published document of each version.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from watchword.errors import InvalidCustomId, MalformedBody, MissingField
from watchword.wire import versions
from watchword.wire.operations import Operation
from watchword.wire.versions import Versions

_IDENTITIES = versions.since(versions.V2021_02_22_PREVIEW1)
_EARLY = versions.only(versions.V2020_07_20_PREVIEW2)
_CUSTOM_IDS = versions.only(versions.V2025_03_02_PREVIEW)
_LIFETIMES = versions.since(versions.V2022_10_01)
_TEAMS = versions.since(versions.V2021_10_31_PREVIEW)
_TEAMS_EXTENSION = versions.since(versions.V2025_03_02_PREVIEW)

CREATE = Operation(
    "CommunicationIdentity_Create", "POST", "/identities", 201, _IDENTITIES,
    "Create an identity, and an access token where scopes are given.",
)  # fmt: skip
GET = Operation(
    "CommunicationIdentity_Get", "GET", "/identities/{id}", 200, _CUSTOM_IDS,
    "Get an identity: its custom id, and when it was last issued a token.",
)  # fmt: skip
DELETE = Operation(
    "CommunicationIdentity_Delete", "DELETE", "/identities/{id}", 204, versions.ALL,
    "Delete an identity, revoke all its tokens, and delete all data associated with it.",
)  # fmt: skip
REVOKE = Operation(
    "CommunicationIdentity_RevokeAccessTokens", "POST", "/identities/{id}/:revokeAccessTokens", 204, _IDENTITIES,
    "Revoke every access token of an identity that was issued so far.",
)  # fmt: skip
ISSUE = Operation(
    "CommunicationIdentity_IssueAccessToken", "POST", "/identities/{id}/:issueAccessToken", 200, _IDENTITIES,
    "Issue an access token to an identity.",
)  # fmt: skip
CREATE_EARLY = Operation(
    "CommunicationIdentity_Create", "POST", "/identities", 200, _EARLY,
    "Create an identity.",
)  # fmt: skip
ISSUE_EARLY = Operation(
    "CommunicationIdentity_IssueToken", "POST", "/identities/{id}/token", 200, _EARLY,
    "Issue an access token to an identity.",
)  # fmt: skip
UPDATE_EARLY = Operation(
    "CommunicationIdentity_Update", "PATCH", "/identities/{id}", 204, _EARLY,
    "Revoke the tokens of an identity that were issued before `tokensValidFrom`.",
)  # fmt: skip
EXCHANGE_TEAMS = Operation(
    "CommunicationIdentity_ExchangeTeamsUserAccessToken", "POST", "/teamsUser/:exchangeAccessToken", 200, _TEAMS,
    "Exchange the Entra ID token of a Teams user for an access token.",
)  # fmt: skip

_ASSIGNMENT = "/access/entra/assignments/{objectId}"
_EXTENSION_ASSIGNMENT = "/access/teamsExtension/tenants/{tenantId}/assignments/{objectId}"
_EXTENSION = "/access/teamsExtension/:exchangeAccessToken"

REFUSED = (
    EXCHANGE_TEAMS,
    Operation("TeamsExtensionToken_Exchange", "POST", _EXTENSION, 200, _TEAMS_EXTENSION,
              "Exchange an Entra ID token for an access token of the Teams extension."),
    Operation("TeamsExtensionAssignment_Get", "GET", _EXTENSION_ASSIGNMENT, 200, _TEAMS_EXTENSION,
              "Get a Teams extension assignment."),
    Operation("TeamsExtensionAssignment_Upsert", "PUT", _EXTENSION_ASSIGNMENT, 201, _TEAMS_EXTENSION,
              "Create or replace a Teams extension assignment."),
    Operation("TeamsExtensionAssignment_Delete", "DELETE", _EXTENSION_ASSIGNMENT, 204, _TEAMS_EXTENSION,
              "Delete a Teams extension assignment."),
    Operation("EntraIdToken_Exchange", "POST", "/access/entra/:exchangeAccessToken", 200, _CUSTOM_IDS,
              "Exchange an Entra ID token for an access token."),
    Operation("EntraIdAssignments_List", "GET", "/access/entra/assignments", 200, _CUSTOM_IDS,
              "List the Entra ID assignments."),
    Operation("EntraIdAssignments_Update", "PATCH", "/access/entra/assignments", 200, _CUSTOM_IDS,
              "Change several Entra ID assignments."),
    Operation("EntraIdAssignment_Get", "GET", _ASSIGNMENT, 200, _CUSTOM_IDS, "Get an Entra ID assignment."),
    Operation("EntraIdAssignment_Upsert", "PUT", _ASSIGNMENT, 201, _CUSTOM_IDS,
              "Create or replace an Entra ID assignment."),
    Operation("EntraIdAssignment_Delete", "DELETE", _ASSIGNMENT, 204, _CUSTOM_IDS, "Delete an Entra ID assignment."),
)  # fmt: skip
"""Published operations that this release refuses, in words."""

LIST = Operation(
    "Watchword_ListIdentities", "GET", "/identities", 200, None,
    "List the identities of the resource, oldest first, a page at a time.",
)  # fmt: skip

MAXIMUM_CUSTOM_ID_LENGTH = 256
"""Characters. Source: identity.md section 1.1, "Maximum length is 256 characters"."""

_SCOPES_FIRST = ("chat", "voip")
_SCOPES_SINCE_2023 = ("chat", "voip", "chat.join", "chat.join.limited", "voip.join")
_JOIN_SCOPES = versions.since(versions.V2023_10_01)


def scopes_of(version: str) -> tuple[str, ...]:
    """The scopes that an api-version knows. Source: identity.md section 1.1.

    Assumed: an older version refuses the newer scopes, as its published enum leaves them out.
    """
    return _SCOPES_SINCE_2023 if version in _JOIN_SCOPES else _SCOPES_FIRST


def shows_details(version: str) -> bool:
    """Whether an identity is shown with `customId` and `lastTokenIssuedAt`. Source: identity.md section 1.3."""
    return version in _CUSTOM_IDS


class CreateRequest(msgspec.Struct, frozen=True):
    """`POST /identities`; the whole body is optional, and null means absent.

        {"createTokenWithScopes": ["chat"], "expiresInMinutes": 60, "customId": "bob"}

    `expiresInMinutes` since 2022-10-01, `customId` in 2025-03-02-preview; elsewhere unknown and ignored.
    """

    createTokenWithScopes: list[str] | None = None
    expiresInMinutes: int | None = None
    customId: str | None = None


class IssueRequest(msgspec.Struct, frozen=True):
    """`POST /identities/{id}/:issueAccessToken`.

    {"scopes": ["chat", "voip"], "expiresInMinutes": 60}
    """

    scopes: list[str] | None = None
    expiresInMinutes: int | None = None


class UpdateRequest(msgspec.Struct, frozen=True):
    """`PATCH /identities/{id}` of 2020-07-20-preview2.

    {"tokensValidFrom": "2020-09-09T21:39:39Z"}
    """

    tokensValidFrom: datetime | None = None


class _CreateWithLifetime(msgspec.Struct):
    createTokenWithScopes: list[str] | None = None
    expiresInMinutes: int | None = None


class _CreateWithScopes(msgspec.Struct):
    createTokenWithScopes: list[str] | None = None


class _CreateEarly(msgspec.Struct):
    """2020-07-20-preview2 defines no body."""


class _IssueWithScopes(msgspec.Struct):
    scopes: list[str] | None = None


_Shape = TypeVar("_Shape", bound=msgspec.Struct)
_Decoders = Mapping[str, msgspec.json.Decoder[Any]]


def _by_version(*shapes: tuple[Versions, type[msgspec.Struct]]) -> _Decoders:
    """The decoder of each api-version; a later pair wins."""
    return {version: msgspec.json.Decoder(shape) for group, shape in shapes for version in group}


_CREATE: _Decoders = _by_version(
    (_EARLY, _CreateEarly),
    (_IDENTITIES, _CreateWithScopes),
    (_LIFETIMES, _CreateWithLifetime),
    (_CUSTOM_IDS, CreateRequest),
)
_ISSUE: _Decoders = _by_version((versions.ALL, _IssueWithScopes), (_LIFETIMES, IssueRequest))
_UPDATE: _Decoders = _by_version((_EARLY, UpdateRequest))


def read_create(body: bytes, version: str) -> CreateRequest:
    """Raises:
    MalformedBody: not JSON, or a field of the wrong type.
    InvalidCustomId: empty, or above 256 characters.
    """
    shape = _decode(_CREATE[version], body or b"{}")
    request = CreateRequest(
        getattr(shape, "createTokenWithScopes", None),
        getattr(shape, "expiresInMinutes", None),
        getattr(shape, "customId", None),
    )
    if request.customId is not None and not 1 <= len(request.customId) <= MAXIMUM_CUSTOM_ID_LENGTH:
        raise InvalidCustomId(len(request.customId), MAXIMUM_CUSTOM_ID_LENGTH)
    return request


def read_issue(body: bytes, version: str) -> tuple[list[str], int | None]:
    """The scopes, and the lifetime in minutes where one was asked for.

    Raises:
        MalformedBody: not JSON, or a field of the wrong type.
        MissingField: no scopes. Observed: `{}` and `{"scopes": null}` answer alike.
    """
    shape = _decode(_ISSUE[version], body or b"{}")
    if shape.scopes is None:
        raise MissingField("scopes")
    return shape.scopes, getattr(shape, "expiresInMinutes", None)


def read_update(body: bytes) -> datetime | None:
    """The aware `tokensValidFrom`, or None where it is null or absent.

    Assumed: a time without a zone is UTC.
    """
    moment: datetime | None = _decode(_UPDATE[versions.V2020_07_20_PREVIEW2], body or b"{}").tokensValidFrom
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        # A path such as `.scopes[...]` becomes the field's name alone.
        raise MalformedBody(reason, path.strip("`.").partition("[")[0]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedBody(str(error)) from None
    except RecursionError:
        raise MalformedBody("JSON is nested too deeply") from None


class AccessTokenBody(msgspec.Struct, frozen=True):
    """`{"token": "eyJ...", "expiresOn": "2022-10-08T14:37:48.9409653+00:00"}`"""

    token: str
    expiresOn: str


class IdentityBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """Observed: the order of properties, `customId` and `lastTokenIssuedAt` only in 2025-03-02-preview.

    {"customId": "alice", "lastTokenIssuedAt": "2025-04-14T15:32:27+00:00", "id": "8:acs:..."}
    """

    customId: str | None = None
    lastTokenIssuedAt: str | None = None
    id: str = ""


class CreatedBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """Observed: `accessToken` is left out, never null.

    {"identity": {"id": "8:acs:..."}, "accessToken": {"token": "eyJ...", "expiresOn": "..."}}
    """

    identity: IdentityBody
    accessToken: AccessTokenBody | None = None


class EarlyTokenBody(msgspec.Struct, frozen=True):
    """2020-07-20-preview2: `{"id": "8:acs:...", "token": "eyJ...", "expiresOn": "..."}`"""

    id: str
    token: str
    expiresOn: str


class ListedIdentity(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row of Watchword's own list of identities."""

    customId: str | None = None
    lastTokenIssuedAt: str | None = None
    id: str = ""
    createdOn: str = ""


class IdentityPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"value": [...], "nextLink": "https://..."}`; without `nextLink` it is the last page."""

    value: list[ListedIdentity]
    nextLink: str | None = None


def format_time(moment: datetime) -> str:
    """.NET's round-trip form with trailing zeros trimmed: `2022-11-16T09:48:02.723344+00:00`.

    Observed: identity.md section 3.1. Ours has six digits at the most, where the original has seven.
    """
    seconds = f"{moment:%Y-%m-%dT%H:%M:%S}"
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{seconds}{fraction}+00:00"


def format_seconds(moment: datetime) -> str:
    """`2025-04-14T15:32:27+00:00`. Observed: `lastTokenIssuedAt` has no fraction."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}+00:00"
