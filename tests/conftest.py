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
from tests.support.requirements import everything_is_required
from watchword.storage import Database

TESTS = Path(__file__).parent
SHOWN_ONCE = {
    "certificates": "no database",
    "repository": "no database, and make check runs it",
    "storage": "each engine by itself, both in every run",
    "test_clock.py": "no database",
    "test_identifiers.py": "no database",
    "test_wheel.py": "what is installed, whatever the database",
    "tokens": "no database",
    "wire": "no database",
}
"""What the second engine has no part in, and why."""

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On the second engine nothing is run again that the first run has shown already."""
    if CHOSEN == "sqlite":
        return
    left = [item for item in items if _is_shown(item)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def _is_shown(item: pytest.Item) -> bool:
    """Whether the run on SQLite has shown it: it runs on both engines there, or is not about where rows are."""
    fixtures = getattr(item, "fixturenames", ())
    if not {"cluster", "own_cluster", "fresh_settings", "place", "released"}.isdisjoint(fixtures):
        return True
    if any(item.path.is_relative_to(TESTS / name) for name in SHOWN_ONCE):
        return True
    marker = item.get_closest_marker("sqlite")
    assert marker is None or marker.args, f"{item.nodeid} does not say why it is about SQLite"
    return marker is not None


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
