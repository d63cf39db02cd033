"""An assignment that is taken away takes the tokens along of everybody whom it may have let in, and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.entra.conftest import Bear
from tests.support.exchanges import ASSIGNMENTS, ENTRA, EXTENSION, EXTENSION_ASSIGNMENT, is_active, put
from tests.support.provider import APPLICATION, OTHER_TENANT, PRINCIPAL, TEAMS, TENANT, USER, Provider
from tests.support.signed import PREVIEW, SignedClient
from watchword.client import AsyncTokenVerifier
from watchword.errors import InvalidToken
from watchword.testing import RunningServer

GROUP = "44444444-4444-4444-8444-444444444444"
COLLEAGUE = "55555555-5555-4555-8555-555555555555"

pytestmark = pytest.mark.usefixtures("nobody_assigned")

Exchange = Callable[..., str]


@pytest.fixture
def exchange(provider: Provider, bear: Bear) -> Exchange:
    """The access token of a user who is assigned."""

    def exchange(path: str = ENTRA, **claims: Any) -> str:
        brought = (
            provider.user_token(**claims)
            if path == ENTRA
            else provider.user_token(TEAMS, "TeamsExtension.ManageCalls", **claims)
        )
        reply = bear(brought, path=path, body=b"{}", version=PREVIEW)
        assert reply.status == 200, reply
        return str(reply.json["accessToken"]["token"])

    return exchange


def test_deleting_an_assignment_of_teams_phone_ends_the_tokens_of_its_user(
    client: SignedClient, exchange: Exchange, server: RunningServer
) -> None:
    target = f"{EXTENSION_ASSIGNMENT}?api-version={PREVIEW}"
    put(client)
    client.call("PUT", target, {"principalType": "user"})
    ended, other_kind = exchange(EXTENSION), exchange()
    assert client.call("DELETE", target).status == 204
    assert (is_active(client, ended), is_active(client, other_kind)) == (False, True)

    async def verify() -> None:
        async with AsyncTokenVerifier.from_connection_string(server.connection_string, clock=server.clock) as verifier:
            await verifier.verify(other_kind)
            with pytest.raises(InvalidToken) as refused:
                await verifier.verify(ended)
            assert refused.value.check == "revoked"

    asyncio.run(verify())
    client.call("PUT", target, {"principalType": "user"})
    assert is_active(client, exchange(EXTENSION)), "whoever is assigned anew exchanges anew"
    assert not is_active(client, ended)


@pytest.mark.parametrize("how", ["DELETE", "PATCH"])
def test_deleting_the_assignment_of_a_user_ends_the_tokens_of_this_user_only(
    client: SignedClient, exchange: Exchange, how: str
) -> None:
    put(client)
    put(client, COLLEAGUE)
    ended, others = exchange(), exchange(oid=COLLEAGUE)
    if how == "DELETE":
        assert client.call("DELETE", f"{ASSIGNMENTS}/{USER}?api-version={PREVIEW}").status == 204
    else:
        assert client.call("PATCH", f"{ASSIGNMENTS}?api-version={PREVIEW}", {USER: None}).status == 200
    assert (is_active(client, ended), is_active(client, others)) == (False, True)


@pytest.mark.parametrize(("object_id", "principal_type"), [(GROUP, "group"), (TENANT, "tenant")])
def test_deleting_the_assignment_of_a_group_or_tenant_ends_the_tokens_of_all_who_may_have_come_in_by_it(
    client: SignedClient, exchange: Exchange, object_id: str, principal_type: str
) -> None:
    client.call("PUT", f"{EXTENSION_ASSIGNMENT}?api-version={PREVIEW}", {"principalType": "user"})
    put(client, object_id, principalType=principal_type)
    put(client, COLLEAGUE)
    let_in, of_teams = exchange(groups=[GROUP]), exchange(EXTENSION)
    # Nobody can tell from this token that it would have been issued all the same.
    covered_otherwise = exchange(oid=COLLEAGUE, groups=[GROUP])
    client.call("DELETE", f"{ASSIGNMENTS}/{object_id}?api-version={PREVIEW}")
    assert [is_active(client, each) for each in (let_in, covered_otherwise, of_teams)] == [False, False, True]
    assert is_active(client, exchange(oid=COLLEAGUE))


@pytest.mark.parametrize(
    "narrower",
    [{"clientIds": []}, {"tenantId": OTHER_TENANT}, {"principalType": "group"}],
    ids=["fewer applications", "another tenant", "no user any more"],
)
def test_an_assignment_that_is_replaced_by_a_narrower_one_ends_tokens_too(
    client: SignedClient, exchange: Exchange, narrower: dict[str, Any]
) -> None:
    put(client)
    ended = exchange()
    assert put(client, **narrower).status == 200
    assert not is_active(client, ended)


def test_an_assignment_that_is_replaced_by_one_that_allows_as_much_ends_nothing(
    client: SignedClient, exchange: Exchange
) -> None:
    target = f"{EXTENSION_ASSIGNMENT}?api-version={PREVIEW}"
    put(client)
    client.call("PUT", target, {"principalType": "user", "clientIds": [APPLICATION]})
    kept = [exchange(), exchange(EXTENSION)]
    assert put(client, clientIds=[PRINCIPAL, APPLICATION]).status == 200
    assert client.call("PUT", target, {"principalType": "resourceAccount"}).status == 200
    assert all(is_active(client, each) for each in kept)
    client.call("PUT", target, {"principalType": "user", "clientIds": [APPLICATION]})
    assert [is_active(client, each) for each in kept] == [True, False], "any application could, and now one can"
