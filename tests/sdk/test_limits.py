"""Official clients at a rate limit: they wait as long as `Retry-After` says, and come through."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.sdk import test_javascript
from tests.sdk.programs import run_lines, trusting_environment
from tests.support.signed import SignedClient
from watchword.settings import Settings
from watchword.testing import running_server

_FOLDER = Path(__file__).parent
_COUNT = 5


def _python() -> Sequence[str]:
    return [sys.executable, str(_FOLDER / "python" / "create_many.py")]


def _javascript() -> Sequence[str]:
    return [test_javascript.PLAN.command()[0], str(_FOLDER / "js" / "create_many.mjs")]


@pytest.mark.parametrize("command", [_python, _javascript], ids=["python", "javascript"])
def test_official_client_waits_as_it_is_told_and_comes_through(
    command: Callable[[], Sequence[str]], tmp_path: Path
) -> None:
    with running_server(Settings(request_log=False, rate_limits=("create=3/1s",))) as server:
        environment = trusting_environment(server, tmp_path) | {"COUNT": str(_COUNT)}
        assert run_lines(command(), environment) == [str(_COUNT).encode()]
        with SignedClient(server) as client:
            assert len(client.listed()) == _COUNT
