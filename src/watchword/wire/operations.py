"""What an operation is: one row of a contract, as data.

What it takes and gives is said once, for reading requests and for the OpenAPI document alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from watchword.wire.errors import ErrorResponse
from watchword.wire.versions import Series

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
FORM = "application/x-www-form-urlencoded"

LARGEST_BODY_BYTES = 65_536
"""Of a request, where its operation says nothing else: far above what the bodies of identities have."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request or an answer: the type it is of, and where it stands so.

    `versions` is None where the body is of every api-version of its operation.
    """

    shape: Any
    versions: Series | None = None
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
    `limit` names the kind by which requests are limited. Pages of other origins may call it by setting where it
    `is_for_browsers`, and always where it `is_for_any_page`. `is_path_in_any_case` says that the words of its path are
    found in any case of letters, and `largest_body_bytes` how much a request may say.

    `listed_versions` are what `api-supported-versions` says where that is not every version of the path's first
    segment, and `told` are headers of its successes besides those of every answer. `error` is the shape of its errors.
    """

    id: str
    method: str
    path: str
    success: int
    versions: Series | None
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
    is_for_any_page: bool = False
    is_path_in_any_case: bool = True
    largest_body_bytes: int = LARGEST_BODY_BYTES
    listed_versions: Series | None = None
    told: tuple[tuple[str, str], ...] = ()
    error: Any = ErrorResponse
