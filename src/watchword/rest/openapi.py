"""The OpenAPI 3.1 document of exactly what is served, put together once from the operations and their bodies.

What OpenAPI has no words for stands in extensions:

    x-watchword-operations   where one method and path means another operation in another api-version: all of them
    x-watchword-own          true: not published by Azure
    x-watchword-refused      the reason why a published operation answers 501
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from itertools import groupby
from typing import Any

import msgspec

from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.doors import Doors
from watchword.wire import versions
from watchword.wire.operations import JSON, Body, Operation, Parameter

OPENAPI = Operation(
    "Watchword_GetOpenApi", "GET", "/openapi.json", 200, None,
    "This document.",
    gives=(Body(dict[str, Any]),),
)  # fmt: skip

_HEADERS = (("content-type", JSON), ("cache-control", "no-cache"))
_DESCRIPTION = "A self-hosted stand-in for Azure Communication Services: identities and access tokens."
_ACCESS_KEY = (
    "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=..., "
    "the signature being that of method, path with query, date, host and hash of the body by an access key."
)
_SECURITY_SCHEMES = {
    "accessKey": {"type": "apiKey", "in": "header", "name": "Authorization", "description": _ACCESS_KEY},
    "verifier": {"type": "http", "scheme": "bearer", "description": "The credential of a verifier."},
    "entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of an OpenID issuer."},
    "user": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A user's access token."},
    "operator": {"type": "http", "scheme": "bearer", "description": "The token of an operator: wwo_..."},
    "verifierBasic": {"type": "http", "scheme": "basic", "description": "The same as user and password."},
}

_Json = dict[str, Any]


class OpenApi:
    """Describes the bindings that it is given, and itself."""

    def __init__(self, bindings: Sequence[AnyBinding], doors: Doors) -> None:
        self._doors = doors
        self._document = msgspec.json.encode(document([*bindings, *self.bindings()]))

    def bindings(self) -> list[AnyBinding]:
        return [Binding(OPENAPI, self.document, self._doors.nobody, "waits")]

    async def document(self, call: Call[None]) -> RawAnswer:
        del call
        return RawAnswer(self._document, _HEADERS)


def document(bindings: Iterable[AnyBinding]) -> _Json:
    """The whole document, as JSON."""
    bindings = list(bindings)
    used = {scheme for binding in bindings for scheme in binding.door.schemes}
    schemes = {name: each for name, each in _SECURITY_SCHEMES.items() if name in used}
    schemas = Schemas()
    paths: dict[str, _Json] = {}
    in_order = sorted(bindings, key=_place)
    for (path, method), together in groupby(in_order, key=_place):
        paths.setdefault(path, {})[method.lower()] = _operation(list(together), schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Watchword",
            "version": version("watchword"),
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": schemes,
        },
    }


def _place(binding: AnyBinding) -> tuple[str, str]:
    return binding.operation.path, binding.operation.method


def _operation(bindings: list[AnyBinding], schemas: Schemas) -> _Json:
    """What one method at one path does: usually one operation, sometimes another one in another api-version."""
    operations = [binding.operation for binding in bindings]
    first = operations[0]
    described: _Json = {
        "operationId": first.id,
        "summary": first.summary,
        "security": _security(bindings[0]),
        "parameters": [*_parameters(operations)],
        "responses": _responses(operations, schemas),
    }
    if any(each.takes for each in operations):
        described["requestBody"] = _request_body(operations, schemas)
    if len(operations) > 1:
        described["x-watchword-operations"] = [
            {"operationId": each.id, "versions": each.versions, "success": each.success, "summary": each.summary}
            for each in operations
        ]
    if first.versions is None:
        described["x-watchword-own"] = True
    if first.refusal:
        described["x-watchword-refused"] = first.refusal
    return described


def _security(binding: AnyBinding) -> list[_Json]:
    return [{scheme: []} for scheme in binding.door.schemes]


def _parameters(operations: list[Operation]) -> Iterable[_Json]:
    for name in re.findall(r"\{(\w+)\}", operations[0].path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    served = {version for each in operations for version in each.versions or ()}
    if served:
        required = all(each.versions is not None for each in operations)
        schema: _Json = {"type": "string"} if served == {*versions.ANY} else {"type": "string", "enum": sorted(served)}
        yield {"name": "api-version", "in": "query", "required": required, "schema": schema}
    yield from (_parameter(parameter) for each in operations for parameter in each.parameters)


def _parameter(parameter: Parameter) -> _Json:
    schema = dict(parameter.schema)
    return {"name": parameter.name, "in": parameter.place, "description": parameter.meaning, "schema": schema}


def _responses(operations: list[Operation], schemas: Schemas) -> _Json:
    error = {"description": "An error.", "content": {JSON: {"schema": schemas.given(operations[0].error)}}}
    responses: _Json = {}
    for each in operations:
        if each.refusal:
            responses["501"] = error | {"description": each.refusal}
            continue
        answer: _Json = {"description": each.summary}
        if each.gives:
            answer["content"] = {body.media_type: {"schema": schemas.given(body.shape)} for body in each.gives}
        responses |= {str(status): answer for status in (each.success, *each.also)}
    return responses | {"default": error}


def _request_body(operations: list[Operation], schemas: Schemas) -> _Json:
    """The shapes of all api-versions; a body may well fit several, so it is not `oneOf`."""
    shapes: dict[str, list[_Json]] = {}
    for each in operations:
        for body in each.takes:
            only = body.versions or each.versions
            note = {"description": f"api-version: {', '.join(only)}."} if only else {}
            shapes.setdefault(body.media_type, []).append(schemas.taken(body.shape) | note)
    content = {media: {"schema": some[0] if len(some) == 1 else {"anyOf": some}} for media, some in shapes.items()}
    return {"required": all(body.required for each in operations for body in each.takes), "content": content}


class Schemas:
    """The schemas of bodies; those of structs are kept under their names, and referred to."""

    def __init__(self) -> None:
        self.components: dict[str, _Json] = {}

    def taken(self, shape: Any) -> _Json:
        """The schema of a request, in which what may be left out may be null as well."""
        schema, components = _schema(shape)
        for component in components.values():
            # Decoding refuses other members, and then they are read in any case of letters, or ignored.
            if component.get("additionalProperties") is False:
                del component["additionalProperties"]
        self.components |= components
        return schema

    def given(self, shape: Any) -> _Json:
        """The schema of an answer, in which what is not there is left out, and never null."""
        schema, components = _schema(shape)
        for component in components.values():
            properties = component.get("properties", {})
            component["properties"] = {name: _never_null(each) for name, each in properties.items()}
        self.components |= components
        return schema


def _schema(shape: Any) -> tuple[_Json, dict[str, _Json]]:
    [schema], components = msgspec.json.schema_components([shape], ref_template="#/components/schemas/{name}")
    return schema, components


def _never_null(schema: _Json) -> _Json:
    kept = [each for each in schema.get("anyOf", [schema]) if each != {"type": "null"}]
    only = dict(kept[0]) if len(kept) == 1 else {"anyOf": kept}
    only.pop("default", None)
    return only
