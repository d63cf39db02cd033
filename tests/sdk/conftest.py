"""One server for all official clients, and each client's program run once for all its tests."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest

# Before the contract is imported: its assertions are to be explained like those of a test module.
pytest.register_assert_rewrite("tests.sdk.contract", "tests.sdk.programs")

from tests.sdk.contract import Introspect, is_active  # noqa: E402
from tests.sdk.programs import Plan, Run, run_plan, trusting_environment  # noqa: E402
from tests.support.servers import running_server  # noqa: E402
from watchword.testing import RunningServer  # noqa: E402


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """A server that all programs share; each makes identities of its own."""
    with running_server() as running:
        yield running


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the bundles of trusted certificates are written."""
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(scope="session")
def runs(server: RunningServer, bundles: Path) -> Callable[[Plan], Run]:
    return cache(lambda plan: run_plan(plan, server, trusting_environment(server, bundles)))


@pytest.fixture
def run(plan: Plan, runs: Callable[[Plan], Run]) -> Run:
    """What the plan's program saw."""
    return runs(plan)


@pytest.fixture
def introspect(server: RunningServer) -> Introspect:
    return partial(is_active, server)
