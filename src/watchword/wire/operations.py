"""What an operation is: one row of a contract, as data.

What it takes and gives is said once, for reading requests and for the OpenAPI document alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from watchword.wire.versions import Versions

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request or an answer: the type it is of, and where it stands so.

    `versions` is None where the body is of every api-version of its operation.
    """

    shape: Any
    versions: Versions | None = None
    media_type: str = JSON
    required: bool = True


@dataclass(frozen=True, slots=True)
class Parameter:
    """An optional parameter; `schema` is JSON Schema."""

    name: str
    meaning: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    place: str = "query"


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One published operation, under Azure's own operationId, or one of Watchword's own.

        Operation("CommunicationIdentity_IssueAccessToken", "POST", "/identities/{id}/:issueAccessToken", 200, ...)

    `versions` is None for Watchword's own operations, which answer with any api-version or with none. `also` are other
    statuses of success, with the same bodies. `refusal` is the reason, a sentence, for which a published operation is
    not carried out. Each is declared once, and is itself only.

    Of the scopes of a user's access token one of `scopes` is needed; `reads_user_header` lets it come as X-Skypetoken.
    `limit` names the kind by which requests are limited, and `is_for_browsers` says that pages of other origins may
    call it, by setting.
    """

    id: str
    method: str
    path: str
    success: int
    versions: Versions | None
    summary: str
    takes: tuple[Body, ...] = ()
    gives: tuple[Body, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    refusal: str = ""
    also: tuple[int, ...] = ()
    scopes: tuple[str, ...] = ()
    reads_user_header: bool = False
    limit: str = ""
    is_for_browsers: bool = False
