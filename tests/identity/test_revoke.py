"""Revoking and deleting: what was issued before is dead, what is issued afterwards lives."""

from datetime import timedelta

import pytest

from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import EARLY, PREVIEW, SignedClient
from tests.support.standing import is_live, why_dead
from watchword.wire import versions

ALL = versions.ALL.since(versions.V2021_02_22_PREVIEW1)


@pytest.mark.parametrize("version", ALL)
def test_tokens_from_before_die_and_tokens_from_after_live(client: SignedClient, version: str) -> None:
    id = client.new_identity()
    before = [client.new_token(id) for _ in range(3)]
    reply = client.revoke(id, version)
    assert (reply.status, reply.body) == (204, b"")
    assert "content-type" not in reply.headers
    assert "content-length" not in reply.headers
    after = client.new_token(id)
    assert [is_live(client, token) for token in before] == [False, False, False]
    assert is_live(client, after)


def test_the_second_and_even_the_microsecond_may_be_the_same(fresh_settings: FreshSettings) -> None:
    with running_server(fresh_settings()) as server, SignedClient(server) as client:
        server.clock.stop()
        id = client.new_identity()
        for _ in range(5):
            before = client.new_token(id)
            assert client.revoke(id).status == 204
            after = client.new_token(id)
            assert not is_live(client, before)
            assert is_live(client, after)


def test_a_clock_that_steps_back_between_revoking_and_issuing_changes_nothing(fresh_settings: FreshSettings) -> None:
    with running_server(fresh_settings()) as server, SignedClient(server) as client:
        id = client.new_identity()
        before = client.new_token(id)
        client.revoke(id)
        server.clock.move(-timedelta(hours=3))
        after = client.new_token(id)
        assert not is_live(client, before)
        assert is_live(client, after)


def test_other_identities_are_not_concerned(client: SignedClient) -> None:
    one, other = client.new_identity(), client.new_identity()
    kept = client.new_token(other)
    client.revoke(one)
    client.delete(one)
    assert is_live(client, kept)


def test_a_living_identity_may_be_revoked_again_and_again(client: SignedClient) -> None:
    id = client.new_identity()
    assert [client.revoke(id).status for _ in range(3)] == [204, 204, 204]


@pytest.mark.parametrize("version", versions.ALL)
def test_deleting_kills_every_token_and_the_identity_is_gone(client: SignedClient, version: str) -> None:
    id = client.new_identity()
    old = client.new_token(id)
    client.revoke(id)
    young = client.new_token(id)
    reply = client.delete(id, version)
    assert (reply.status, reply.body) == (204, b"")
    assert why_dead(client, old) is not None
    assert "deleted" in (why_dead(client, young) or "")
    assert id not in client.listed("?maxPageSize=1000")


def test_what_is_gone_is_not_found_by_any_operation(client: SignedClient) -> None:
    id = client.new_identity()
    client.delete(id)
    early = f"/identities/{id}/token?api-version={EARLY}"
    replies = [
        client.delete(id),
        client.revoke(id),
        client.issue(id),
        client.get(id),
        client.update(id, {}),
        client.update(id, {"tokensValidFrom": "2020-01-01T00:00:00Z"}),
        client.update(id, {"tokensValidFrom": "2999-01-01T00:00:00Z"}),
        client.call("POST", early, {"scopes": ["chat"]}),
    ]
    assert {reply.status for reply in replies} == {404}
    not_found = {"code": "IdentityNotFound", "message": "Provided identity doesn't exist."}
    assert all(reply.error == not_found for reply in replies)
    assert all("api-supported-versions" in reply.headers for reply in replies)


def test_a_deleted_identity_does_not_come_back_with_its_custom_id(client: SignedClient) -> None:
    first = client.create({"customId": "phoenix", "createTokenWithScopes": ["chat"]}, PREVIEW).json
    client.delete(first["identity"]["id"])
    second = client.create({"customId": "phoenix", "createTokenWithScopes": ["chat"]}, PREVIEW).json
    assert not is_live(client, first["accessToken"]["token"])
    assert is_live(client, second["accessToken"]["token"])


def test_a_token_dies_at_its_expiry_and_not_a_second_earlier(fresh_settings: FreshSettings) -> None:
    with running_server(fresh_settings()) as server, SignedClient(server) as client:
        server.clock.stop()
        token = client.issue(client.new_identity(), {"scopes": ["chat"], "expiresInMinutes": 60}).json["token"]
        server.clock.move(timedelta(minutes=59, seconds=59))
        assert is_live(client, token)
        server.clock.move(timedelta(seconds=1))
        assert why_dead(client, token) == "The token has expired."
