"""The tags of groups and resources by themselves, as .NET's AddTag, Java's updateTags and `az tag` change them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis

from tests.management.support import GROUPS, Manager, management_clients, resource_path
from tests.support.data import transact
from tests.support.engines import FreshSettings
from tests.support.requirements import shared
from tests.support.servers import running_server
from watchword.resources.operators import create_operator
from watchword.testing import RunningServer

GROUP = f"{GROUPS}/tagged"
RESOURCE = resource_path("tagged", "contoso")
TAGS = "/providers/Microsoft.Resources/tags/default"
SCOPES = (GROUP, RESOURCE)
MOST = 50


@pytest.fixture(scope="module")
def server(fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    with running_server(fresh_settings(tls=True)) as running:
        Manager(running).create("tagged", "contoso")
        yield running


@pytest.fixture
def manager(server: RunningServer) -> Manager:
    return Manager(server)


@pytest.fixture(params=SCOPES, ids=["group", "resource"])
def scope(request: pytest.FixtureRequest, manager: Manager) -> str:
    """Without tags."""
    assert manager.call("DELETE", f"{request.param}{TAGS}").status_code == 200
    return str(request.param)


def tags_of(manager: Manager, scope: str) -> Any:
    """By either way of asking, which have to agree."""
    alone = manager.call("GET", f"{scope}{TAGS}", version="2024-03-01").json()["properties"]["tags"]
    assert manager.call("GET", scope).json()["tags"] == alone
    return alone


def put(manager: Manager, scope: str, tags: Any) -> requests.Response | Any:
    return manager.call("PUT", f"{scope}{TAGS}", {"properties": {"tags": tags}}, version="2024-03-01")


def patch(manager: Manager, scope: str, operation: str | None, tags: Any) -> Any:
    return manager.call("PATCH", f"{scope}{TAGS}", {"operation": operation, "properties": {"tags": tags}})


def test_the_official_client_changes_tags_of_a_scope(server: RunningServer, manager: Manager, scope: str) -> None:
    with management_clients(server) as (groups, _):
        # Of a scope the client wants no slash at the start.
        named = scope.removeprefix("/")
        made = groups.tags.begin_create_or_update_at_scope(
            named, {"properties": {"tags": {"a": "1", "b": "2"}}}
        ).result()
        assert made.properties.tags == {"a": "1", "b": "2"}
        merged = groups.tags.begin_update_at_scope(
            named, {"operation": "Merge", "properties": {"tags": {"b": "3", "c": "4"}}}
        ).result()
        assert merged.properties.tags == {"a": "1", "b": "3", "c": "4"}
        assert groups.tags.get_at_scope(named).properties.tags == merged.properties.tags
        assert tags_of(manager, scope) == merged.properties.tags
        groups.tags.begin_delete_at_scope(named).result()
    assert tags_of(manager, scope) == {}


def test_all_tags_are_replaced_and_names_keep_their_letters(manager: Manager, scope: str) -> None:
    assert put(manager, scope, {"Team": "chat", "team": "voice"}).json() == {
        "id": f"{scope.replace('communicationServices', 'CommunicationServices')}{TAGS}",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": {"Team": "chat", "team": "voice"}},
    }
    assert put(manager, scope, {"other": ""}).status_code == 200
    assert tags_of(manager, scope) == {"other": ""}
    assert put(manager, scope, None).json()["properties"]["tags"] == {}


@pytest.mark.parametrize(
    ("operation", "named", "left"),
    [
        ("Merge", {"b": "3", "c": "4"}, {"a": "1", "b": "3", "c": "4"}),
        ("replace", {"c": "4"}, {"c": "4"}),
        ("Delete", {"a": "1", "b": "other"}, {"b": "2"}),
        ("delete", {"a": "", "nowhere": ""}, {"b": "2"}),
        ("MERGE", None, {"a": "1", "b": "2"}),
    ],
)
def test_some_tags_are_changed(
    manager: Manager, scope: str, operation: str, named: dict[str, str] | None, left: dict[str, str]
) -> None:
    put(manager, scope, {"a": "1", "b": "2"})
    changed = patch(manager, scope, operation, named)
    assert (changed.status_code, changed.json()["properties"]["tags"]) == (200, left)
    assert tags_of(manager, scope) == left


@pytest.mark.parametrize("operation", ["Forget", None, ""])
def test_an_operation_that_is_none_changes_nothing(manager: Manager, scope: str, operation: str | None) -> None:
    put(manager, scope, {"a": "1"})
    refused = patch(manager, scope, operation, {"a": "2"})
    assert refused.status_code == 400
    assert "Replace, Merge or Delete" in refused.json()["error"]["message"]
    assert tags_of(manager, scope) == {"a": "1"}


def test_the_bounds_of_tags_hold_for_what_a_merge_makes(manager: Manager, scope: str) -> None:
    assert put(manager, scope, {f"t{n}": "" for n in range(MOST)}).status_code == 200
    assert patch(manager, scope, "Merge", {"t0": "x"}).status_code == 200
    refused = patch(manager, scope, "Merge", {"one more": ""})
    assert (refused.status_code, refused.json()["error"]["target"]) == (400, "tags")
    assert manager.call("PUT", f"{scope}{TAGS}", {"tags": {}}).status_code == 400
    assert len(tags_of(manager, scope)) == MOST


def test_tags_of_what_is_not_there_are_not_found(manager: Manager) -> None:
    for scope, code in [
        (f"{GROUPS}/nowhere", "ResourceGroupNotFound"),
        (resource_path("tagged", "nobody"), "ResourceNotFound"),
    ]:
        for reply in (manager.call("GET", f"{scope}{TAGS}"), put(manager, scope, {"a": "1"})):
            assert (reply.status_code, reply.json()["error"]["code"]) == (404, code)


def test_a_reader_reads_tags_and_changes_none(server: RunningServer, manager: Manager, scope: str) -> None:
    reader = Manager(
        server, str(transact(server, lambda each: create_operator(each, "auditor", "reader", now_micros=0)))
    )
    assert reader.call("GET", f"{scope}{TAGS}").status_code == 200
    assert put(reader, scope, {"a": "1"}).status_code == 403
    assert patch(reader, scope, "Merge", {"a": "1"}).status_code == 403
    assert reader.call("DELETE", f"{scope}{TAGS}").status_code == 403
    assert tags_of(manager, scope) == {}


def test_every_answer_is_of_the_published_shape(server: RunningServer, scope: str, tmp_path: Path) -> None:
    shutil.copytree(shared("contract/specs/common-types"), tmp_path / "common-types")
    shutil.copytree(shared("contract/specs/resource-manager"), tmp_path / "specification" / "resource-manager")
    folder = tmp_path / "specification/resource-manager/Microsoft.Resources/stable/2024-03-01"
    published = schemathesis.openapi.from_path(folder / "resources.json")[f"/{{scope}}{TAGS}"]
    tags = {"properties": {"tags": {"a": "1"}}}
    for method, body in (("PUT", tags), ("PATCH", {"operation": "Merge"} | tags), ("GET", None), ("DELETE", None)):
        with requests.Session() as session:
            session.trust_env = False
            reply = session.request(
                method,
                f"{server.endpoint}{scope}{TAGS}?api-version=2024-03-01",
                json=body,
                headers={"Authorization": f"Bearer {server.operator_token}"},
                verify=str(server.ca_file),
                timeout=10,
            )
        assert reply.status_code == 200, reply.text
        published[method].validate_response(reply)
