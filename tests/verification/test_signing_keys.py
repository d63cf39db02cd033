"""What an operator does with signing keys, seen from tokens, the key set, the feed and introspection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.data import transact, with_keyring
from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from tests.support.standing import is_live
from tests.verification.conftest import Asker
from watchword.errors import OperatorError
from watchword.keyring import signing_keys, store
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import Schedule
from watchword.storage import Transaction
from watchword.storage.clock_watch import RESERVED_AHEAD
from watchword.testing import RunningServer
from watchword.tokens import key_id

SCHEDULE = Schedule(None, timedelta(hours=1))


class Operator:
    """The commands' rules, beside a running server."""

    def __init__(self, server: RunningServer, client: SignedClient) -> None:
        self.server = server
        self.client = client
        self.feed = Asker(client, key=server.keys[0])
        self._identity = client.new_identity()

    def token(self) -> str:
        return self.client.new_token(self._identity)

    def states(self) -> list[str]:
        return [state for _, state in with_keyring(self.server, SCHEDULE, signing_keys.list_keys)]

    def rotate(self, *, at_once: bool = False) -> str:
        async def work(transaction: Transaction, keyring: Keyring) -> str:
            return (await signing_keys.rotate(transaction, keyring, at_once=at_once)).kid

        return with_keyring(self.server, SCHEDULE, work)

    def retire(self, kid: str) -> None:
        with_keyring(self.server, SCHEDULE, lambda transaction, ring: signing_keys.retire(transaction, ring, kid))

    def revoke(self, kid: str) -> None:
        with_keyring(self.server, SCHEDULE, lambda transaction, ring: signing_keys.revoke(transaction, ring, kid))


@pytest.fixture
def operator(fresh_settings: FreshSettings) -> Iterator[Operator]:
    settings = fresh_settings()
    with running_server(settings) as server, SignedClient(server) as client:
        yield Operator(server, client)


def test_rotate_publishes_a_key_that_signs_when_verifiers_know_it(operator: Operator) -> None:
    first = key_id(operator.token())
    second = operator.rotate()
    assert operator.rotate() == second
    assert (operator.states(), key_id(operator.token())) == (["signing", "published"], first)
    operator.server.clock.move(timedelta(hours=1, seconds=1))
    assert key_id(operator.token()) == second
    assert operator.states() == ["verifying", "signing"]


def test_rotate_at_once_waits_for_nobody(operator: Operator) -> None:
    published = operator.rotate()
    assert operator.rotate(at_once=True) == published
    assert key_id(operator.token()) == published
    third = operator.rotate(at_once=True)
    assert key_id(operator.token()) == third != published


def test_a_retired_key_signs_no_more_and_its_tokens_live_on(operator: Operator) -> None:
    token = operator.token()
    operator.retire(key_id(token))
    assert operator.states() == ["verifying", "signing"]
    assert key_id(operator.token()) != key_id(token)
    assert is_live(operator.client, token)


def test_a_revoked_key_kills_every_token_it_signed_and_says_so_in_the_feed(operator: Operator) -> None:
    token, cursor = operator.token(), operator.feed.page()["cursor"]
    operator.revoke(key_id(token))
    assert not is_live(operator.client, token)
    assert operator.feed.page(f"?since={cursor}")["revocations"] == [{"kind": "signingKey", "id": key_id(token)}]
    fresh = operator.token()
    assert is_live(operator.client, fresh)
    assert operator.states() == ["revoked", "signing"]


def test_the_published_key_takes_over_from_the_revoked_one(operator: Operator) -> None:
    published = operator.rotate()
    operator.revoke(key_id(operator.token()))
    assert key_id(operator.token()) == published


def test_every_key_can_be_revoked_one_after_the_other(operator: Operator) -> None:
    killed = []
    for _ in range(3):
        token = operator.token()
        operator.revoke(key_id(token))
        killed.append(token)
    assert [is_live(operator.client, token) for token in (*killed, operator.token())] == [False, False, False, True]


def test_revoking_is_one_transaction(operator: Operator) -> None:
    """Whatever goes wrong at its end, no key is half revoked: neither in the key set nor in the feed."""
    token, cursor = operator.token(), operator.feed.page()["cursor"]

    async def work(transaction: Transaction, keyring: Keyring) -> None:
        await signing_keys.revoke(transaction, keyring, key_id(token))
        raise OperatorError("The machine fails here.", "Nothing.")

    with pytest.raises(OperatorError, match="fails here"):
        with_keyring(operator.server, SCHEDULE, work)
    assert is_live(operator.client, token)
    assert operator.feed.page(f"?since={cursor}")["cursor"] == cursor
    assert operator.states() == ["signing"]


@pytest.mark.parametrize("verb", ["retire", "revoke"])
def test_a_key_that_is_not_there_is_said_to_be_not_there(operator: Operator, verb: str) -> None:
    with pytest.raises(OperatorError, match="no signing key"):
        getattr(operator, verb)("no key")


def test_a_revoked_key_cannot_be_retired(operator: Operator) -> None:
    kid = key_id(operator.token())
    operator.revoke(kid)
    with pytest.raises(OperatorError, match="revoked"):
        operator.retire(kid)


def test_a_revoked_key_and_its_revocation_are_forgotten_together(operator: Operator) -> None:
    """Never the revocation first: a key that came back into the set would bring its tokens back."""
    kid = key_id(operator.token())
    operator.revoke(kid)
    clock = operator.server.clock
    clock.move(timedelta(hours=24, minutes=59))
    now = clock.micros()

    async def kept(transaction: Transaction) -> tuple[bool, bool]:
        keys = [row.kid for row in await store.list_keys(transaction)]
        entries = [row[0] for row in await transaction.execute("select subject from revocations")]
        return kid in keys, kid in entries

    async def purge(transaction: Transaction, keyring: Keyring) -> None:
        await keyring.rotate_if_due(transaction)
        await transaction.execute("delete from revocations where expires_micros < $1", now)

    with_keyring(operator.server, SCHEDULE, purge)
    assert transact(operator.server, kept) == (True, True)
    # A revocation is kept a little longer: for as long as issue times were reserved ahead when it was made.
    clock.move(timedelta(minutes=2) + RESERVED_AHEAD)
    now = clock.micros()
    with_keyring(operator.server, SCHEDULE, purge)
    assert transact(operator.server, kept) == (False, False)
