"""The keyring over a database: who signs, who verifies, and several processes at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from tests.support.clock import stopped_clock
from tests.support.engines import Place
from tests.support.tokens import claims
from watchword.clock import MonotoneClock
from watchword.keyring import store
from watchword.keyring.encryption import Encryption
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import Schedule, states
from watchword.storage import Database
from watchword.testing import MovableClock
from watchword.tokens.issuer import sign
from watchword.tokens.verifier import read_signed

ENCRYPTION = Encryption(bytes(32))
MONTHLY = Schedule(timedelta(days=30), timedelta(hours=1))
BY_HAND = Schedule(None, timedelta(hours=1))


class Installation:
    """One database, and as many processes on it as a test likes."""

    def __init__(self, place: Place, clock: MovableClock, stack: AsyncExitStack, database: Database) -> None:
        self._place = place
        self._stack = stack
        self.clock = clock
        self.database = database

    async def process(self, algorithm: str = "ES256", schedule: Schedule = MONTHLY) -> Keyring:
        return Keyring(await self.open(), ENCRYPTION, MonotoneClock(self.clock), algorithm=algorithm, schedule=schedule)

    async def states(self) -> list[tuple[str, str]]:
        rows = await self.database.transact(store.list_keys)
        return [(row.algorithm, state) for row, state in states(rows, self.clock.micros())]

    async def open(self) -> Database:
        database = await self._place.open()
        self._stack.push_async_callback(database.close)
        return database


@pytest.fixture
def clock() -> MovableClock:
    return stopped_clock()


@pytest.fixture
async def installation(place: Place, clock: MovableClock, database: Database) -> AsyncIterator[Installation]:
    async with AsyncExitStack() as stack:
        yield Installation(place, clock, stack, database)


async def _turn(keyring: Keyring) -> None:
    await keyring._database.transact(keyring.rotate_if_due)


async def _published(keyring: Keyring) -> set[str]:
    return set((await keyring.key_set())._keys)


async def test_a_new_key_is_known_before_it_signs_and_the_old_one_until_its_last_token_expires(
    installation: Installation, clock: MovableClock
) -> None:
    keyring = await installation.process()
    await keyring.prepare()
    first = (await keyring.signing_key()).kid

    clock.move(timedelta(days=30) - timedelta(hours=1))
    await _turn(keyring)
    assert (await keyring.signing_key()).kid == first
    [second] = await _published(keyring) - {first}

    clock.move(timedelta(hours=1))
    last_of_first = sign(claims(), await (await installation.process()).signing_key())
    assert (await keyring.signing_key()).kid == second
    assert await _published(keyring) == {first, second}

    clock.move(timedelta(hours=24, minutes=59))
    await _turn(keyring)
    assert read_signed(last_of_first, await keyring.key_set()).key.kid in {first, second}
    assert await _published(keyring) == {first, second}

    clock.move(timedelta(minutes=2))
    await _turn(keyring)
    assert await _published(keyring) == {second}
    assert await installation.states() == [("ES256", "signing")]


async def test_a_key_that_is_gone_does_not_stay_in_memory(installation: Installation, clock: MovableClock) -> None:
    keyring = await installation.process()
    await keyring.prepare()
    for _ in range(5):
        clock.move(timedelta(days=30))
        await _turn(keyring)
        clock.move(timedelta(hours=1))
        await keyring.signing_key()
        await _turn(keyring)
        await keyring.key_set()
    assert len(keyring._opened) <= 2


async def test_several_processes_that_rotate_at_once_make_one_key(
    installation: Installation, clock: MovableClock
) -> None:
    processes = [await installation.process() for _ in range(4)]
    await asyncio.gather(*(process.prepare() for process in processes))
    assert await installation.states() == [("ES256", "signing")]
    clock.move(timedelta(days=30))
    await asyncio.gather(*(_turn(process) for process in processes for _ in range(3)))
    assert await installation.states() == [("ES256", "signing"), ("ES256", "published")]
    clock.move(timedelta(hours=1))
    assert len({(await process.signing_key()).kid for process in processes}) == 1


async def test_a_key_that_another_process_made_signs_here_as_soon_as_it_does_there(installation: Installation) -> None:
    here, there = await installation.process(), await installation.process()
    await here.prepare()
    await there.prepare()
    await there._database.transact(lambda transaction: there.add_key(transaction, there.micros()))
    installation.clock.move(timedelta(seconds=1))
    assert (await here.signing_key()).kid == (await there.signing_key()).kid
    assert len(await _published(here)) == 2


async def test_another_algorithm_is_published_ahead_like_any_other_key(
    installation: Installation, clock: MovableClock
) -> None:
    await (await installation.process("ES256")).prepare()
    for _ in range(3):
        # However often it is restarted, one key is enough.
        restarted = await installation.process("RS256")
        await restarted.prepare()
    assert (await restarted.signing_key()).algorithm == "ES256"
    assert await installation.states() == [("ES256", "signing"), ("RS256", "published")]
    clock.move(timedelta(hours=1, seconds=1))
    assert (await restarted.signing_key()).algorithm == "RS256"
    assert len(await _published(restarted)) == 2


async def test_another_algorithm_comes_after_a_key_that_is_published_already(
    installation: Installation, clock: MovableClock
) -> None:
    before = await installation.process("ES256")
    await before.prepare()
    await before._database.transact(lambda transaction: before.add_key(transaction, before.micros() + 10**11))
    await (await installation.process("EdDSA")).prepare()
    await (await installation.process("EdDSA")).prepare()
    clock.move(timedelta(days=2))
    assert await installation.states() == [("ES256", "verifying"), ("ES256", "verifying"), ("EdDSA", "signing")]


async def test_processes_of_two_algorithms_share_keys_and_do_not_make_new_ones_in_turn(
    installation: Installation, clock: MovableClock
) -> None:
    """A rolling restart with another algorithm: each side meets keys that the other one made."""
    old, new = await installation.process("ES256", BY_HAND), await installation.process("RS256", BY_HAND)
    await old.prepare()
    await new.prepare()
    clock.move(timedelta(hours=2))
    for _ in range(5):
        assert (await old.signing_key()).kid == (await new.signing_key()).kid
        clock.move(timedelta(seconds=1))
    assert len(await installation.states()) == 2


async def test_when_all_keys_are_revoked_a_new_one_is_made(installation: Installation, clock: MovableClock) -> None:
    keyring = await installation.process()
    await keyring.prepare()
    first = (await keyring.signing_key()).kid
    await installation.database.transact(lambda transaction: store.revoke_key(transaction, first, clock.micros()))
    clock.move(timedelta(seconds=1))
    assert (await keyring.signing_key()).kid != first
    clock.move(timedelta(seconds=1))
    assert await installation.states() == [("ES256", "revoked"), ("ES256", "signing")]
    assert first not in await _published(keyring)


async def test_the_key_that_is_published_already_takes_over_before_a_new_one_is_made(
    installation: Installation, clock: MovableClock
) -> None:
    keyring = await installation.process()
    await keyring.prepare()
    first = (await keyring.signing_key()).kid
    clock.move(timedelta(days=29, hours=23, minutes=30))
    await _turn(keyring)
    [second] = await _published(keyring) - {first}
    await installation.database.transact(lambda transaction: store.revoke_key(transaction, first, clock.micros()))
    clock.move(timedelta(seconds=1))
    assert (await keyring.signing_key()).kid == second


async def test_the_clock_that_is_set_back_brings_no_old_key_back(
    installation: Installation, clock: MovableClock
) -> None:
    keyring = await installation.process()
    await keyring.prepare()
    first = (await keyring.signing_key()).kid
    clock.move(timedelta(days=30))
    await _turn(keyring)
    clock.move(timedelta(hours=1))
    second = (await keyring.signing_key()).kid
    clock.move(timedelta(days=-10))
    assert (await keyring.signing_key()).kid == second != first
