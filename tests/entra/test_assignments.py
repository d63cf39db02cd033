"""Assignments: who may exchange, as the resource's own caller says it."""

from typing import Any

import pytest

from tests.entra.conftest import Bear
from tests.support.exchanges import (
    ASSIGNMENTS,
    EXTENSION,
    EXTENSION_ASSIGNMENT,
    is_active,
    listed,
    put,
    resource_id,
)
from tests.support.provider import APPLICATION, OTHER_TENANT, PRINCIPAL, TEAMS, TENANT, USER, Provider
from tests.support.signed import PREVIEW, SignedClient

pytestmark = pytest.mark.usefixtures("nobody_assigned")


def test_an_assignment_is_created_replaced_read_and_deleted(client: SignedClient) -> None:
    target = f"{ASSIGNMENTS}/{USER}?api-version={PREVIEW}"
    assert client.call("GET", target).status == 404
    expected = {"objectId": USER, "tenantId": TENANT, "principalType": "user", "clientIds": [APPLICATION]}
    assert (put(client).status, put(client).status) == (201, 200)
    assert client.call("GET", target).json == expected
    assert put(client, tenantId=OTHER_TENANT).json == expected | {"tenantId": OTHER_TENANT}
    assert listed(client) == [expected | {"tenantId": OTHER_TENANT}]
    assert (client.call("DELETE", target).status, client.call("DELETE", target).status) == (204, 204)
    assert listed(client) == []


def test_changes_of_several_assignments_are_made_together_or_not_at_all(client: SignedClient) -> None:
    put(client, PRINCIPAL)
    target = f"{ASSIGNMENTS}?api-version={PREVIEW}"
    wanted = {"tenantId": TENANT, "principalType": "group", "clientIds": []}
    changed = client.call("PATCH", target, {USER: wanted, PRINCIPAL: None})
    assert (changed.status, changed.json) == (200, {"value": [{"objectId": USER} | wanted]})
    assert client.call("PATCH", target, {USER: None, "nobody": wanted}).error["target"] == "objectId"
    assert client.call("PATCH", target, {USER: None, PRINCIPAL: {"tenantId": TENANT}}).status == 400
    assert listed(client) == [{"objectId": USER} | wanted]


@pytest.mark.parametrize(
    ("object_id", "changed", "target"),
    [
        ("bob", {}, "objectId"),
        (f"{USER}0", {}, "objectId"),
        (USER, {"tenantId": "contoso"}, "tenantId"),
        (USER, {"clientIds": ["app"]}, "clientIds"),
        (USER, {"principalType": "robot"}, "PrincipalType"),
        (USER, {"clientIds": None}, "ClientIds"),
        (USER, {"clientIds": "app"}, "ClientIds"),
        (USER, {"clientIds": [APPLICATION] * 101}, "ClientIds"),
    ],
)
def test_a_malformed_assignment_is_refused(
    client: SignedClient, object_id: str, changed: dict[str, Any], target: str
) -> None:
    reply = put(client, object_id, **changed)
    assert (reply.status, reply.error["code"], reply.error["target"]) == (400, "ValidationError", target)
    assert listed(client) == []


@pytest.mark.parametrize("sent", ["user", "User", "USER"])
def test_a_principal_type_is_read_in_any_case_and_answered_as_published(
    client: SignedClient, provider: Provider, bear: Bear, sent: str
) -> None:
    assert put(client, principalType=sent).json["principalType"] == "user"
    assert [each["principalType"] for each in listed(client)] == ["user"]
    target = f"/Access/TeamsExtension/Tenants/{TENANT}/Assignments/{USER}?api-version=2025-06-30"
    body = f'{{"PrincipalType":"{sent}","ClientIDs":["{APPLICATION}"]}}'.encode()
    answers = [client.call("PUT", target, body), client.call("GET", target)]
    assert [(reply.status, reply.json["principalType"]) for reply in answers] == [(201, "user"), (200, "user")]
    token = provider.user_token(TEAMS, "TeamsExtension.ManageCalls")
    assert bear(token, path=EXTENSION, body=b"{}", version="2025-06-30").status == 200


def test_several_changes_are_read_in_any_case(client: SignedClient) -> None:
    wanted = {"TenantId": TENANT, "PrincipalType": "GROUP", "CLIENTIDS": []}
    changed = client.call("PATCH", f"{ASSIGNMENTS}?api-version={PREVIEW}", {USER.upper(): wanted})
    expected = {"objectId": USER, "tenantId": TENANT, "principalType": "group", "clientIds": []}
    assert (changed.status, changed.json) == (200, {"value": [expected]})


def test_an_assignment_of_the_extension(client: SignedClient, provider: Provider, bear: Bear) -> None:
    target = f"{EXTENSION_ASSIGNMENT}?api-version=2025-06-30"
    token = provider.user_token(TEAMS, "TeamsExtension.ManageCalls")
    assert bear(token, path=EXTENSION, version="2025-06-30").status == 403
    created = client.call("PUT", target, {"principalType": "resourceAccount"})
    expected = {"objectId": USER, "tenantId": TENANT, "principalType": "resourceAccount"}
    assert (created.status, created.json) == (201, expected)
    limited = client.call("PUT", target, {"principalType": "user", "clientIds": [PRINCIPAL]})
    assert limited.status == 200
    assert bear(token, path=EXTENSION, version="2025-06-30").status == 403
    client.call("PUT", target, {"principalType": "user", "clientIds": [APPLICATION]})
    exchanged = bear(token, path=EXTENSION, body=b"{}", version="2025-06-30").json
    assert exchanged["identity"]["id"] == f"8:acs:{resource_id(client)}_{TENANT}_{USER}"
    assert is_active(client, exchanged["accessToken"]["token"])
    assert client.revoke(exchanged["identity"]["id"]).status == 204
    assert not is_active(client, exchanged["accessToken"]["token"])
    assert client.call("DELETE", target).status == 204
    assert client.call("GET", target).error == {"code": "NotFound", "message": "There is no such assignment."}
    elsewhere = f"/access/teamsExtension/tenants/x/assignments/{USER}?api-version=2025-06-30"
    assert client.call("GET", elsewhere).error["target"] == "tenantId"
