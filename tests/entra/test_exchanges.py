"""Exchanges: whose token becomes which access token, and what ends the result."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.entra.conftest import Bear
from tests.support.exchanges import (
    ENTRA,
    EXTENSION,
    EXTENSION_ASSIGNMENT,
    FORM,
    is_active,
    put,
    resource_id,
)
from tests.support.provider import APPLICATION, CLIENTS, OTHER_TENANT, PRINCIPAL, TEAMS, TENANT, USER, Provider
from tests.support.signed import PREVIEW, SignedClient
from watchword.client import AsyncTokenVerifier
from watchword.testing import RunningServer

pytestmark = pytest.mark.usefixtures("nobody_assigned")

GROUP = "44444444-4444-4444-8444-444444444444"


def test_a_user_who_is_assigned_exchanges_a_token(provider: Provider, client: SignedClient, bear: Bear) -> None:
    put(client)
    reply = bear(provider.user_token(scp="Chat.Join VoIP other"), path=ENTRA, body=b"{}", version=PREVIEW)
    assert reply.status == 200
    resource = resource_id(client)
    assert reply.json["identity"] == {"id": f"8:acs:{resource}_wf_{TENANT}_{USER}"}
    token = reply.json["accessToken"]["token"]
    answer = client.call("POST", "/introspect", f"token={token}".encode(), headers=FORM).json
    assert (answer["active"], answer["scope"], answer["sub"]) == (True, "chat.join voip", reply.json["identity"]["id"])


def test_the_result_verifies_offline_and_expires_with_what_was_brought(
    provider: Provider, client: SignedClient, bear: Bear, server: RunningServer
) -> None:
    put(client)
    second = provider.clock.micros() // 1_000_000
    for wanted, kept in ((second + 900, second + 900), (second + 7 * 86_400, second + 86_400)):
        token = bear(provider.user_token(exp=wanted), path=ENTRA, version=PREVIEW).json["accessToken"]["token"]

        async def verify(token: str = token) -> int:
            async with AsyncTokenVerifier.from_connection_string(
                server.connection_string, clock=server.clock
            ) as verifier:
                return int((await verifier.verify(token)).expires.timestamp())

        assert abs(asyncio.run(verify()) - kept) <= 1


@pytest.mark.parametrize(
    ("assigned", "claims"),
    [
        ({}, {}),
        ({"object_id": GROUP, "principalType": "group"}, {"groups": ["x", GROUP.upper()]}),
        ({"object_id": TENANT, "principalType": "tenant"}, {}),
        ({"clientIds": [PRINCIPAL, APPLICATION.upper()]}, {"aud": f"{CLIENTS}/"}),
        (
            {"object_id": USER.upper()},
            {"aud": "2a04943b-b6a7-4f65-8786-2bb6131b59f6", "appid": None, "azp": APPLICATION},
        ),
    ],
)
def test_who_is_assigned(
    provider: Provider, client: SignedClient, bear: Bear, assigned: dict[str, Any], claims: dict[str, Any]
) -> None:
    assert bear(provider.user_token(**claims), path=ENTRA, version=PREVIEW).status == 403
    put(client, **assigned)
    assert bear(provider.user_token(**claims), path=ENTRA, version=PREVIEW).status == 200


@pytest.mark.parametrize(
    "assigned",
    [
        {"object_id": PRINCIPAL},
        {"object_id": GROUP, "principalType": "group"},
        {"object_id": USER, "principalType": "group"},
        {"object_id": USER, "principalType": "tenant"},
        {"object_id": TENANT, "principalType": "user"},
        {"tenantId": OTHER_TENANT},
        {"clientIds": [PRINCIPAL]},
        {"clientIds": []},
    ],
)
def test_who_is_not_assigned(provider: Provider, client: SignedClient, bear: Bear, assigned: dict[str, Any]) -> None:
    put(client, **assigned)
    reply = bear(provider.user_token(), path=ENTRA, version=PREVIEW)
    assert (reply.status, reply.error["code"]) == (403, "Forbidden")
    assert reply.error["message"].startswith("No assignment here covers the user")


def test_a_token_without_a_scope_to_exchange_is_refused(provider: Provider, client: SignedClient, bear: Bear) -> None:
    put(client)
    reply = bear(provider.user_token(scp="User.Read"), path=ENTRA, version=PREVIEW)
    assert reply.status == 403
    assert "none of the scopes (scp)" in reply.error["message"]


def test_every_door_takes_its_own_audience_only(provider: Provider, client: SignedClient, bear: Bear) -> None:
    put(client)
    client.call("PUT", f"{EXTENSION_ASSIGNMENT}?api-version={PREVIEW}", {"principalType": "user"})
    users, teams = provider.user_token(), provider.user_token(TEAMS, "TeamsExtension.ManageCalls")
    assert bear(users, path=EXTENSION, version=PREVIEW).error["message"].startswith("The audience (aud)")
    assert bear(teams, path=ENTRA, version=PREVIEW).error["message"].startswith("The audience (aud)")
    assert bear(users).error["message"] == "The Entra ID token of a user is good for exchanges only."
    assert bear(provider.token(), path=ENTRA, version=PREVIEW).error["message"].startswith("Only the Entra ID token")
    assert client.call("POST", f"{ENTRA}?api-version={PREVIEW}").status == 403


def test_a_key_that_is_made_anew_leaves_exchanged_tokens_alone_and_the_rest_ends_them(
    provider: Provider, client: SignedClient, bear: Bear
) -> None:
    put(client)

    def exchanged() -> tuple[str, str]:
        body = bear(provider.user_token(), path=ENTRA, version=PREVIEW).json
        return body["identity"]["id"], body["accessToken"]["token"]

    (user, first), (_, second) = exchanged(), exchanged()
    client.call("POST", "/revoke", f"token={first}".encode(), headers=FORM)
    assert (is_active(client, first), is_active(client, second)) == (False, True)
    assert client.revoke(user).status == 204
    assert not is_active(client, second)
    assert is_active(client, exchanged()[1])


def test_only_users_of_the_resource_who_had_a_token_are_revoked(client: SignedClient) -> None:
    resource = resource_id(client)
    for unknown in (f"8:acs:{resource}_wf_{TENANT}_{PRINCIPAL}", f"8:orgid:{PRINCIPAL}"):
        assert (client.revoke(unknown).status, client.revoke(unknown).error["code"]) == (404, "IdentityNotFound")
    assert client.revoke(f"8:acs:{PRINCIPAL}_{TENANT}_{USER}").error["code"] == "IdentityNotOwned"


def test_time_goes_by_and_the_exchanged_token_ends(provider: Provider, client: SignedClient, bear: Bear) -> None:
    put(client)
    token = bear(provider.user_token(), path=ENTRA, version=PREVIEW).json["accessToken"]["token"]
    provider.clock.move(timedelta(hours=1, seconds=1))
    try:
        assert not is_active(client, token)
    finally:
        provider.clock.move(-timedelta(hours=1, seconds=1))
