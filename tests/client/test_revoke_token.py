"""Revoking one token with the client library, against the service."""

from collections.abc import Iterator

import pytest

from tests.support.servers import running_server
from tests.support.signed import SignedClient
from tests.support.standing import is_live
from watchword.client import AsyncIdentityClient, IdentityClient
from watchword.settings import Settings
from watchword.testing import RunningServer
from watchword.tokens import KeySet, read_signed


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, tls=False)) as running:
        yield running


def _token_id(client: SignedClient, token: str) -> str:
    keys = KeySet.from_json(client.call("GET", "/.well-known/jwks.json").body)
    return read_signed(token, keys).claims.jti


def test_one_token_ends_and_the_identity_s_others_live(server: RunningServer) -> None:
    with IdentityClient.from_connection_string(server.connection_string) as client, SignedClient(server) as asking:
        user = client.create_user()
        by_itself, by_id, other = (client.get_token(user, ["chat"]).token for _ in range(3))
        client.revoke_token(by_itself)
        client.revoke_token(token_id=_token_id(asking, by_id))
        client.revoke_token("no token at all")
        assert [is_live(asking, token) for token in (by_itself, by_id, other)] == [False, False, True]


async def test_the_same_with_asyncio(server: RunningServer) -> None:
    async with AsyncIdentityClient.from_connection_string(server.connection_string) as client:
        _, issued = await client.create_user_and_token(["chat"])
        await client.revoke_token(issued.token)
        with SignedClient(server) as asking:
            assert not is_live(asking, issued.token)


@pytest.mark.parametrize("given", [{}, {"token": "a", "token_id": "b"}, {"token": ""}])
def test_one_of_the_two_is_given(server: RunningServer, given: dict[str, str]) -> None:
    with (
        IdentityClient.from_connection_string(server.connection_string) as client,
        pytest.raises(ValueError, match="one of the two"),
    ):
        client.revoke_token(**given)
