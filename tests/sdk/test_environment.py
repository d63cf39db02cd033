"""`eval "$(watchword env)"` beside a running `watchword dev`, and then programs that know nothing of Watchword."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.sdk import test_java, test_javascript, test_python
from tests.sdk.contract import IdentityContract, Introspect, LifetimeContract, is_active
from tests.sdk.programs import Plan, Run, run_plan
from tests.support.commands import Home, server
from watchword.server.development import PRIMARY_KEY, SECONDARY_KEY
from watchword.server.folders import find_folders
from watchword.testing import MovableClock, RunningServer

pytestmark = pytest.mark.sqlite("`watchword dev` refuses PostgreSQL, into which it would put keys that everybody knows")

_PYTHON = [test_python.NEWEST[kind, "2023-10-01"] for kind in test_python.KINDS]
_PLANS = [*_PYTHON, test_javascript.PLAN, test_java.NEWEST]

# As one types it where `watchword` is on the path; what follows inherits what the lines set.
_PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
_EVALUATED = ("sh", "-c", 'eval "$(watchword env)" && exec "$@"', "sh")

# Proxies that lead nowhere, as on machines of many companies: the lines except loopback from them.
_PROXIES = {"HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def dev(home: Home) -> Iterator[RunningServer]:
    """A real `watchword dev`, described as a server of the tests' own is."""
    ca = find_folders(home.environment()).certificates / "ca.pem"
    with server(home, "dev", "--no-request-log") as running:
        keys = (PRIMARY_KEY, SECONDARY_KEY)
        yield RunningServer(running.port, running.endpoint, running.data, ca, MovableClock(), keys)


@pytest.fixture(scope="module", params=_PLANS, ids=lambda plan: plan.name)
def run(request: pytest.FixtureRequest, dev: RunningServer, home: Home) -> Run:
    plan: Plan = request.param
    return run_plan(plan, dev, home.environment(PATH=_PATH, **_PROXIES), _EVALUATED)


@pytest.fixture
def introspect(dev: RunningServer) -> Introspect:
    return partial(is_active, dev)


class TestEvaluatedLines(IdentityContract, LifetimeContract):
    """The official clients, in the shell where the lines were evaluated."""


def test_client_does_not_trust_the_server_without_the_lines(dev: RunningServer, home: Home) -> None:
    command = _PYTHON[0].command()
    known = {"COMMUNICATION_SERVICES_CONNECTION_STRING": dev.connection_string, "SCOPES": "chat", "MINUTES": ""}
    result = subprocess.run(
        command, env=home.environment(**known), capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in result.stderr
