"""What holds for every test: the skip policy is announced, no property test is judged by the clock, and a test that
asks for a database gets it on both engines.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support import postgres
from tests.support.engines import ENGINES, FreshSettings, Place
from tests.support.requirements import everything_is_required
from watchword.storage import Database

# A loaded machine is no failure. Nothing in this suite is timed.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_report_header() -> str:
    """Say at the top of the run what a missing tool does."""
    return f"missing tools: {'fail' if everything_is_required() else 'skip'} (REQUIRE_ALL)"


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """One PostgreSQL server for all tests; whoever stops it or kills it makes one of their own."""
    with postgres.cluster() as running:
        yield running


@pytest.fixture(scope="module", params=ENGINES)
def fresh_settings(request: pytest.FixtureRequest) -> FreshSettings:
    """Settings of servers, each on an empty database of its own."""
    return FreshSettings(_cluster_of(request))


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty database for one test."""
    return Place(FreshSettings(_cluster_of(request))(synchronous="OFF"), tmp_path)


@pytest.fixture
async def database(place: Place) -> AsyncIterator[Database]:
    """The same, opened."""
    opened = await place.open()
    yield opened
    await opened.close()


def _cluster_of(request: pytest.FixtureRequest) -> postgres.Cluster | None:
    found: postgres.Cluster | None = request.getfixturevalue("cluster") if request.param == "postgres" else None
    return found
