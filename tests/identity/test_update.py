"""PATCH /identities/{id} of 2020-07-20-preview2: a time from which tokens count."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from tests.support.standing import is_live, why_dead


@pytest.fixture
def client(fresh_settings: FreshSettings) -> Iterator[SignedClient]:
    """A client of a server of its own, whose clock these tests move."""
    with running_server(fresh_settings()) as server, SignedClient(server) as signed:
        server.clock.stop()
        yield signed


def cut_off(client: SignedClient, id: str, moment: datetime) -> None:
    reply = client.update(id, {"tokensValidFrom": moment.isoformat()})
    assert (reply.status, reply.body) == (204, b"")


def test_tokens_issued_before_that_time_die_and_later_ones_live(client: SignedClient) -> None:
    clock, id = client.server.clock, client.new_identity()
    early = client.new_token(id)
    clock.move(timedelta(minutes=10))
    moment = clock.now()
    clock.move(timedelta(microseconds=1))
    late = client.new_token(id)
    clock.move(timedelta(minutes=10))
    cut_off(client, id, moment)
    assert "before the time from which" in (why_dead(client, early) or "")
    assert is_live(client, late)


def test_the_time_counts_to_the_microsecond(client: SignedClient) -> None:
    clock, id = client.server.clock, client.new_identity()
    clock.move(timedelta(minutes=1))
    moment = clock.now()
    tokens = []
    for _ in range(3):
        tokens.append(client.new_token(id))
        clock.move(timedelta(microseconds=1))
    clock.move(timedelta(minutes=1))
    cut_off(client, id, moment + timedelta(microseconds=1))
    assert [is_live(client, token) for token in tokens] == [False, True, True]


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(seconds=1), timedelta(days=365_000)])
def test_now_or_a_time_to_come_revokes_what_was_issued_so_far_and_nothing_later(
    client: SignedClient, ahead: timedelta
) -> None:
    id = client.new_identity()
    before = client.new_token(id)
    cut_off(client, id, client.server.clock.now() + ahead)
    after = client.new_token(id)
    assert not is_live(client, before)
    assert is_live(client, after)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"tokensValidFrom":null}', b'{"anything":"else"}'])
def test_null_or_nothing_changes_nothing(client: SignedClient, body: bytes) -> None:
    id = client.new_identity()
    token = client.new_token(id)
    assert client.update(id, body).status == 204
    assert is_live(client, token)


def test_a_cut_off_only_moves_forward(client: SignedClient) -> None:
    clock, id = client.server.clock, client.new_identity()
    token = client.new_token(id)
    clock.move(timedelta(hours=1))
    cut_off(client, id, clock.now() - timedelta(minutes=1))
    assert not is_live(client, token)
    cut_off(client, id, clock.now() - timedelta(hours=20))
    assert client.update(id, {"tokensValidFrom": None}).status == 204
    assert not is_live(client, token)


def test_a_revocation_and_a_cut_off_do_not_weaken_each_other(client: SignedClient) -> None:
    clock, id = client.server.clock, client.new_identity()
    clock.move(timedelta(hours=1))
    token = client.new_token(id)
    clock.move(timedelta(hours=1))
    client.revoke(id)
    cut_off(client, id, clock.now() - timedelta(hours=2))
    assert not is_live(client, token)


@pytest.mark.parametrize(
    ("text", "dies"),
    [
        ("0001-01-01T00:00:00+14:00", False),
        ("1969-12-31T23:59:59.999999Z", False),
        ("1970-01-01T00:00:00", False),
        ("2020-09-09T21:39:39Z", False),
        ("9999-12-31T23:59:59.999999-14:00", True),
    ],
)
def test_every_time_of_the_calendar_is_understood(client: SignedClient, text: str, dies: bool) -> None:
    id = client.new_identity()
    token = client.new_token(id)
    assert client.update(id, {"tokensValidFrom": text}).status == 204
    assert is_live(client, token) is not dies


@pytest.mark.parametrize("value", ["", "yesterday", "2020-13-01T00:00:00Z", "2020-09-09", 1_599_687_579, True, [], {}])
def test_what_is_no_time_is_refused_and_kills_nothing(client: SignedClient, value: object) -> None:
    id = client.new_identity()
    token = client.new_token(id)
    reply = client.update(id, {"tokensValidFrom": value})
    assert (reply.status, reply.error["target"]) == (400, "TokensValidFrom")
    assert is_live(client, token)
