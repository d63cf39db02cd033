"""Answers of the management API judged by the documents that Azure published for each api-version."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from schemathesis import BaseSchema

from tests.management.support import SUBSCRIPTION, resource_path
from tests.support.requirements import shared
from tests.support.servers import running_server
from watchword.settings import Settings
from watchword.testing import RunningServer

VERSIONS = ("2023-03-31", "2023-04-01")
"""The document of 2020-08-20 refers to types that are not among the shared ones; that of 2025-09-01 is not at all."""

PROVIDER = "/providers/Microsoft.Communication"
NAMED = {"subscriptionId": SUBSCRIPTION, "resourceGroupName": "group"}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, tls=False)) as running:
        yield running


@pytest.fixture(params=VERSIONS, scope="module")
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def document(version: str, tmp_path_factory: pytest.TempPathFactory) -> BaseSchema:
    """In the folders that its references expect."""
    top = tmp_path_factory.mktemp("specs")
    shutil.copytree(shared("contract/specs/common-types"), top / "common-types")
    shutil.copytree(shared("contract/specs/resource-manager"), top / "specification" / "resource-manager")
    folder = top / "specification/resource-manager/Microsoft.Communication/stable" / version
    return schemathesis.openapi.from_path(folder / "CommunicationServices.json")


def _call(server: RunningServer, version: str, method: str, path: str, body: Any = None) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(
            method,
            f"{server.endpoint}{path}",
            params={"api-version": version},
            json=body,
            headers={"Authorization": f"Bearer {server.operator_token}"},
            timeout=10,
        )


def test_every_answer_is_of_the_published_shape(server: RunningServer, version: str, document: BaseSchema) -> None:
    in_group = f"/subscriptions/{{subscriptionId}}/resourceGroups/{{resourceGroupName}}{PROVIDER}/communicationServices"
    one = f"{in_group}/{{communicationServiceName}}"
    name = f"r{version}"
    body = {"location": "Global", "properties": {"dataLocation": "United States"}, "tags": {"a": "b"}}
    _call(server, version, "PUT", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/group", {"location": "westeurope"})
    steps: list[tuple[str, str, str, Any, int]] = [
        ("PUT", one, "", body, 201),
        ("PUT", one, "", body, 200),
        ("GET", one, "", None, 200),
        ("PATCH", one, "", {"tags": {"c": "d"}}, 200),
        ("GET", in_group, "", None, 200),
        ("GET", f"/subscriptions/{{subscriptionId}}{PROVIDER}/communicationServices", "", None, 200),
        ("POST", one, "/listKeys", None, 200),
        ("POST", one, "/regenerateKey", {"keyType": "secondary"}, 200),
        (
            "POST",
            f"/subscriptions/{{subscriptionId}}{PROVIDER}/checkNameAvailability",
            "",
            {"name": "free", "type": "Microsoft.Communication/CommunicationServices"},
            200,
        ),
        ("GET", f"{PROVIDER}/operations", "", None, 200),
        ("DELETE", one, "", None, 202),
    ]
    for method, template, action, sent, status in steps:
        path = (template + action).format(**NAMED, communicationServiceName=name)
        reply = _call(server, version, method, path, sent)
        assert reply.status_code == status, reply.text
        document[template + action][method].validate_response(reply)
    missing = _call(server, version, "GET", resource_path("group", "missing"))
    assert missing.status_code == 404
    document[one]["GET"].validate_response(missing)
