"""The bodies of the Identity API, each api-version's own: what clients send, what they are answered.

Names and order of fields are the contract's. What is checked beyond a field's type is a rule; here it only stands in
the schema that the OpenAPI document shows. Source: identity.md sections 1.1 to 1.6, the published documents.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias

import msgspec

from watchword.wire.request_bodies import RequestBody

SCOPES_FIRST = ("chat", "voip")
SCOPES_SINCE_2023 = ("chat", "voip", "chat.join", "chat.join.limited", "voip.join")

ANY_SCOPE = r"[A-Za-z0-9._:/-]{1,64}"
"""What is issued as a scope where the contract names none. Source: the document of 2020-07-20-preview2, any text.

Assumed: nobody asks for a scope of other characters. A comma would part it in two in the token, and some of the others
would break the token's readers.
"""

MOST_SCOPES = 20
"""Of such scopes, so that a token stays short enough for a header."""

MAXIMUM_CUSTOM_ID_LENGTH = 256
"""Characters. Source: identity.md section 1.1, "Maximum length is 256 characters"."""


def _shown(**schema: Any) -> msgspec.Meta:
    """What the schema shows and decoding leaves to the rules, whose errors have words of their own."""
    return msgspec.Meta(extra_json_schema=schema)


_AnyScope: TypeAlias = Annotated[str, _shown(pattern=f"^{ANY_SCOPE}$")]
_FirstScope: TypeAlias = Annotated[str, _shown(enum=list(SCOPES_FIRST))]
_Scope: TypeAlias = Annotated[str, _shown(enum=list(SCOPES_SINCE_2023))]
_Minutes: TypeAlias = Annotated[int, _shown(format="int32", minimum=60, maximum=1440)]
_CustomId: TypeAlias = Annotated[str, _shown(minLength=1, maxLength=MAXIMUM_CUSTOM_ID_LENGTH)]
_Time: TypeAlias = Annotated[str, _shown(format="date-time")]


class CreateRequest2020(RequestBody, frozen=True):
    """`POST /identities` defines no body; an object is accepted, and its fields are ignored."""


class CreateRequest2021(RequestBody, frozen=True):
    """`POST /identities`; null means absent.

    {"createTokenWithScopes": ["chat"]}
    """

    createTokenWithScopes: list[_FirstScope] | None = None


class CreateRequest2022(CreateRequest2021, frozen=True):
    """A token lives for 1440 minutes where `expiresInMinutes` is left out.

    {"createTokenWithScopes": ["chat"], "expiresInMinutes": 60}
    """

    expiresInMinutes: _Minutes | None = None


class CreateRequest2023(CreateRequest2022, frozen=True):
    """More scopes than before.

    {"createTokenWithScopes": ["chat.join"], "expiresInMinutes": 60}
    """

    createTokenWithScopes: list[_Scope] | None = None


class CreateRequest(CreateRequest2023, frozen=True):
    """A second request with the same `customId` answers with the same identity.

    {"createTokenWithScopes": ["chat"], "expiresInMinutes": 60, "customId": "bob"}
    """

    customId: _CustomId | None = None


class IssueRequest2020(RequestBody, frozen=True):
    """`{"scopes": ["chat", "pstn"]}`"""

    scopes: Annotated[list[_AnyScope], _shown(minItems=1, maxItems=MOST_SCOPES)] | None = None


class IssueRequest2021(IssueRequest2020, frozen=True):
    """`{"scopes": ["chat", "voip"]}`"""

    scopes: Annotated[list[_FirstScope], _shown(minItems=1)] | None = None


class IssueRequest2022(IssueRequest2021, frozen=True):
    """`{"scopes": ["chat", "voip"], "expiresInMinutes": 60}`"""

    expiresInMinutes: _Minutes | None = None


class IssueRequest(IssueRequest2022, frozen=True):
    """`{"scopes": ["chat.join"], "expiresInMinutes": 60}`"""

    scopes: Annotated[list[_Scope], _shown(minItems=1)] | None = None


# That scopes are missing, or null, is told in the contract's words, so decoding lets it pass.
_NEEDS_SCOPES = _shown(required=["scopes"], properties={"scopes": {"type": "array"}})
NeedsScopes2020: TypeAlias = Annotated[IssueRequest2020, _NEEDS_SCOPES]
NeedsScopes2021: TypeAlias = Annotated[IssueRequest2021, _NEEDS_SCOPES]
NeedsScopes2022: TypeAlias = Annotated[IssueRequest2022, _NEEDS_SCOPES]
NeedsScopes: TypeAlias = Annotated[IssueRequest, _NEEDS_SCOPES]


class UpdateRequest(RequestBody, frozen=True):
    """`{"tokensValidFrom": "2020-09-09T21:39:39Z"}`"""

    tokensValidFrom: Annotated[datetime, _shown(format="date-time")] | None = None


class AccessTokenBody(msgspec.Struct, frozen=True):
    """`{"token": "eyJ...", "expiresOn": "2022-10-08T14:37:48.940965+00:00"}`"""

    token: str
    expiresOn: _Time


class IdentityBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`customId` and `lastTokenIssuedAt` only in 2025-03-02-preview. Observed: the order of fields.

    {"customId": "alice", "lastTokenIssuedAt": "2025-04-14T15:32:27+00:00", "id": "8:acs:..."}
    """

    customId: str | None = None
    lastTokenIssuedAt: _Time | None = None
    id: str


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
    expiresOn: _Time


class ListedIdentity(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One row of Watchword's own list of identities."""

    customId: str | None = None
    lastTokenIssuedAt: _Time | None = None
    id: str
    createdOn: _Time = ""


class IdentityPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{"value": [...], "nextLink": "https://..."}`; without `nextLink` it is the last page."""

    value: list[ListedIdentity]
    nextLink: str | None = None
