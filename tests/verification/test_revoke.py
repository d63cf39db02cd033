"""`POST /revoke` (RFC 7009), and that a revoked token is dead at every door from the acknowledgement on."""

from datetime import UTC, datetime

import pytest

from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from tests.support.standing import is_live
from tests.verification.conftest import World
from watchword.testing import MovableClock


def test_a_token_revoked_by_itself_is_dead_at_every_door(world: World) -> None:
    """A side door is a door: introspection by either kind of caller, revocation itself, and the feed."""
    token, cursor = world.new_token(), world.owner.page()["cursor"]
    jti = world.owner.introspect(token)["jti"]
    assert world.owner.revoke(token=token).status == 200
    assert not world.owner.introspect(token)["active"]
    assert not world.verifier.introspect(token)["active"]
    assert world.owner.revoke(token=token).status == 200
    assert world.verifier.page(f"?since={cursor}")["revocations"] == [{"kind": "token", "id": jti}]


def test_a_token_revoked_by_its_id_is_dead(world: World) -> None:
    token = world.new_token()
    assert world.owner.revoke(token_id=world.owner.introspect(token)["jti"]).status == 200
    assert not world.owner.introspect(token)["active"]


def test_a_token_and_an_id_are_both_revoked(world: World) -> None:
    first, second = world.new_token(), world.new_token()
    assert world.owner.revoke(token=first, token_id=world.owner.introspect(second)["jti"]).status == 200
    assert [world.owner.introspect(token)["active"] for token in (first, second)] == [False, False]


@pytest.mark.parametrize("by", ["token", "token_id"])
def test_no_resource_can_revoke_anothers_token_nor_hide_its_revocation(world: World, by: str) -> None:
    token = world.new_token("other")
    jti, cursor = world.other_owner.introspect(token)["jti"], world.other_owner.page()["cursor"]
    form = {"token": token, "token_id": jti}
    assert world.owner.revoke(**{by: form[by]}).status == 200
    assert world.other_owner.introspect(token)["active"]
    assert world.other_owner.page(f"?since={cursor}")["revocations"] == []
    world.other_owner.revoke(token=token)
    assert not world.other_owner.introspect(token)["active"]
    assert world.other_owner.page(f"?since={cursor}")["revocations"] == [{"kind": "token", "id": jti}]


@pytest.mark.parametrize(
    "token_id", ["x", "a" * 31, "a" * 33, "A" * 32, "g" * 32, "a" * 5_000, "' or 1=1 --", "é" * 32]
)
def test_what_never_was_an_id_is_not_recorded(world: World, token_id: str) -> None:
    cursor = world.owner.page()["cursor"]
    assert world.owner.revoke(token_id=token_id).status == 200
    assert world.owner.page()["cursor"] == cursor


def test_what_proves_nothing_changes_nothing(world: World) -> None:
    cursor, token = world.owner.page()["cursor"], world.new_token()
    assert world.owner.revoke(token=token[:-6] + "AAAAAA").status == 200
    assert world.owner.revoke(token="no token").status == 200
    assert world.owner.introspect(token)["active"]
    assert world.owner.page()["cursor"] == cursor


@pytest.mark.parametrize("body", [b"", b"token=", b"token_id=", b"token=a&token=b", b"token_id=a&token_id=b", b"\xff"])
def test_a_request_that_cannot_be_read_is_refused(world: World, body: bytes) -> None:
    assert world.owner.ask("POST", "/revoke", body).status == 400


def test_issue_and_revoke_within_one_instant(fresh_settings: FreshSettings) -> None:
    """Same second, same microsecond: what was issued before dies, what is issued next lives."""
    clock = MovableClock()
    clock.stop(datetime(2026, 11, 21, 3, 0, 0, tzinfo=UTC))
    with (
        running_server(fresh_settings(), clock=clock) as server,
        SignedClient(server) as client,
    ):
        identity = client.new_identity()
        for _ in range(3):
            before = client.new_token(identity)
            assert is_live(client, before)
            assert client.revoke(identity).status == 204
            after = client.new_token(identity)
            assert [is_live(client, token) for token in (before, after)] == [False, True]
