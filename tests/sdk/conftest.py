"""One server for all official clients, and each client's program run once for all its tests."""

from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest

# Before the contract is imported: its assertions are to be explained like those of a test module.
pytest.register_assert_rewrite("tests.sdk.contract", "tests.sdk.programs")

from tests.sdk.contract import Introspect  # noqa: E402
from tests.sdk.programs import Plan, Run, run_plan  # noqa: E402
from watchword.testing import RunningServer, running_server  # noqa: E402
from watchword.wire.signature import signed_headers  # noqa: E402


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
    return cache(lambda plan: run_plan(plan, server, bundles))


@pytest.fixture
def run(plan: Plan, runs: Callable[[Plan], Run]) -> Run:
    """What the plan's program saw."""
    return runs(plan)


@pytest.fixture(scope="session")
def introspect(server: RunningServer) -> Iterator[Introspect]:
    target = "/introspect"
    with httpx2.Client(base_url=server.endpoint, verify=server.client_tls()) as client:

        def is_active(token: str | None) -> bool:
            assert token is not None
            body = urlencode({"token": token}).encode()
            date = formatdate(usegmt=True)
            signed = signed_headers(server.keys[0], "POST", target, f"localhost:{server.port}", date, body)
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            reply = client.post(target, headers=signed | form, content=body)
            active: bool = reply.raise_for_status().json()["active"]
            return active

        yield is_active
