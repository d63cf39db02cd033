"""The official JavaScript client, which signs a percent-encoded path and repeats a request with its old signature."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.sdk.contract import IdentityContract, LifetimeContract, TeamsContract
from tests.sdk.programs import Plan
from tests.support.requirements import require

_FOLDER = Path(__file__).with_name("js")


def _command() -> Sequence[str]:
    require("node", "Node.js runs the official JavaScript client")
    require((_FOLDER / "node_modules" / ".ready").is_file(), "`make test` installs the official JavaScript client")
    return ["node", str(_FOLDER / "scenario.mjs")]


PLAN = Plan("javascript", _command, dict.fromkeys((400, 401, 404, 501), frozenset({"RestError"})))


@pytest.mark.parametrize("plan", [PLAN], ids=str)
class TestJavaScript(IdentityContract, LifetimeContract, TeamsContract):
    """The api-version that the client asks for by itself."""
