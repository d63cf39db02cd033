"""Bearer tokens of Entra ID, and the credentials that are refused."""

from typing import Any

import pytest
from azure.core.credentials import AccessToken

from tests.client.support import CREATED, CREDENTIAL, Perform, assert_signed, both_clients
from tests.support.scripted_server import reply, scripted_server
from watchword.client import AccessKeyCredential, IdentityClient, InvalidConnectionString
from watchword.client.authentication import authentication_for


class EntraCredential:
    """Counts its tokens; each lives as long as the next number says."""

    def __init__(self, *expiries: int) -> None:
        self.expiries = list(expiries)
        self.asked: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str) -> AccessToken:
        self.asked.append(scopes)
        return AccessToken(f"bearer-{len(self.asked)}", self.expiries[len(self.asked) - 1])


class AsyncEntraCredential(EntraCredential):
    async def get_token(self, *scopes: str) -> AccessToken:  # type: ignore[override]
        return super().get_token(*scopes)


def credential_for(perform: Perform, *expiries: int) -> EntraCredential:
    return AsyncEntraCredential(*expiries) if perform.kind == "asyncio" else EntraCredential(*expiries)


@both_clients
def test_a_bearer_token_is_asked_for_once_and_renewed_five_minutes_ahead(perform: Perform) -> None:
    now = perform.clock.micros() // 1_000_000
    credential = credential_for(perform, now + 300, now + 301)
    with scripted_server(reply(429), reply(429), reply(201, CREATED)) as server:
        perform(server.endpoint, lambda client: client.create_user(), credential)
    assert [request.headers["authorization"] for request in server.received] == [
        "Bearer bearer-1",
        "Bearer bearer-2",
        "Bearer bearer-2",
    ]
    assert credential.asked == [("https://communication.azure.com//.default",)] * 2


@pytest.mark.parametrize("endpoint", ["http://contoso.test", "http://192.0.2.1:8080"])
def test_a_bearer_token_never_leaves_the_machine_unencrypted(endpoint: str) -> None:
    with pytest.raises(ValueError, match="https only"):
        IdentityClient(endpoint, EntraCredential())


@pytest.mark.parametrize(
    "endpoint", ["https://contoso.test", "http://localhost:1", "http://127.0.0.2:1", "http://[::1]:1"]
)
def test_a_bearer_token_may_travel_encrypted_or_within_the_machine(endpoint: str) -> None:
    assert authentication_for(EntraCredential(), endpoint) is not None


@pytest.mark.parametrize("credential", ["a2V5", None, object()])
def test_what_is_no_credential_is_refused(credential: Any) -> None:
    with pytest.raises(TypeError, match="AccessKeyCredential"):
        IdentityClient("https://contoso.test", credential)


@pytest.mark.parametrize("key", ["", "not base64!", "a"])
def test_an_access_key_that_is_none_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(InvalidConnectionString) as raised:
        AccessKeyCredential(key)
    assert not key or key not in str(raised.value).split()


@both_clients
def test_a_connection_string_brings_endpoint_and_key(perform: Perform) -> None:
    with scripted_server(reply(201, CREATED)) as server:
        text = f"endpoint={server.endpoint}/;accesskey={CREDENTIAL.key}"
        perform.from_connection_string(text, lambda client: client.create_user())
    [request] = server.received
    assert_signed(request)
