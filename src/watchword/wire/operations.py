"""What an operation is: one row of a contract, as data.

What it takes and gives is said once, for reading requests and for the OpenAPI document alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from watchword.errors import MalformedBody
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


def decoders(*operations: Operation) -> Mapping[str, msgspec.json.Decoder[Any]]:
    """What reads the body of these operations, by api-version."""
    return {
        version: msgspec.json.Decoder(body.shape)
        for operation in operations
        for body in operation.takes
        for version in body.versions or operation.versions or ()
    }


def decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """What a request's body says.

    Raises:
        MalformedBody: not JSON, or a field of the wrong type.
    """
    try:
        # As text, so that a string is UTF-8 even where nobody reads it (RFC 8259, section 8.1).
        return decoder.decode(body.decode("utf-8"))
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        # A path such as `.scopes[...]` becomes the field's name alone.
        raise MalformedBody(reason, path.strip("`.").partition("[")[0]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedBody(str(error)) from None
    except RecursionError:
        raise MalformedBody("JSON is nested too deeply") from None
