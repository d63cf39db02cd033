"""The client library against the service itself, over TLS on a real socket."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.support.servers import running_server
from watchword.client import (
    AccessKeyCredential,
    AsyncIdentityClient,
    Denied,
    IdentityClient,
    IdentityNotFound,
    IdentityNotOwned,
    Retries,
    Scope,
    ServiceError,
    UnsupportedApiVersion,
    UserTokenCredential,
    ValidationError,
)
from watchword.clock import to_datetime
from watchword.testing import RunningServer

FOREIGN = "8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def client(server: RunningServer) -> Iterator[IdentityClient]:
    text = server.connection_string
    with IdentityClient.from_connection_string(text, verify=server.ca_file, retries=Retries(count=0)) as client:
        yield client


def test_an_identity_from_its_creation_to_its_deletion(client: IdentityClient, server: RunningServer) -> None:
    user = client.create_user()
    token = client.get_token(user, list(Scope), token_expires_in=timedelta(hours=1))
    left = token.expires_on - to_datetime(server.clock.micros())
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    client.revoke_tokens(user)
    client.delete_user(user)
    for call in (
        client.delete_user,
        client.revoke_tokens,
        client.get_user,
        lambda gone: client.get_token(gone, ["chat"]),
    ):
        with pytest.raises(IdentityNotFound):
            call(user)


async def test_the_same_with_asyncio(server: RunningServer) -> None:
    async with AsyncIdentityClient.from_connection_string(server.connection_string, verify=server.ca_file) as client:
        user, token = await client.create_user_and_token(["voip"], token_expires_in=timedelta(minutes=60))
        again = await client.get_token(user, ["voip"])
        assert again.expires_on > token.expires_on
        await client.revoke_tokens(user)
        assert (await client.get_user(user)).id == user.id
        await client.delete_user(user)
        with pytest.raises(IdentityNotFound):
            await client.get_user(user)


async def test_ten_parallel_creates_with_one_custom_id_give_one_identity(server: RunningServer) -> None:
    async with AsyncIdentityClient.from_connection_string(server.connection_string, verify=server.ca_file) as client:
        created = await asyncio.gather(*(client.create_user(custom_id="ten at once") for _ in range(10)))
        assert len({user.id for user in created}) == 1
        [listed] = [user async for user in client.list_users(custom_id="ten at once")]
        assert (listed.id, listed.custom_id) == (created[0].id, "ten at once")


def test_one_client_serves_many_threads(client: IdentityClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda _: client.create_user().id, range(40)))
    assert len(set(created)) == 40


def test_the_list_is_paged_and_bounded_by_creation_time() -> None:
    with (
        running_server() as server,
        IdentityClient.from_connection_string(server.connection_string, verify=server.ca_file) as client,
    ):
        created = []
        for _ in range(5):
            created.append(client.create_user().id)
            server.clock.move(timedelta(seconds=10))
        every = list(client.list_users(page_size=2))
        assert [user.id for user in every] == created
        moments = [user.created for user in every]
        assert moments == sorted(moment for moment in moments if moment is not None)
        between = client.list_users(created_after=moments[1], created_before=moments[3])
        assert {user.id for user in between} >= {created[2]}
        assert not {user.id for user in client.list_users(created_after=moments[1])} & {created[0]}


def test_what_the_service_refuses_is_told_apart(client: IdentityClient) -> None:
    user = client.create_user()
    with pytest.raises(IdentityNotOwned):
        client.get_token(FOREIGN, ["chat"])
    with pytest.raises(ValidationError) as raised:
        client.get_token(user, [])
    assert (raised.value.target, raised.value.message) == ("scopes", "Invalid scopes - Scopes field is required.")
    assert raised.value.request_id
    for minutes in (59, 1441):
        with pytest.raises(ValidationError, match=f"ExpiresInMinutes value {minutes} is invalid"):
            client.create_user_and_token(["chat"], token_expires_in=timedelta(minutes=minutes))


@pytest.mark.parametrize("user", ["..", ".", "a/../b", "ü %2F ;", '8:acs:<>"{}|\\^`', "a?b#c"])
def test_a_strange_identity_is_the_callers_fault_and_its_signature_is_right(client: IdentityClient, user: str) -> None:
    with pytest.raises(ServiceError) as raised:
        client.delete_user(user)
    assert raised.value.status in (400, 404)


def test_either_access_key_proves_the_caller_and_no_other_does(server: RunningServer) -> None:
    with IdentityClient.from_connection_string(server.secondary_connection_string, verify=server.ca_file) as client:
        client.create_user()
    wrong = AccessKeyCredential("d3Jvbmc=")
    with IdentityClient(server.endpoint, wrong, verify=server.ca_file) as client, pytest.raises(Denied):
        client.create_user()


def test_an_unknown_api_version_is_told(server: RunningServer) -> None:
    with (
        IdentityClient.from_connection_string(
            server.connection_string, verify=server.ca_file, api_version="1999-12-31"
        ) as client,
        pytest.raises(UnsupportedApiVersion, match="1999-12-31"),
    ):
        client.create_user()


@pytest.mark.parametrize("version", ["2021-03-07", "2022-06-01", "2022-10-01", "2025-06-30", "2026-09-23"])
def test_any_api_version_may_be_chosen(server: RunningServer, version: str) -> None:
    with IdentityClient.from_connection_string(
        server.connection_string, verify=server.ca_file, api_version=version
    ) as client:
        user, _ = client.create_user_and_token(["chat"])
        client.delete_user(user)


def test_a_user_credential_lives_on_the_clients_tokens() -> None:
    with (
        running_server() as server,
        IdentityClient.from_connection_string(
            server.connection_string, verify=server.ca_file, clock=server.clock
        ) as client,
    ):
        user = client.create_user()
        with UserTokenCredential(
            refresher=lambda: client.get_token(user, [Scope.CHAT]).token, clock=server.clock
        ) as credential:
            first = credential.get_token()
            server.clock.move(timedelta(hours=23, minutes=45))
            assert credential.get_token() == first
            server.clock.move(timedelta(minutes=10))
            assert credential.get_token().expires_on > first.expires_on
