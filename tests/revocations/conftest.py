"""A database of its own for every test, and one resource in it."""

import pytest

from tests.support.clock import stopped_clock
from watchword.clock import MonotoneClock
from watchword.resources.store import Resource, insert_resource
from watchword.revocations.feed import Feed
from watchword.revocations.revocations import Revocations
from watchword.revocations.store import RevocationStore
from watchword.storage import Database
from watchword.testing import MovableClock

A, B = "aaaaaaaa-368b-45b4-ab52-8493fb117652", "bbbbbbbb-368b-45b4-ab52-8493fb117652"


@pytest.fixture
def clock() -> MovableClock:
    return stopped_clock()


@pytest.fixture
def store(database: Database) -> RevocationStore:
    return RevocationStore(database)


@pytest.fixture
def feed(store: RevocationStore) -> Feed:
    return Feed(store)


@pytest.fixture
def revocations(store: RevocationStore, feed: Feed, clock: MovableClock) -> Revocations:
    return Revocations(store, feed, MonotoneClock(clock))


@pytest.fixture
async def resources(database: Database) -> tuple[Resource, Resource]:
    first = await database.transact(
        lambda transaction: insert_resource(transaction, A, "a", location="europe", created_micros=0)
    )
    second = await database.transact(
        lambda transaction: insert_resource(transaction, B, "b", location="europe", created_micros=0)
    )
    return first, second
