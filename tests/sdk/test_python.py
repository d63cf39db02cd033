"""The official Python client, newest and oldest, in both of its kinds and every api-version that it knows."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from azure.communication.identity._api_versions import ApiVersion

from tests.sdk.contract import IdentityContract, LifetimeContract, TeamsContract
from tests.sdk.programs import ALL_SCOPES, FIRST_SCOPES, Plan
from tests.support.requirements import PROJECT, require

KINDS = ("sync", "aio")
ERRORS = {
    400: frozenset({"HttpResponseError"}),
    401: frozenset({"ClientAuthenticationError"}),
    404: frozenset({"ResourceNotFoundError"}),
    501: frozenset({"HttpResponseError"}),
}
_PROGRAM = str(Path(__file__).with_name("python") / "scenario.py")
_OLDEST = PROJECT / ".venv-sdk-1.0" / "bin" / "python"


def _newest(*arguments: str) -> Callable[[], Sequence[str]]:
    return lambda: [sys.executable, _PROGRAM, *arguments]


def _oldest(kind: str) -> Callable[[], Sequence[str]]:
    def command() -> Sequence[str]:
        if sys.version_info >= (3, 13):
            pytest.skip("version 1.0.0 of the client does not run on Python 3.13 and newer")
        require(_OLDEST.is_file(), "`make test` installs version 1.0.0 of the client")
        return [str(_OLDEST), _PROGRAM, kind]

    return command


def _plan(kind: str, version: str) -> Plan:
    return Plan(
        f"{kind}-{version}",
        _newest(kind, version),
        ERRORS,
        scopes=ALL_SCOPES if version >= "2023-10-01" else FIRST_SCOPES,
        minutes=Plan.minutes if version >= "2022-10-01" else (),
    )


VERSIONS = [version.value for version in ApiVersion]
NEWEST = {(kind, version): _plan(kind, version) for version in VERSIONS for kind in KINDS}
OLDEST = [Plan(f"{kind}-1.0.0", _oldest(kind), ERRORS, FIRST_SCOPES, ()) for kind in KINDS]


def _since(first: str) -> list[Plan]:
    return [plan for (_, version), plan in NEWEST.items() if version >= first]


@pytest.mark.parametrize("plan", [*NEWEST.values(), *OLDEST], ids=str)
class TestIdentities(IdentityContract):
    """Every api-version of the newest client, and the oldest client."""


@pytest.mark.parametrize("plan", _since("2022-10-01"), ids=str)
class TestLifetimes(LifetimeContract):
    """The newest client, where lifetimes are known."""


@pytest.mark.parametrize("plan", _since("2022-06-01"), ids=str)
class TestTeams(TeamsContract):
    """The newest client, where it knows the exchange."""


def test_every_api_version_of_the_client_is_tried() -> None:
    assert VERSIONS == ["2021-03-07", "2022-06-01", "2022-10-01", "2023-10-01"]
