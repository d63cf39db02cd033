"""Programs in the languages of the official clients: how one is started, and what it saw.

    {"step": "get_token chat 60", "token": "eyJ...", "expires": "2026-11-21T02:14:27.7233445+00:00"}
    {"step": "get_token chat 59", "error": "RestError", "status": 400, "code": "ValidationError", "message": "..."}

A program takes its connection strings, scopes and lifetimes from the environment, and prints such a line for each step.
"""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.support.tls import without_trust
from watchword.cli.environment import build_environment
from watchword.testing import RunningServer
from watchword.wire.connection_string import ConnectionString

FIRST_SCOPES = ("chat", "voip")
ALL_SCOPES = ("chat", "voip", "chat.join", "chat.join.limited", "voip.join")
ALLOWED_MINUTES = (60, 1440)
REFUSED_MINUTES = (59, 1441)

_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Plan:
    """A client in one of its ways of use: its program, what it may ask for, and how it names an error by status."""

    name: str
    command: Callable[[], Sequence[str]] = field(repr=False)
    errors: Mapping[int, frozenset[str]] = field(repr=False, hash=False)
    scopes: tuple[str, ...] = ALL_SCOPES
    minutes: tuple[int, ...] = ALLOWED_MINUTES + REFUSED_MINUTES

    def __str__(self) -> str:
        return self.name

    @property
    def scope_sets(self) -> list[tuple[str, ...]]:
        """Each alone, and all together."""
        return [*((scope,) for scope in self.scopes), self.scopes]


class Observation(msgspec.Struct, frozen=True):
    """What one step gave: an identity, a token, both or neither; or the client's own error."""

    step: str
    id: str | None = None
    token: str | None = None
    expires: str | None = None
    error: str | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Run:
    """All that a program saw between two moments."""

    plan: Plan
    began: datetime
    ended: datetime
    steps: Mapping[str, Observation]

    def success(self, step: str) -> Observation:
        seen = self.steps[step]
        assert seen.error is None, seen
        return seen

    def refusal(self, step: str) -> tuple[int | None, str | None, str | None]:
        """Status, code and message, of an error that is of the client's own class for that status."""
        seen = self.steps[step]
        assert seen.status is not None, f"not refused: {seen}"
        assert seen.error in self.plan.errors[seen.status]
        return seen.status, seen.code, seen.message

    def tokens(self, words: str) -> list[Observation]:
        """The tokens of both ways to get one for these scopes, and minutes if any."""
        seen = [self.success(f"{step} {words}") for step in ("create_user_and_token", "get_token")]
        assert all(each.token for each in seen)
        return seen


def trusting_environment(server: RunningServer, bundles: Path) -> dict[str, str]:
    """This machine's environment with what `watchword env` prints, and without any trust of its own."""
    current = without_trust() | {"NO_PROXY": "localhost", "no_proxy": "localhost"}
    assert server.ca_file is not None
    return current | build_environment(server.connection_string, server.ca_file, bundles, current=current).variables


def run_lines(command: Sequence[str], environment: Mapping[str, str]) -> list[bytes]:
    """What the program prints; it has to succeed."""
    result = subprocess.run(
        [*command], env=dict(environment), capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
    )
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.splitlines()


def run_plan(plan: Plan, server: RunningServer, environment: Mapping[str, str], through: Sequence[str] = ()) -> Run:
    """Carry out the plan against the server; `through` is a command that starts the program given after it."""
    given = {
        "SECONDARY_CONNECTION_STRING": server.secondary_connection_string,
        "WRONG_KEY_CONNECTION_STRING": str(ConnectionString(server.endpoint, bytes(64))),
        "SCOPES": ",".join(plan.scopes),
        "MINUTES": ",".join(map(str, plan.minutes)),
    }
    command = [*through, *plan.command()]
    began = datetime.now(UTC)
    seen = [msgspec.json.decode(line, type=Observation) for line in run_lines(command, {**environment, **given})]
    return Run(plan, began, datetime.now(UTC), {each.step: each for each in seen})
