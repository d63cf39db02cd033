"""The Identity API's operations, as data, and how their requests are read: each api-version in its own way.

Source: identity.md sections 1.1 to 1.6, table (a), and the published document of each version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from watchword.errors import InvalidCustomId, MalformedBody, MissingField
from watchword.wire import identity_bodies as bodies
from watchword.wire import versions
from watchword.wire.operations import MERGE_PATCH, Body, Operation, Parameter
from watchword.wire.request_bodies import readers

_IDENTITIES = versions.ALL.since(versions.V2021_02_22_PREVIEW1)
_EARLY = versions.ALL.only(versions.V2020_07_20_PREVIEW2)
_CUSTOM_IDS = versions.ALL.only(versions.V2025_03_02_PREVIEW)
_FIRST = versions.ALL.between(versions.V2021_02_22_PREVIEW1, versions.V2022_06_01)
_LIFETIMES = versions.ALL.only(versions.V2022_10_01)
_JOIN_SCOPES = versions.ALL.since(versions.V2023_10_01)

CREATE = Operation(
    "CommunicationIdentity_Create", "POST", "/identities", 201, _IDENTITIES,
    "Create an identity, and an access token where scopes are given.",
    takes=(
        Body(bodies.CreateRequest2021, _FIRST, required=False),
        Body(bodies.CreateRequest2022, _LIFETIMES, required=False),
        Body(bodies.CreateRequest2023, _JOIN_SCOPES.without(_CUSTOM_IDS), required=False),
        Body(bodies.CreateRequest, _CUSTOM_IDS, required=False),
    ),
    gives=(Body(bodies.CreatedBody),),
    limit="create",
)  # fmt: skip
GET = Operation(
    "CommunicationIdentity_Get", "GET", "/identities/{id}", 200, _CUSTOM_IDS,
    "Get an identity: its custom id, and when it was last issued a token.",
    gives=(Body(bodies.IdentityBody),),
)  # fmt: skip
DELETE = Operation(
    "CommunicationIdentity_Delete", "DELETE", "/identities/{id}", 204, versions.ALL,
    "Delete an identity, revoke all its tokens, and delete all data associated with it.",
    limit="delete",
)  # fmt: skip
REVOKE = Operation(
    "CommunicationIdentity_RevokeAccessTokens", "POST", "/identities/{id}/:revokeAccessTokens", 204, _IDENTITIES,
    "Revoke every access token of an identity that was issued so far.",
    limit="revoke",
)  # fmt: skip
ISSUE = Operation(
    "CommunicationIdentity_IssueAccessToken", "POST", "/identities/{id}/:issueAccessToken", 200, _IDENTITIES,
    "Issue an access token to an identity.",
    takes=(
        Body(bodies.NeedsScopes2021, _FIRST),
        Body(bodies.NeedsScopes2022, _LIFETIMES),
        Body(bodies.NeedsScopes, _JOIN_SCOPES),
    ),
    gives=(Body(bodies.AccessTokenBody),),
    limit="issue",
)  # fmt: skip
CREATE_EARLY = Operation(
    "CommunicationIdentity_Create", "POST", "/identities", 200, _EARLY,
    "Create an identity.",
    takes=(Body(bodies.CreateRequest2020, required=False),),
    gives=(Body(bodies.IdentityBody),),
    limit="create",
)  # fmt: skip
ISSUE_EARLY = Operation(
    "CommunicationIdentity_IssueToken", "POST", "/identities/{id}/token", 200, _EARLY,
    "Issue an access token to an identity.",
    takes=(Body(bodies.NeedsScopes2020),),
    gives=(Body(bodies.EarlyTokenBody),),
    limit="issue",
)  # fmt: skip
UPDATE_EARLY = Operation(
    "CommunicationIdentity_Update", "PATCH", "/identities/{id}", 204, _EARLY,
    "Revoke the tokens of an identity that were issued before `tokensValidFrom`.",
    takes=(Body(bodies.UpdateRequest, media_type=MERGE_PATCH, required=False),),
    limit="revoke",
)  # fmt: skip
LIST = Operation(
    "Watchword_ListIdentities", "GET", "/identities", 200, None,
    "List the identities of the resource, oldest first, a page at a time.",
    gives=(Body(bodies.IdentityPage),),
    parameters=(
        Parameter("maxPageSize", "How many at the most; 100 where it is left out.",
                  {"type": "integer", "minimum": 1, "maximum": 1000}),
        Parameter("continuationToken", "Taken from a nextLink, unchanged."),
        Parameter("customId", "Only the identity that has it."),
        Parameter("createdAfter", "Only those created then or later.", {"type": "string", "format": "date-time"}),
        Parameter("createdBefore", "Only those created earlier.", {"type": "string", "format": "date-time"}),
    ),
)  # fmt: skip


def scopes_of(version: str) -> tuple[str, ...] | None:
    """The scopes that an api-version knows; None where it takes any text. Source: identity.md section 1.1.

    Assumed: an older version refuses the newer scopes, as its published enum leaves them out.
    """
    return _SCOPES[version]


_SCOPES: Mapping[str, tuple[str, ...] | None] = (
    dict.fromkeys(versions.ALL, bodies.SCOPES_FIRST)
    | dict.fromkeys(_JOIN_SCOPES, bodies.SCOPES_SINCE_2023)
    | dict.fromkeys(_EARLY, None)
)


def shows_details(version: str) -> bool:
    """Whether an identity is shown with `customId` and `lastTokenIssuedAt`. Source: identity.md section 1.3."""
    return version in _CUSTOM_IDS


_CREATE = readers(CREATE, CREATE_EARLY)
_ISSUE = readers(ISSUE, ISSUE_EARLY)
_UPDATE = readers(UPDATE_EARLY)
_ANY_SCOPE = re.compile(bodies.ANY_SCOPE, re.ASCII)


def read_create(body: bytes, version: str, ignored: list[str] | None = None) -> bodies.CreateRequest:
    """What is to be created; `ignored` as in `watchword.wire.request_bodies.Reader.read`.

    Raises:
        MalformedBody: not JSON, a field of the wrong type, or a custom id with a NUL character.
        InvalidCustomId: empty, or above 256 characters.
    """
    shape = _CREATE[version].read(body or b"{}", ignored)
    request = bodies.CreateRequest(
        createTokenWithScopes=getattr(shape, "createTokenWithScopes", None),
        expiresInMinutes=getattr(shape, "expiresInMinutes", None),
        customId=getattr(shape, "customId", None),
    )
    custom_id, longest = request.customId, bodies.MAXIMUM_CUSTOM_ID_LENGTH
    if "\0" in (custom_id or ""):
        # Assumed: a custom id with a NUL character is refused: PostgreSQL cannot store one.
        raise MalformedBody("A custom id holds no NUL character", "customId")
    if custom_id is not None and not 1 <= len(custom_id) <= longest:
        raise InvalidCustomId(len(custom_id), longest)
    return request


def read_issue(body: bytes, version: str, ignored: list[str] | None = None) -> tuple[list[str], int | None]:
    """The scopes, and the lifetime in minutes where one was asked for.

    Raises:
        MalformedBody: not JSON, a field of the wrong type, or a text that is issued as a scope in no api-version.
        MissingField: no scopes. Observed: `{}` and `{"scopes": null}` answer alike.
    """
    shape = _ISSUE[version].read(body or b"{}", ignored)
    if shape.scopes is None:
        raise MissingField("scopes")
    if scopes_of(version) is None:
        _require_scope_texts(shape.scopes)
    return shape.scopes, getattr(shape, "expiresInMinutes", None)


def read_update(body: bytes) -> datetime | None:
    """The aware `tokensValidFrom`, or None where it is null or absent.

    Assumed: a time without a zone is UTC.
    """
    moment: datetime | None = _UPDATE[versions.V2020_07_20_PREVIEW2].read(body or b"{}").tokensValidFrom
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _require_scope_texts(scopes: list[str]) -> None:
    if len(scopes) > bodies.MOST_SCOPES:
        raise MalformedBody(f"There are {len(scopes)} scopes, and {bodies.MOST_SCOPES} at the most", "scopes")
    if not all(_ANY_SCOPE.fullmatch(scope) for scope in scopes):
        raise MalformedBody("A scope has 1 to 64 characters, out of A-Z, a-z, 0-9 and .-_:/", "scopes")
