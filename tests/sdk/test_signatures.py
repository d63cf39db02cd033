"""Requests of the official client that somebody changed on the way, or that come at another time than they say."""

import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tests.sdk.programs import Observation, run_lines, trusting_environment
from tests.support.servers import running_server
from watchword.testing import MovableClock, RunningServer

_PROGRAM = str(Path(__file__).with_name("python") / "tampering.py")


def _observe(server: RunningServer, bundles: Path) -> Mapping[str, Observation]:
    lines = run_lines([sys.executable, _PROGRAM], trusting_environment(server, bundles))
    return {seen.step: seen for seen in (msgspec.json.decode(line, type=Observation) for line in lines)}


@pytest.fixture(scope="module")
def steps(server: RunningServer, bundles: Path) -> Mapping[str, Observation]:
    """What the client saw of each change."""
    return _observe(server, bundles)


def _apart(step: timedelta, bundles: Path) -> Observation:
    """What a client sees whose clock is that far behind the server's."""
    clock = MovableClock()
    clock.move(step)
    with running_server(clock=clock) as server:
        return _observe(server, bundles)["nothing"]


def test_request_that_nobody_changed_is_answered(steps: Mapping[str, Observation]) -> None:
    assert steps["nothing"].error is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("body", "The x-ms-content-sha256 header is not the hash of the body that arrived."),
        ("body and hash", "The signature is not of any access key of this resource, "),
        ("path", "The signature is not of any access key of this resource, "),
        ("query", "The signature is not of any access key of this resource, "),
        ("date", "The signature is not of any access key of this resource, "),
    ],
)
def test_changed_request_is_denied(steps: Mapping[str, Observation], change: str, reason: str) -> None:
    seen = steps[change]
    assert (seen.status, seen.code, seen.error) == (401, "Denied", "ClientAuthenticationError")
    assert (seen.message or "").startswith(f"Denied by the resource provider. {reason}")


@pytest.mark.parametrize(("minutes", "words"), [(6, "behind"), (-6, "ahead of")])
def test_request_six_minutes_off_is_denied_and_told_so(minutes: int, words: str, bundles: Path) -> None:
    seen = _apart(timedelta(minutes=minutes), bundles)
    assert (seen.status, seen.code, seen.error) == (401, "Denied", "ClientAuthenticationError")
    assert f"{words} the server's clock, which is greater than the allowed margin of 5 minutes." in (seen.message or "")


@pytest.mark.parametrize("minutes", [4, -4])
def test_request_four_minutes_off_is_answered(minutes: int, bundles: Path) -> None:
    assert _apart(timedelta(minutes=minutes), bundles).error is None
