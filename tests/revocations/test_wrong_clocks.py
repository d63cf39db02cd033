"""A wrong clock brings no revoked token back to life: not one that purges, not one that issues, not one that revokes.

Found in 0.2.0: one start with a clock 26 hours ahead purged every revocation, and every door accepted revoked tokens.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.revocations.doors import World
from tests.support.data import OtherResource, add_resource, add_verifier, beside, first_resource, transact
from tests.support.engines import FreshSettings
from tests.support.releases import WHEELS, environment_of
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from tests.support.standing import is_live, why_dead
from watchword.revocations.store import RevocationStore
from watchword.storage import Transaction
from watchword.testing import MovableClock

AHEAD = timedelta(hours=26)
"""A revocation is kept for 25 hours, and for as long as issue times were reserved ahead."""

LONG = timedelta(days=400)


@pytest.fixture
def world(fresh_settings: FreshSettings) -> Iterator[World]:
    with running_server(fresh_settings()) as server, SignedClient(server) as client:
        yield World(server, client, add_verifier(server, first_resource(server)))


def revoke_token(world: World, identity: str, token: str) -> None:
    assert world.client.call("POST", "/revoke", f"token={token}".encode()).status == 200


def revoke_identity(world: World, identity: str, token: str) -> None:
    assert world.client.revoke(identity).status == 204


def cut_off_identity(world: World, identity: str, token: str) -> None:
    micros = world.server.clock.now() - timedelta(milliseconds=1)
    assert world.client.update(identity, {"tokensValidFrom": micros.isoformat()}).status == 204


def delete_identity(world: World, identity: str, token: str) -> None:
    assert world.client.delete(identity).status == 204


WAYS: list[Callable[[World, str, str], None]] = [revoke_token, revoke_identity, cut_off_identity, delete_identity]


@pytest.mark.parametrize("revoke", WAYS)
def test_who_is_purged_early_stays_dead_and_who_comes_after_is_good_at_once(
    world: World, revoke: Callable[[World, str, str], None]
) -> None:
    identity, other = world.client.new_identity(), world.client.new_identity()
    token = world.client.new_token(identity)
    world.server.clock.move(timedelta(milliseconds=5))
    revoke(world, identity, token)
    world.purge(LONG)
    assert world.doors(token) == (False, "revoked")
    assert world.doors(world.client.new_token(other)) == (True, "")
    created = world.client.create({"createTokenWithScopes": ["chat"]}).json["accessToken"]["token"]
    assert world.doors(created) == (True, "")
    # The next purge raises the mark, and what was issued above it stays good.
    world.purge(LONG)
    assert world.doors(created) == (True, "")


def test_a_revoked_signing_key_leaves_its_mark_on_every_resource(world: World) -> None:
    second: OtherResource = add_resource(world.server, "second")

    async def record(transaction: Transaction) -> None:
        await transaction.execute("update feed set cursor = cursor + 1")
        await transaction.execute(
            "insert into revocations (kind, subject, resource, cursor, expires_micros)"
            " values ('signingKey', 'gone', 0, (select cursor from feed), $1)",
            world.server.clock.micros(),
        )

    token = world.client.new_token(world.client.new_identity())
    body = {"createTokenWithScopes": ["chat"]}
    others = world.client.call("POST", "/identities?api-version=2023-10-01", body, key=second.key).json["accessToken"]
    transact(world.server, record)
    world.purge(LONG)
    assert world.doors(token) == (False, "revoked")
    form = f"token={others['token']}".encode()
    assert world.client.call("POST", "/introspect", form, key=second.key).json["active"] is False


def test_the_mark_is_told_as_a_cut_off_of_the_resource_also_to_who_follows(world: World) -> None:
    identity = world.client.new_identity()
    world.client.new_token(identity)
    world.client.revoke(identity)
    cursor = world.client.call("GET", "/revocations").json["cursor"]
    world.purge(LONG)
    for query in ("", f"?since={cursor}"):
        page = world.client.call("GET", f"/revocations{query}").json
        [told] = page["revocations"]
        assert (told["kind"], told["id"]) == ("resource", page["resource"])
        assert told["validFrom"] > 0


RELEASED_VERIFIER = """
import sys
from watchword.client import TokenVerifier, VerifierCredential
from watchword.errors import InvalidToken
endpoint, credential, *tokens = sys.argv[1:]
with TokenVerifier(endpoint, VerifierCredential(credential)) as verifier:
    for token in tokens:
        try:
            verifier.verify(token)
        except InvalidToken as error:
            print(error.check)
        else:
            print("good")
"""


def test_verifiers_of_the_release_before_obey_the_mark(world: World, tmp_path: Path) -> None:
    identity = world.client.new_identity()
    revoked = world.client.new_token(identity)
    world.client.revoke(identity)
    world.purge(LONG)
    fresh = world.client.new_token(identity)
    command = [sys.executable, "-c", RELEASED_VERIFIER, world.server.endpoint, world.credential, revoked, fresh]
    released = environment_of(WHEELS[-1], tmp_path)
    run = subprocess.run(command, env=released, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["revoked", "good"]


def test_a_mark_from_a_clock_ten_years_ahead_refuses_no_new_token_nor_hides_an_end(world: World) -> None:
    ten_years = timedelta(days=3_652)
    identity = world.client.new_identity()
    old = world.client.new_token(identity)
    [resource] = [first_resource(world.server)]
    far = world.server.clock.micros() + ten_years // timedelta(microseconds=1)

    async def leave_mark(transaction: Transaction) -> None:
        await transaction.execute(
            "insert into revocations (kind, subject, resource, cursor, expires_micros)"
            " values ('token', 'x', $1, 0, $2)",
            resource.number,
            far,
        )
        await transaction.execute("delete from revocations where subject = 'x'")

    transact(world.server, leave_mark)
    fresh = world.client.new_token(identity)
    assert world.doors(old) == (False, "revoked")
    assert world.doors(fresh) == (True, "")
    # Issue times no longer tell what came before a moment: a cut-off ends every token so far.
    world.server.clock.move(timedelta(minutes=1))
    cut_off_identity(world, identity, fresh)
    assert world.doors(fresh) == (False, "revoked")
    fresh = world.client.new_token(identity)
    assert world.doors(fresh) == (True, "")
    # A revocation made now outlasts the tokens that carry times of ten years ahead.
    world.client.revoke(identity)
    micros = world.server.clock.micros() + LONG // timedelta(microseconds=1)
    beside(world.server, lambda database: RevocationStore(database).purge(micros))
    assert world.doors(fresh) == (False, "revoked")


def test_without_any_revocation_left_introspection_still_knows_the_identity(world: World) -> None:
    """Marks and rows both lost, as no purge of ours could lose them."""
    gone, raised = world.client.new_identity(), world.client.new_identity()
    tokens = [world.client.new_token(gone), world.client.new_token(raised)]
    world.client.delete(gone)
    world.client.revoke(raised)

    async def lose(transaction: Transaction) -> None:
        await transaction.execute("delete from revocations where kind = 'identity'")
        await transaction.execute("update revocations set valid_from_micros = 0")

    transact(world.server, lose)
    assert [why_dead(world.client, token) for token in tokens] == [
        "The token's identity was deleted.",
        "The tokens of this identity were revoked after this one was issued.",
    ]


def test_a_revocation_by_a_clock_that_is_days_behind_is_kept_as_long_as_any_other(world: World) -> None:
    identity = world.client.new_identity()
    token = world.client.new_token(identity)
    world.server.clock.set_wrong(-timedelta(days=3))
    revoke_token(world, identity, token)
    world.server.clock.set_wrong(timedelta(0))
    beside(world.server, lambda database: RevocationStore(database).purge(world.server.clock.micros()))
    there = "select subject from revocations where kind = 'token'"
    assert len(transact(world.server, lambda transaction: transaction.execute(there))) == 1
    assert world.doors(token) == (False, "revoked")


def test_a_clock_that_jumps_stops_issuing_at_once_but_not_revoking_and_goes_on_when_it_is_right(world: World) -> None:
    identity = world.client.new_identity()
    token = world.client.new_token(identity)
    for jump in (AHEAD, -AHEAD, timedelta(minutes=6), -timedelta(minutes=6)):
        world.server.clock.set_wrong(jump)
        reply = world.client.issue(identity)
        assert (reply.status, reply.error["code"]) == (503, "ServiceUnavailable")
        assert reply.headers["retry-after"] == "5"
        created = world.client.create({"createTokenWithScopes": ["chat"]})
        assert created.status == 503
        assert len(world.client.listed()) == 1, "an identity was made for a token that was not issued"
    assert world.client.revoke(identity).status == 204
    assert not is_live(world.client, token)
    world.server.clock.set_wrong(timedelta(minutes=4))
    fresh = world.client.new_token(identity)
    world.server.clock.set_wrong(timedelta(0))
    assert world.doors(fresh) == (True, "")


def test_a_token_from_a_day_ahead_is_refused_until_then_and_its_revocation_outlasts_it(
    fresh_settings: FreshSettings, tmp_path: Path
) -> None:
    """On SQLite nobody contradicts a start with a wrong clock; on PostgreSQL the database does."""
    settings = fresh_settings()
    clock = MovableClock()
    clock.set_wrong(AHEAD)
    with running_server(settings, data=tmp_path, clock=clock) as server, SignedClient(server) as client:
        identity = client.new_identity()
        credential = add_verifier(server, first_resource(server))
        if settings.database:
            assert client.issue(identity).status == 503
            return
        kept, revoked = client.new_token(identity), client.new_token(identity)
    clock.set_wrong(timedelta(0))
    with running_server(settings, data=tmp_path, clock=clock) as server, SignedClient(server) as client:
        world = World(server, client, credential)
        # Behind its own issue times.
        assert client.issue(identity).status == 503
        assert world.doors(kept) == (False, "issued")
        assert why_dead(client, kept) == "The token was issued in the future: a clock is wrong, there or here."
        revoke_token(world, identity, revoked)
        # The days pass, and purges with them.
        for hours in (25, 2):
            clock.move(timedelta(hours=hours))
            beside(server, lambda database: RevocationStore(database).purge(clock.micros()))
            assert not world.doors(revoked)[0]
        assert world.doors(kept) == (True, "")
        assert world.doors(revoked) == (False, "revoked")
        clock.move(timedelta(hours=24))
        assert world.doors(kept) == (False, "expiry")


def test_a_replaced_access_key_stays_dead_when_it_is_purged_early(world: World) -> None:
    """What is recorded within a transaction of the cold path leaves its mark as well."""
    resource = first_resource(world.server)
    token = world.client.new_token(world.client.new_identity())
    kid = "select id from access_keys where resource = $1 and slot = 'primary'"

    async def record(transaction: Transaction) -> None:
        [(id,)] = await transaction.execute(kid, resource.number)
        await transaction.execute("update feed set cursor = cursor + 1")
        await transaction.execute(
            "insert into revocations (kind, subject, resource, cursor, expires_micros)"
            " values ('accessKey', $1, $2, (select cursor from feed), 1)",
            id,
            resource.number,
        )

    transact(world.server, record)
    assert not is_live(world.client, token)
    world.purge(LONG)
    assert world.doors(token) == (False, "revoked")
