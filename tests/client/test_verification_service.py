"""Verifiers beside the service itself, over TLS: what is revoked there is refused here."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import NoReturn
from urllib.parse import urlencode

import pytest

from tests.support.polling import until
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from tests.support.steady import Steady
from tests.support.verifiers import create_credential, delete_credential
from watchword.client import (
    AsyncTokenVerifier,
    Denied,
    IdentityClient,
    InvalidToken,
    TokenVerifier,
    VerifierCredential,
    require_scope,
)
from watchword.testing import RunningServer


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[IdentityClient]:
    with IdentityClient.from_connection_string(server.connection_string, verify=server.ca_file) as client:
        yield client


@pytest.fixture(scope="module")
def credential(server: RunningServer) -> VerifierCredential:
    return VerifierCredential(create_credential(server))


@pytest.fixture(params=["verifier credential", "access key"])
def verifier(
    request: pytest.FixtureRequest, server: RunningServer, credential: VerifierCredential
) -> Iterator[TokenVerifier]:
    """Either way to prove who follows the feed."""
    with (
        TokenVerifier(server.endpoint, credential, verify=server.ca_file)
        if request.param == "verifier credential"
        else TokenVerifier.from_connection_string(server.connection_string, verify=server.ca_file)
    ) as verifier:
        yield verifier


def check(verifier: TokenVerifier, token: str) -> str:
    """The check by which it is refused, or nothing where it is accepted."""
    try:
        verifier.verify(token)
    except InvalidToken as error:
        return error.check
    return ""


def test_a_verified_token_tells_what_it_proves(verifier: TokenVerifier, client: IdentityClient) -> None:
    user, issued = client.create_user_and_token(["chat.join"], token_expires_in=timedelta(hours=1))
    token = verifier.verify(issued.token)
    assert token.identity == user.id
    assert token.scopes == {"chat.join"}
    assert timedelta(minutes=59) < token.expires - token.issued <= timedelta(hours=1)
    require_scope(token, "Chat_ListChatThreads")
    state = verifier.state()
    assert (state.connected, state.last_error) == (True, None)
    assert state.staleness is not None
    assert state.staleness < timedelta(seconds=10)


@pytest.mark.parametrize("revoke", [IdentityClient.revoke_tokens, IdentityClient.delete_user])
def test_what_is_revoked_is_refused_and_what_is_issued_later_is_not(
    verifier: TokenVerifier, client: IdentityClient, revoke: Callable[[IdentityClient, str], None]
) -> None:
    user, issued = client.create_user_and_token(["chat"])
    _, other = client.create_user_and_token(["chat"])
    assert (check(verifier, issued.token), check(verifier, other.token)) == ("", "")
    known = verifier.state().revocations
    revoke(client, user.id)
    assert until(lambda: check(verifier, issued.token), bool) == "revoked"
    assert verifier.state().revocations == known + 1
    assert check(verifier, other.token) == ""
    if revoke is IdentityClient.revoke_tokens:
        assert check(verifier, client.get_token(user, ["chat"]).token) == ""


def test_one_token_is_revoked_and_its_siblings_live(
    verifier: TokenVerifier, client: IdentityClient, server: RunningServer
) -> None:
    user, issued = client.create_user_and_token(["chat"])
    sibling = client.get_token(user, ["chat"])
    assert check(verifier, issued.token) == ""
    with SignedClient(server) as signed:
        assert signed.call("POST", "/revoke", urlencode({"token": issued.token}).encode()).status == 200
    assert until(lambda: check(verifier, issued.token), bool) == "revoked"
    assert check(verifier, sibling.token) == ""


def test_a_verifier_that_comes_late_knows_what_was_revoked_before(
    server: RunningServer, credential: VerifierCredential, client: IdentityClient
) -> None:
    user, issued = client.create_user_and_token(["chat"])
    client.revoke_tokens(user)
    with TokenVerifier(server.endpoint, credential, verify=server.ca_file) as verifier:
        assert check(verifier, issued.token) == "revoked"


def test_introspection_is_exact_and_tells_the_reason_to_who_holds_an_access_key(
    verifier: TokenVerifier, client: IdentityClient
) -> None:
    user, issued = client.create_user_and_token(["chat", "voip"])
    known = verifier.introspect(issued.token)
    assert (known.active, known.identity) == (True, user.id)
    assert known.scopes == {"chat", "voip"}
    token = verifier.verify(issued.token)
    assert (known.resource, known.token_id, known.expires) == (token.resource, token.token_id, token.expires)
    client.revoke_tokens(user)
    after = verifier.introspect(issued.token)
    assert (after.active, after.identity, after.scopes) == (False, None, frozenset())
    assert not verifier.introspect("no token at all").active


def test_a_page_of_the_feed_names_the_resource_that_it_is_about(
    server: RunningServer, credential: VerifierCredential, client: IdentityClient
) -> None:
    """Without it, a verifier would accept other resources' tokens, of whose revocations it is told nothing."""
    _, issued = client.create_user_and_token(["chat"])
    with SignedClient(server) as signed:
        page = signed.call("GET", "/revocations").json
    with TokenVerifier(server.endpoint, credential, verify=server.ca_file) as verifier:
        assert page["resource"] == verifier.verify(issued.token).resource
    foreign = "00000000-0000-0000-0000-000000000000"
    with TokenVerifier(server.endpoint, credential, verify=server.ca_file, resources=[foreign]) as verifier:
        assert check(verifier, issued.token) == "resource"


def test_a_credential_that_is_deleted_ends_in_refusals(server: RunningServer, client: IdentityClient) -> None:
    credential, steady = create_credential(server), Steady()
    _, issued = client.create_user_and_token(["chat"])
    with TokenVerifier(
        server.endpoint,
        VerifierCredential(credential),
        verify=server.ca_file,
        steady=steady,
        max_staleness=timedelta(seconds=1),
    ) as verifier:
        assert check(verifier, issued.token) == ""
        delete_credential(server, credential)
        assert isinstance(until(verifier.state, lambda state: not state.connected).last_error, Denied)
        steady.pass_seconds(1.1)
        assert check(verifier, issued.token) == "stale"


def test_a_service_that_is_gone_is_waited_for_within_the_bound_only() -> None:
    steady = Steady()
    with running_server() as server:
        credential = VerifierCredential(create_credential(server))
        with IdentityClient.from_connection_string(server.connection_string, verify=server.ca_file) as client:
            user, dead = client.create_user_and_token(["chat"])
            client.revoke_tokens(user)
            live = client.get_token(user, ["chat"])
        refusing, accepting = (
            TokenVerifier(server.endpoint, credential, verify=server.client_tls(), steady=steady, when_stale=when_stale)
            for when_stale in ("refuse", "accept")
        )
        assert (check(refusing, live.token), check(accepting, live.token)) == ("", "")
    with refusing, accepting:
        for verifier in (refusing, accepting):
            until(verifier.state, lambda state: not state.connected)
            assert (check(verifier, live.token), check(verifier, dead.token)) == ("", "revoked")
        steady.pass_seconds(10.1)
        assert (check(refusing, live.token), check(refusing, dead.token)) == ("stale", "stale")
        assert (check(accepting, live.token), check(accepting, dead.token)) == ("", "revoked")
        assert accepting.state().staleness == timedelta(seconds=10.1)


def test_leeway_is_for_expiry(server: RunningServer, credential: VerifierCredential, client: IdentityClient) -> None:
    _, issued = client.create_user_and_token(["chat"], token_expires_in=timedelta(hours=1))
    clock = type(server.clock)()
    clock.move(timedelta(hours=1, seconds=10))
    for leeway, expected in ((0, "expiry"), (60, "")):
        with TokenVerifier(
            server.endpoint, credential, verify=server.ca_file, clock=clock, leeway=timedelta(seconds=leeway)
        ) as verifier:
            assert check(verifier, issued.token) == expected


def test_many_threads_share_one_verifier_while_tokens_are_revoked(
    server: RunningServer, credential: VerifierCredential, client: IdentityClient
) -> None:
    user, dead = client.create_user_and_token(["chat"])
    _, live = client.create_user_and_token(["chat"])

    with TokenVerifier(server.endpoint, credential, verify=server.ca_file) as shared, ThreadPoolExecutor(8) as pool:

        def refused_at_last(_: int) -> str:
            return until(lambda: check(shared, dead.token), bool) + check(shared, live.token)

        outcomes = pool.map(refused_at_last, range(8))
        client.revoke_tokens(user)
        assert set(outcomes) == {"revoked"}


async def verify_for_ever(verifier: AsyncTokenVerifier, token: str) -> NoReturn:
    while True:
        await verifier.verify(token)
        await asyncio.sleep(0.01)


async def test_the_same_with_asyncio(
    server: RunningServer, credential: VerifierCredential, client: IdentityClient
) -> None:
    user, issued = await asyncio.to_thread(client.create_user_and_token, ["chat"])
    async with AsyncTokenVerifier(server.endpoint, credential, verify=server.ca_file) as verifier:
        assert (await verifier.verify(issued.token)).identity == user.id
        assert (await verifier.introspect(issued.token)).active
        await asyncio.to_thread(client.revoke_tokens, user)
        with pytest.raises(InvalidToken, match="revoked"):
            await asyncio.wait_for(verify_for_ever(verifier, issued.token), 20)
        assert not (await verifier.introspect(issued.token)).active
        assert verifier.state().connected
    text = server.connection_string
    async with AsyncTokenVerifier.from_connection_string(text, verify=server.ca_file) as verifier:
        with pytest.raises(InvalidToken, match="revoked"):
            await verifier.verify(issued.token)
