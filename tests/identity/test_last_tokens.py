"""When identities were last issued a token: written down at a bounded rate, and nothing of it lost but in a crash."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.identity.test_issue import claims
from tests.support.data import looking
from tests.support.polling import until
from tests.support.signed import PREVIEW, SignedClient
from watchword.clock import SystemClock
from watchword.identifiers import random_bytes
from watchword.identity.last_tokens import MOST_WAITING, NOTES_A_SECOND, LastTokens, Rate
from watchword.identity.statements import NOTE
from watchword.identity.store import IdentityStore
from watchword.keyring.encryption import Encryption
from watchword.resources.access_keys import create_resource
from watchword.storage import Database
from watchword.testing import RunningServer

CROWD = NOTES_A_SECOND + 500
MOST_WRITES_WAITING = 10_000


@dataclass
class Noting:
    """A database with a crowd of identities, none of which was issued a token."""

    database: Database
    resource: int
    flakes: list[bytes]
    last_tokens: LastTokens

    async def noted(self) -> int:
        [(count,)] = await self.database.query("select count(*) from identities where last_token_micros is not null")
        return int(count)

    async def at_least(self, count: int) -> int:
        while (found := await self.noted()) < count:
            await asyncio.sleep(0)
        return found

    @contextlib.asynccontextmanager
    async def flushing(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.last_tokens.keep_flushing())
        try:
            async with asyncio.timeout(60):
                yield
        finally:
            task.cancel()
            await task


@pytest.fixture
async def noting(database: Database) -> Noting:
    resource = await database.transact(
        lambda transaction: create_resource(
            transaction, Encryption(bytes(32)), SystemClock().micros(), name="some", location="europe"
        )
    )
    flakes = [random_bytes(16) for _ in range(CROWD)]
    rows = [(resource.number, flake) for flake in flakes]
    await database.transact(
        lambda transaction: transaction.execute_many(
            "insert into identities (resource, flake, generation, created_micros) values ($1, $2, 1, 0)", rows
        )
    )
    return Noting(database, resource.number, flakes, LastTokens(IdentityStore(database)))


async def test_a_second_holds_as_many_notes_as_the_bound_says_and_a_stop_writes_the_rest(noting: Noting) -> None:
    for flake in noting.flakes:
        noting.last_tokens.note(noting.resource, flake, 1)
    async with noting.flushing():
        assert await noting.at_least(NOTES_A_SECOND) == NOTES_A_SECOND
    assert await noting.noted() == CROWD


async def test_after_a_crowd_single_tokens_are_noted_as_before(noting: Noting) -> None:
    first, *others, last = noting.flakes
    async with noting.flushing():
        noting.last_tokens.note(noting.resource, first, 1)
        assert await noting.at_least(1) == 1
        for flake in others:
            noting.last_tokens.note(noting.resource, flake, 1)
        await noting.at_least(CROWD - 1)
        noting.last_tokens.note(noting.resource, last, 1)
        await noting.at_least(CROWD)


async def test_the_newest_of_several_tokens_counts(noting: Noting) -> None:
    flake = noting.flakes[0]
    for micros in (1, 3, 2):
        noting.last_tokens.note(noting.resource, flake, micros)
    assert await noting.last_tokens.flush()
    assert await _last_token(noting, flake) == 2, "the one that was issued last, whatever its clock said"


async def test_what_the_database_has_no_time_for_waits_on(noting: Noting) -> None:
    flake = noting.flakes[0]
    nobody = {"resource": noting.resource, "flake": bytes(16), "issued": 1}
    others = [noting.database.enqueue(NOTE, nobody) for _ in range(MOST_WRITES_WAITING)]
    noting.last_tokens.note(noting.resource, flake, 7)
    assert not await noting.last_tokens.flush()
    await asyncio.wait(others)
    assert await _last_token(noting, flake) is None
    assert await noting.last_tokens.flush()
    assert await _last_token(noting, flake) == 7


async def test_of_more_than_can_wait_the_oldest_are_dropped(noting: Noting, caplog: pytest.LogCaptureFixture) -> None:
    oldest, newest = noting.flakes[0], noting.flakes[-1]
    noting.last_tokens.note(noting.resource, oldest, 1)
    for number in range(MOST_WAITING - 1):
        noting.last_tokens.note(noting.resource, number.to_bytes(16, "big"), 1)
    noting.last_tokens.note(noting.resource, newest, 1)
    assert await noting.last_tokens.flush()
    assert (await _last_token(noting, oldest), await _last_token(noting, newest)) == (None, 1)
    assert "1 identities keep an older time" in caplog.text


def test_up_to_the_bound_nothing_waits_and_above_it_everything_does() -> None:
    evenly, doubled = Rate(0.0), Rate(0.0)
    assert not any(evenly.is_exceeded(NOTES_A_SECOND // 100, n / 100) for n in range(1, 1_000))
    # What is left of the second before carries it for one more.
    found = [doubled.is_exceeded(NOTES_A_SECOND // 50, n / 100) for n in range(1, 301)]
    assert not any(found[:90])
    assert all(found[110:])


def test_a_burst_of_one_second_is_none_too_many_and_the_next_one_is() -> None:
    rate = Rate(0.0)
    assert not rate.is_exceeded(NOTES_A_SECOND, 0.01)
    assert rate.is_exceeded(NOTES_A_SECOND, 0.02)
    assert not rate.is_exceeded(0, 0.02)
    assert not rate.is_exceeded(NOTES_A_SECOND, 2.0), "after a second of rest"


def test_how_far_issue_times_have_come_is_written_down_without_a_stop(
    server: RunningServer, client: SignedClient
) -> None:
    with looking(server) as query:
        for token in (
            client.new_token(client.new_identity()),
            client.create({"createTokenWithScopes": ["chat"]}, PREVIEW).json["accessToken"]["token"],
        ):
            until(lambda: query("select high_water_micros from clock")[0][0], claims(token)["iatMicros"].__le__)


async def _last_token(noting: Noting, flake: bytes) -> int | None:
    row = await IdentityStore(noting.database).find(noting.resource, flake)
    assert row is not None
    return row.last_token_micros
