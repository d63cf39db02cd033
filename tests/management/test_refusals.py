"""What the management API refuses, and in which words: callers, names, groups, properties."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.management.support import GROUPS, Manager, resource_path
from tests.support.data import transact
from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.resources.operators import create_operator, delete_operator
from watchword.testing import RunningServer

BODY = {"location": "global", "properties": {"dataLocation": "Europe"}}


@pytest.fixture(scope="module")
def server(fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    with running_server(fresh_settings()) as running:
        yield running


@pytest.fixture(scope="module")
def manager(server: RunningServer) -> Manager:
    found = Manager(server)
    found.create("there", "taken")
    return found


@pytest.mark.parametrize("token", ["nonsense", "wwo_0_0", "wwv_0_0", "eyJhbGciOiJub25lIn0.e30."])
def test_whoever_is_no_operator_is_refused(server: RunningServer, token: str) -> None:
    reply = Manager(server, token).call("GET", GROUPS)
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "AuthenticationFailed")


def test_an_access_key_manages_nothing_and_an_operator_has_no_identities(
    server: RunningServer, manager: Manager
) -> None:
    with SignedClient(server) as client:
        assert client.call("GET", f"{GROUPS}?api-version=2025-09-01").status == 401
    assert manager.call("GET", "/identities").status_code == 401


def test_a_reader_looks_and_changes_nothing(server: RunningServer, manager: Manager) -> None:
    token = transact(server, lambda each: create_operator(each, "auditor", "reader", now_micros=0))
    reader = Manager(server, str(token))
    assert reader.call("GET", GROUPS).status_code == 200
    assert reader.call("GET", resource_path("there", "taken")).status_code == 200
    for method, path in [
        ("PUT", f"{GROUPS}/new"),
        ("DELETE", f"{GROUPS}/there"),
        ("POST", f"{resource_path('there', 'taken')}/listKeys"),
        ("POST", f"{resource_path('there', 'taken')}/regenerateKey"),
        ("PATCH", resource_path("there", "taken")),
    ]:
        reply = reader.call(method, path, BODY)
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "AuthorizationFailed")
    transact(server, lambda each: delete_operator(each, token.id))
    assert reader.call("GET", GROUPS).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", resource_path("nowhere", "new"), BODY, 404, "ResourceGroupNotFound"),
        ("GET", f"{GROUPS}/nowhere", None, 404, "ResourceGroupNotFound"),
        ("DELETE", f"{GROUPS}/nowhere", None, 404, "ResourceGroupNotFound"),
        ("GET", resource_path("there", "nothing"), None, 404, "ResourceNotFound"),
        ("POST", f"{resource_path('there', 'nothing')}/listKeys", None, 404, "ResourceNotFound"),
        ("PUT", resource_path("there", "-no-"), BODY, 400, "InvalidResourceName"),
        ("PUT", resource_path("there", "a" * 64), BODY, 400, "InvalidResourceName"),
        ("PUT", f"{GROUPS}/ends.", {"location": "global"}, 400, "InvalidResourceGroupName"),
        ("PUT", f"{GROUPS}/new", {}, 400, "ValidationError"),
        ("PUT", f"{GROUPS}/there", {"location": "elsewhere"}, 400, "InvalidProperty"),
        ("PUT", resource_path("there", "new"), {"location": "global"}, 400, "InvalidProperty"),
        ("PUT", resource_path("there", "taken"), {"location": "europe"}, 400, "InvalidProperty"),
        ("PUT", resource_path("there", "new"), BODY | {"identity": {"type": "SystemAssigned"}}, 400, "InvalidProperty"),
        ("POST", f"{resource_path('there', 'taken')}/regenerateKey", {"keyType": "Third"}, 400, "InvalidProperty"),
        ("POST", f"{resource_path('there', 'taken')}/linkNotificationHub", {}, 501, "NotImplemented"),
        ("PATCH", resource_path("there", "taken"), {"tags": {"": "x"}}, 400, "InvalidProperty"),
        ("PATCH", resource_path("there", "taken"), {"tags": []}, 400, "ValidationError"),
        ("DELETE", resource_path("there", "nothing"), None, 204, None),
    ],
)
def test_a_request_that_cannot_be_is_told_why(
    manager: Manager, method: str, path: str, body: object, status: int, code: str | None
) -> None:
    reply = manager.call(method, path, body)
    assert reply.status_code == status, reply.text
    if code is not None:
        assert reply.json()["error"]["code"] == code


def test_a_name_is_taken_in_every_group_and_case(manager: Manager) -> None:
    manager.call("PUT", f"{GROUPS}/other", {"location": "westeurope"})
    reply = manager.call("PUT", resource_path("other", "TAKEN"), BODY)
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "NameUnavailable")


def test_paths_are_read_in_any_case_of_letters(manager: Manager) -> None:
    path = resource_path("there", "taken")
    assert manager.call("GET", path.upper().replace("/THERE/", "/There/")).status_code == 200
    assert manager.call("GET", f"{GROUPS.lower()}/THERE").json()["name"] == "there"
    assert manager.call("GET", f"{GROUPS}/there", version="").status_code == 200


def test_names_in_a_body_are_read_in_any_case_and_keys_of_tags_stay(manager: Manager) -> None:
    tags = {"Team": "a", "team": "b", "LOCATION": "c"}
    group = manager.call("PUT", f"{GROUPS}/capitals", {"LOCATION": "westeurope", "Tags": tags})
    assert (group.status_code, group.json()["location"], group.json()["tags"]) == (201, "westeurope", tags)
    wanted = {"Location": "global", "Properties": {"DATALOCATION": "Europe", "DisableLocalAuth": True}, "TAGS": tags}
    made = manager.call("PUT", resource_path("capitals", "capital"), wanted)
    assert (made.status_code, made.json()["tags"]) == (201, tags)
    assert made.json()["properties"]["disableLocalAuth"] is True
    refused = manager.call("PATCH", resource_path("capitals", "capital"), {"Properties": {"LinkedDomains": ["x"]}})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidProperty")


def test_an_older_api_version_ignores_what_only_the_newest_one_knows(manager: Manager) -> None:
    wanted = BODY | {"properties": {"dataLocation": "Europe", "disableLocalAuth": True, "publicNetworkAccess": "No"}}
    made = manager.call("PUT", resource_path("there", "older"), wanted, version="2023-04-01")
    assert made.status_code == 201
    found = manager.call("GET", resource_path("there", "older"))
    assert found.json()["properties"]["disableLocalAuth"] is False


def test_an_unknown_api_version_is_refused_where_versions_differ(manager: Manager) -> None:
    reply = manager.call("GET", resource_path("there", "taken"), version="2019-10-10")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "UnsupportedApiVersion")


def test_local_authentication_is_disabled_for_as_long_as_it_is(server: RunningServer, manager: Manager) -> None:
    keys = manager.create("there", "local")
    key = base64.b64decode(keys["primaryKey"])
    with SignedClient(server) as client:
        identity = client.call("POST", "/identities?api-version=2023-10-01", key=key).json["identity"]["id"]
        issue = f"/identities/{identity}/:issueAccessToken?api-version=2023-10-01"
        assert client.call("POST", issue, {"scopes": ["chat"]}, key=key).status == 200
        path = resource_path("there", "local")
        patched = manager.call("PATCH", path, {"properties": {"disableLocalAuth": True}})
        assert patched.json()["properties"]["disableLocalAuth"] is True
        refused = client.call("POST", issue, {"scopes": ["chat"]}, key=key)
        assert refused.status == 401
        assert "disableLocalAuth" in refused.error["message"]
        manager.call("PATCH", path, {"properties": {"disableLocalAuth": False}})
        assert client.call("POST", issue, {"scopes": ["chat"]}, key=key).status == 200


def test_at_most_64_resources_share_a_host(fresh_settings: FreshSettings) -> None:
    with running_server(fresh_settings()) as server:
        manager = Manager(server)
        for n in range(63):
            manager.create("many", f"r{n}")
        reply = manager.call("PUT", resource_path("many", "one-too-many"), BODY)
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "QuotaExceeded")


def test_an_api_version_cannot_break_a_header(manager: Manager) -> None:
    manager.call("PUT", f"{GROUPS}/brief", {"location": "westeurope"})
    reply = manager.call("DELETE", f"{GROUPS}/brief", version="a%0d%0aX-Evil:%20b")
    assert reply.status_code == 202
    assert "x-evil" not in reply.headers
