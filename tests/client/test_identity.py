"""Every operation over a real socket, with the blocking client and with the asyncio one."""

from datetime import UTC, datetime, timedelta

import httpx2
import msgspec
import pytest
from azure.communication.identity import CommunicationTokenScope
from hypothesis import given
from hypothesis import strategies as st

from tests.client.support import (
    CREATED,
    CREATED_WITH_TOKEN,
    CREDENTIAL,
    ENCODED_USER,
    TOKEN,
    USER,
    Perform,
    assert_signed,
    both_clients,
)
from tests.support.scripted_server import Received, reply, scripted_server
from watchword.client import Identity, IdentityClient, IssuedToken, Scope
from watchword.client.requests import delete_user
from watchword.client.transport import host_of

EXPIRY = datetime(2022, 10, 8, 14, 37, 48, 940965, UTC)


def only(received: list[Received]) -> Received:
    [request] = received
    assert_signed(request)
    return request


@both_clients
def test_create_user_sends_an_empty_object(perform: Perform) -> None:
    with scripted_server(reply(201, CREATED)) as server:
        assert perform(server.endpoint, lambda client: client.create_user()) == Identity(USER)
    request = only(server.received)
    assert (request.method, request.target) == ("POST", "/identities?api-version=2023-10-01")
    assert (request.body, request.headers["content-type"]) == (b"{}", "application/json")


@both_clients
def test_a_custom_id_is_sent_with_the_one_api_version_that_has_it(perform: Perform) -> None:
    body = f'{{"identity":{{"customId":"bob","lastTokenIssuedAt":"2025-04-14T15:32:27+00:00","id":"{USER}"}}}}'
    with scripted_server(reply(201, body)) as server:
        created = perform(server.endpoint, lambda client: client.create_user(custom_id="bob"), api_version="2025-06-30")
    assert created == Identity(USER, "bob", datetime(2025, 4, 14, 15, 32, 27, tzinfo=UTC))
    request = only(server.received)
    assert request.target == "/identities?api-version=2025-03-02-preview"
    assert request.body == b'{"customId":"bob"}'


@both_clients
def test_create_user_and_token_sends_scopes_and_minutes(perform: Perform) -> None:
    with scripted_server(reply(201, CREATED_WITH_TOKEN)) as server:
        created, token = perform(
            server.endpoint,
            lambda client: client.create_user_and_token([Scope.CHAT, "voip"], token_expires_in=timedelta(hours=1)),
        )
    assert (created, token) == (Identity(USER), IssuedToken("eyJ.e30.x", EXPIRY))
    assert msgspec.json.decode(only(server.received).body) == {
        "createTokenWithScopes": ["chat", "voip"],
        "expiresInMinutes": 60,
    }


@both_clients
@pytest.mark.parametrize("user", [USER, Identity(USER)], ids=["a string", "an identity"])
def test_get_token_names_the_identity_in_the_path_percent_encoded(perform: Perform, user: Identity | str) -> None:
    with scripted_server(reply(200, TOKEN)) as server:
        token = perform(server.endpoint, lambda client: client.get_token(user, ["chat"]))
    assert (token.token, token.expires_on) == ("eyJ.e30.x", EXPIRY)
    request = only(server.received)
    assert request.target == f"/identities/{ENCODED_USER}/:issueAccessToken?api-version=2023-10-01"
    assert request.body == b'{"scopes":["chat"]}'


@both_clients
def test_the_scopes_of_the_official_client_are_taken_too(perform: Perform) -> None:
    with scripted_server(reply(200, TOKEN)) as server:
        perform(server.endpoint, lambda client: client.get_token(USER, [CommunicationTokenScope.CHAT_JOIN_LIMITED]))
    assert only(server.received).body == b'{"scopes":["chat.join.limited"]}'


@both_clients
def test_revoke_tokens_has_no_body(perform: Perform) -> None:
    with scripted_server(reply(204)) as server:
        assert perform(server.endpoint, lambda client: client.revoke_tokens(USER)) is None
    request = only(server.received)
    target = f"/identities/{ENCODED_USER}/:revokeAccessTokens?api-version=2023-10-01"
    assert (request.method, request.target, request.body) == ("POST", target, b"")
    assert "content-type" not in request.headers


@both_clients
def test_delete_user(perform: Perform) -> None:
    with scripted_server(reply(204)) as server:
        assert perform(server.endpoint, lambda client: client.delete_user(USER)) is None
    request = only(server.received)
    assert (request.method, request.target) == ("DELETE", f"/identities/{ENCODED_USER}?api-version=2023-10-01")


@both_clients
def test_get_user(perform: Perform) -> None:
    with scripted_server(reply(200, f'{{"customId":"alice","id":"{USER}"}}')) as server:
        assert perform(server.endpoint, lambda client: client.get_user(USER)) == Identity(USER, "alice")
    request = only(server.received)
    assert (request.method, request.target) == ("GET", f"/identities/{ENCODED_USER}?api-version=2025-03-02-preview")


@both_clients
def test_list_users_follows_the_pages_but_never_to_another_host(perform: Perform) -> None:
    link = "https://elsewhere.test/identities?continuationToken=a%2Bb"
    first = f'{{"value":[{{"id":"{USER}","createdOn":"2026-01-02T03:04:05Z"}}],"nextLink":"{link}"}}'
    with scripted_server(reply(200, first), reply(200, '{"value":[{"id":"other"}]}')) as server:
        listed = perform(
            server.endpoint,
            lambda client: client.list_users(
                custom_id="bob & co", created_after=datetime(2026, 1, 1, tzinfo=UTC), page_size=1
            ),
        )
        assert listed == [Identity(USER, created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)), Identity("other")]
    query = (
        "api-version=2023-10-01&customId=bob%20%26%20co&createdAfter=2026-01-01T00%3A00%3A00%2B00%3A00&maxPageSize=1"
    )
    assert [request.target for request in server.received] == [
        f"/identities?{query}",
        "/identities?continuationToken=a%2Bb",
    ]
    for request in server.received:
        assert_signed(request)


@both_clients
@pytest.mark.parametrize("user", ["..", ".", "a/../b", "a?b#c", "ü %2F ;", '8:acs:<>"{}|\\^`'])
def test_what_is_signed_is_what_is_sent_whatever_the_identity_is_called(perform: Perform, user: str) -> None:
    with scripted_server(reply(204)) as server:
        perform(server.endpoint, lambda client: client.delete_user(user))
    assert only(server.received).target.count("/") == 2


@given(st.text(min_size=1, max_size=60, alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_target_leaves_the_http_library_nothing_to_normalize(user: str) -> None:
    target = delete_user("2023-10-01", user).request.target
    assert httpx2.URL(f"https://localhost{target}").raw_path.decode() == target


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("https://Contoso.Communication.Azure.com:443", "contoso.communication.azure.com"),
        ("http://localhost:80", "localhost"),
        ("https://localhost:18443", "localhost:18443"),
        ("https://[::1]:8443", "[::1]:8443"),
    ],
)
def test_the_signed_host_is_the_one_that_is_sent(endpoint: str, host: str) -> None:
    assert host_of(endpoint) == host


@pytest.mark.parametrize("scopes", ["chat", Scope.CHAT])
def test_one_string_is_no_list_of_scopes(scopes: str) -> None:
    with IdentityClient("https://localhost", CREDENTIAL) as client, pytest.raises(TypeError, match=r"\['chat'\]"):
        client.get_token(USER, scopes)


def test_a_lifetime_that_is_no_whole_number_of_minutes_is_refused_and_not_rounded() -> None:
    with IdentityClient("https://localhost", CREDENTIAL) as client, pytest.raises(ValueError, match="minutes"):
        client.get_token(USER, ["chat"], token_expires_in=timedelta(minutes=60, seconds=1))


def test_a_time_without_a_zone_is_refused_and_not_guessed() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with IdentityClient("https://localhost", CREDENTIAL) as client, pytest.raises(ValueError, match="no time zone"):
        client.list_users(created_after=naive)


@pytest.mark.parametrize("user", ["", "x" * 1025])
def test_an_identity_that_cannot_be_one_is_refused_before_anything_is_sent(user: str) -> None:
    with IdentityClient("https://localhost", CREDENTIAL) as client, pytest.raises(ValueError, match="1 to 1024"):
        client.delete_user(user)


def test_a_token_does_not_show_in_a_printed_value() -> None:
    assert "secret" not in repr(IssuedToken("secret", EXPIRY))
    assert "a2tr" not in repr(CREDENTIAL)
