"""What holds for every test: the skip policy is announced, no property test is judged by the clock, and a test that
asks for a database gets it on both engines.
"""

import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support import postgres
from tests.support.engines import CHOSEN, DATABASES, ENGINES, FreshSettings, Place
from tests.support.lanes import LANES, run_here
from tests.support.requirements import everything_is_required
from watchword.storage import Database

# A loaded machine is no failure. Nothing in this suite is timed.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


# A run in the background, or under nohup, ignores these; what the tests start must not.
for _signal in (signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, signal.SIG_DFL)


def pytest_report_header() -> str:
    """Say at the top of the run what a missing tool does, and where servers keep their data."""
    missing = "fail" if everything_is_required() else "skip"
    return f"missing tools: {missing} (REQUIRE_ALL); engine: {CHOSEN} (WATCHWORD_TEST_ENGINE)"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lane", choices=LANES, help="run the tests of one lane; see tests/support/lanes.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Nothing is run again that another lane, or the run on the other engine, has shown already."""
    chosen = run_here(items, config.getoption("--lane"))
    kept = {id(item) for item in chosen}
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
    items[:] = chosen


@pytest.fixture(scope="session", autouse=True)
def chosen_engine(request: pytest.FixtureRequest) -> None:
    """Where servers keep their data that name no database."""
    if CHOSEN == "postgres":
        DATABASES.cluster = request.getfixturevalue("cluster")


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
