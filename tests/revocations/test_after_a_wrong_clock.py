"""What a clock that was wrong leaves behind: nothing that stops issuing, and no token that a cut-off spares."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.identity.test_issue import claims
from tests.revocations.doors import World
from tests.revocations.test_wrong_clocks import (
    AHEAD,
    cut_off_identity,
    delete_identity,
    revoke_identity,
    revoke_token,
)
from tests.support.data import add_verifier, first_resource, transact
from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.clock import to_datetime
from watchword.storage.clock_marks import lower_high_water
from watchword.testing import MovableClock


@pytest.fixture
def world(fresh_settings: FreshSettings) -> Iterator[World]:
    with running_server(fresh_settings()) as server, SignedClient(server) as client:
        yield World(server, client, add_verifier(server, first_resource(server)))


def test_what_is_revoked_during_a_jump_leaves_no_issue_time_that_stops_issuing_later(world: World) -> None:
    """Found by a history with wrong clocks: after a drift of minutes a server on SQLite issued no more."""
    identity = world.client.new_identity()
    token = world.client.new_token(identity)
    world.server.clock.set_wrong(timedelta(hours=1))
    revoke_token(world, identity, token)
    for revoke in (revoke_identity, cut_off_identity):
        revoke(world, identity, token)
    delete_identity(world, world.client.new_identity(), token)
    assert world.client.call("GET", "/.well-known/jwks.json").status == 200
    world.server.clock.set_wrong(timedelta(0))
    fresh = world.client.new_token(identity)
    assert claims(fresh)["iatMicros"] <= world.server.clock.micros()
    assert world.doors(fresh) == (True, "")
    high_water = "select high_water_micros from clock"
    [(high,)] = transact(world.server, lambda transaction: transaction.execute(high_water))
    assert high <= world.server.clock.micros()


@pytest.mark.parametrize("is_right_again", [True, False])
def test_a_cut_off_at_one_node_ends_what_another_has_stamped_minutes_ahead(
    fresh_settings: FreshSettings, tmp_path: Path, *, is_right_again: bool
) -> None:
    """Found by a history with wrong clocks: a node goes on from its last issue time when its clock is right again."""
    settings = fresh_settings()
    ahead = MovableClock()
    with (
        running_server(settings, data=tmp_path, clock=ahead) as one,
        running_server(settings, data=tmp_path) as other,
        SignedClient(one) as client_of_one,
        SignedClient(other) as client_of_other,
    ):
        world = World(other, client_of_other, add_verifier(other, first_resource(other)))
        identity = client_of_one.new_identity()
        ahead.set_wrong(timedelta(minutes=4))
        token = client_of_one.new_token(identity)
        if is_right_again:
            ahead.set_wrong(timedelta(0))
            token = client_of_one.new_token(identity)
        other.clock.move(timedelta(milliseconds=5))
        cut_off_identity(world, identity, token)
        assert world.doors(token) == (False, "revoked")
        # Once the time is over that it was ahead, a cut-off is exact again.
        for clock in (ahead, other.clock):
            clock.move(timedelta(minutes=6))
        before, after = client_of_other.new_token(identity), client_of_other.new_token(identity)
        moment = to_datetime(claims(after)["iatMicros"])
        other.clock.move(timedelta(seconds=2))
        assert client_of_other.update(identity, {"tokensValidFrom": moment.isoformat()}).status == 204
        assert world.doors(before) == (False, "revoked")
        assert world.doors(after) == (True, "")


def test_a_cut_off_also_ends_tokens_that_a_clock_ahead_has_stamped(
    fresh_settings: FreshSettings, tmp_path: Path
) -> None:
    """They came before it, whatever they say; on PostgreSQL there are none of them."""
    settings = fresh_settings()
    if settings.database:
        return
    clock = MovableClock()
    clock.set_wrong(AHEAD)
    with running_server(settings, data=tmp_path, clock=clock) as server, SignedClient(server) as client:
        identity = client.new_identity()
        credential = add_verifier(server, first_resource(server))
        token = client.new_token(identity)
    clock.set_wrong(timedelta(0))
    with running_server(settings, data=tmp_path, clock=clock) as server, SignedClient(server) as client:
        now = clock.micros()
        transact(server, lambda transaction: lower_high_water(transaction, now))
    with running_server(settings, data=tmp_path, clock=clock) as server, SignedClient(server) as client:
        world = World(server, client, credential)
        cut_off_identity(world, identity, token)
        fresh = client.new_token(identity)
        assert world.doors(fresh) == (True, "")
        clock.move(AHEAD)
        assert world.doors(token) == (False, "revoked")
