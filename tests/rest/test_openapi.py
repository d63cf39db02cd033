"""The OpenAPI document: valid, complete, and of exactly what is served."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest
import schemathesis

from tests.support.operations import all_operations
from tests.support.servers import running_server
from watchword.identity import access_tokens
from watchword.identity.identities import LARGEST_PAGE
from watchword.verification.operations import LONGEST_WAIT_SECONDS
from watchword.wire import identity, verification, versions
from watchword.wire.operations import Operation

OPERATIONS = all_operations()


@pytest.fixture(scope="module")
def document() -> Iterator[dict[str, Any]]:
    with running_server() as server:
        reply = httpx2.get(f"{server.endpoint}/openapi.json", verify=server.client_tls())
        assert reply.headers["content-type"] == "application/json"
        yield reply.json()


def described(document: dict[str, Any], operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][operation.path][operation.method.lower()]
    return found


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(document).validate()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert referred == set(document["components"]["schemas"])


def test_every_operation_is_described_and_nothing_else(document: dict[str, Any]) -> None:
    assert OPERATIONS
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == {
        (operation.path, operation.method.lower()) for operation in OPERATIONS
    }


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.id}-{operation.success}")
def test_an_operation_is_described_as_it_is(document: dict[str, Any], operation: Operation) -> None:
    found = described(document, operation)
    parameters = {parameter["name"]: parameter for parameter in found["parameters"]}
    assert set(re.findall(r"\{(\w+)\}", operation.path)) == {
        name for name, parameter in parameters.items() if parameter["in"] == "path"
    }
    assert ("requestBody" in found) == bool(operation.takes)
    assert "default" in found["responses"]
    if operation.refusal:
        assert set(found["responses"]) == {"501", "default"}
        assert found["x-watchword-refused"] == operation.refusal
    else:
        answer = found["responses"][str(operation.success)]
        assert list(answer.get("content", {})) == [body.media_type for body in operation.gives]
    if operation.versions is None:
        assert found["x-watchword-own"] is True
        assert "api-version" not in parameters
    else:
        assert "x-watchword-own" not in found
        assert parameters["api-version"]["required"] is True
        shown = parameters["api-version"]["schema"].get("enum", versions.ANY)
        assert set(operation.versions) <= set(shown)


def test_what_means_something_else_in_an_older_api_version_is_told_apart(document: dict[str, Any]) -> None:
    create = described(document, identity.CREATE)
    assert [(each["versions"], each["success"]) for each in create["x-watchword-operations"]] == [
        (list(identity.CREATE.versions or ()), 201),
        ([versions.V2020_07_20_PREVIEW2], 200),
    ]
    assert {"200", "201"} < set(create["responses"])
    shapes = create["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    told = [version for shape in shapes for version in re.findall(r"\d{4}-\d\d-\d\d[\w-]*", shape["description"])]
    assert sorted(told) == sorted(versions.ALL), "each api-version has one shape of its body"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.id}-{operation.success}")
def test_each_api_version_of_an_operation_has_one_shape_of_its_body(operation: Operation) -> None:
    told = [version for body in operation.takes for version in body.versions or operation.versions or ()]
    assert sorted(told) == (sorted(operation.versions or ()) if operation.takes else [])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.id}-{operation.success}")
def test_what_an_answer_leaves_out_is_never_null(document: dict[str, Any], operation: Operation) -> None:
    for body in operation.gives:
        if isinstance(body.shape, type) and issubclass(body.shape, msgspec.Struct):
            assert '"null"' not in json.dumps(document["components"]["schemas"][body.shape.__name__])
            optional = [each for each in msgspec.structs.fields(body.shape) if not each.required]
            assert not optional or body.shape.__struct_config__.omit_defaults


def test_only_what_needs_no_caller_is_open(document: dict[str, Any]) -> None:
    security = {
        each["operationId"]: [name for scheme in each["security"] for name in scheme]
        for methods in document["paths"].values()
        for each in methods.values()
    }
    assert {id for id, schemes in security.items() if not schemes} == {
        "Realtime_Check",
        "Realtime_Connect",  # The session id in its path is what lets somebody in.
        "Watchword_GetDiscoveryDocument",
        "Watchword_GetKeySet",
        "Watchword_GetOpenApi",
        "Watchword_Health",
        "Watchword_Readiness",
    }
    assert {id for id, schemes in security.items() if "verifier" in schemes} == {
        "Watchword_IntrospectToken",
        "Watchword_ListRevocations",
    }
    assert set(document["components"]["securitySchemes"]) == {name for names in security.values() for name in names}


def test_the_bounds_shown_are_those_of_the_rules(document: dict[str, Any]) -> None:
    shown = document["components"]["schemas"]["IssueRequest2022"]["properties"]["expiresInMinutes"]["anyOf"][0]
    assert (shown["minimum"], shown["maximum"]) == (access_tokens.MINIMUM_MINUTES, access_tokens.MAXIMUM_MINUTES)
    page = {each["name"]: each for each in described(document, identity.LIST)["parameters"]}["maxPageSize"]
    assert page["schema"]["maximum"] == LARGEST_PAGE
    feed = {each["name"]: each for each in described(document, verification.REVOCATIONS)["parameters"]}
    assert feed["wait"]["schema"]["maximum"] == LONGEST_WAIT_SECONDS
