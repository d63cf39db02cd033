"""The command `watchword` as people run it: a process of its own, with a home of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from tests.support.engines import DATABASES
from tests.support.tls import without_trust
from watchword.cli.commands import watchword
from watchword.cli.connection import VARIABLES
from watchword.settings import Settings

WATCHWORD = (sys.executable, "-m", "watchword")
IN_PROCESS = {
    "chat",
    "export",
    "group",
    "identity",
    "import",
    "keys",
    "migrate",
    "operator",
    "resource",
    "role",
    "token",
    "verifier",
}
_TIMEOUT_SECONDS = 60


@dataclass
class Home:
    """A user's home: what commands find in it, and what they leave behind in its folder for temporary files."""

    folder: Path
    in_process: bool = True
    """Whether `run` spares the commands of IN_PROCESS the half second of a new process' start."""

    @property
    def temporary(self) -> Path:
        path = self.folder / "temporary"
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def server_data(self) -> Path:
        return self.folder / "data" / "server"

    @property
    def announcements(self) -> list[Path]:
        return list((self.folder / "state" / "servers").glob("*"))

    def environment(self, **more: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in without_trust(os.environ).items()
            if not name.startswith("WATCHWORD_") and name not in VARIABLES
        }
        # A server takes a free port where a test names none: somebody may have a `watchword dev` of their own running.
        own = {
            "WATCHWORD_HOME": str(self.folder),
            "TMPDIR": str(self.temporary),
            "SHELL": "/bin/sh",
            "WATCHWORD_PORT": "0",
        }
        return kept | own | more


def run(
    home: Home, *arguments: str | Path, given: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command, to its end; `given` is its standard input."""
    command = [*map(str, arguments)]
    variables = home.environment(**(_database(home, command) | dict(environment or {})))
    if home.in_process and command[0] in IN_PROCESS:
        unset: dict[str, str | None] = {name: None for name in os.environ if name not in variables}
        result = CliRunner().invoke(watchword, command, input=given, env=unset | variables, catch_exceptions=False)
        return subprocess.CompletedProcess(command, result.exit_code, result.stdout, result.stderr)
    return subprocess.run(
        [*WATCHWORD, *command],
        input=given,
        env=variables,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )


def answer(home: Home, *arguments: str | Path, given: str = "", environment: Mapping[str, str] | None = None) -> str:
    """What the command prints; it has to succeed."""
    result = run(home, *arguments, given=given, environment=environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


def refusal(home: Home, *arguments: str | Path, given: str = "", environment: Mapping[str, str] | None = None) -> str:
    """What the command complains of; it has to fail with status 1, without a word on stdout and no stack trace."""
    result = run(home, *arguments, given=given, environment=environment)
    assert (result.returncode, result.stdout) == (1, ""), result
    assert "Traceback" not in result.stderr
    assert result.stderr.strip()
    return result.stderr


class Server:
    """A server in the foreground of its own process."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        start_up: str,
        home: Home,
        data: Path | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.process = process
        self.home = home
        self.start_up = start_up
        self.settings = settings or Settings()
        self.data = data or Path(self.fact("database").split(" (")[0]).parent
        self.log: list[str] = []
        assert process.stderr is not None
        self._reader = threading.Thread(target=self.log.extend, args=(process.stderr,), daemon=True)
        self._reader.start()

    def fact(self, name: str) -> str:
        match = re.search(rf"^  {name}  +(.*)$", self.start_up, re.MULTILINE)
        assert match, self.start_up
        return match[1]

    @property
    def endpoint(self) -> str:
        return self.fact("endpoint")

    @property
    def port(self) -> int:
        return int(self.endpoint.rpartition(":")[2])

    @property
    def connection_string(self) -> str:
        """The connection string of its oldest resource, which `serve` tells nobody who is no terminal."""
        return answer(self.home, "resource", "connection-string", "--data", self.data).strip()

    def new_operator(self) -> str:
        """The token of one that was not there before."""
        return answer(self.home, "operator", "create", "--name", "tests", "--data", self.data).strip()

    def stop(self, signal_number: int) -> tuple[int, list[str]]:
        """The exit status, and all that was written to standard error."""
        self.process.send_signal(signal_number)
        status = self.process.wait(_TIMEOUT_SECONDS)
        self._reader.join(_TIMEOUT_SECONDS)
        return status, self.log


@contextmanager
def server(
    home: Home,
    mode: str,
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    under: Sequence[str] = (),
    descriptors: Sequence[int] = (),
) -> Iterator[Server]:
    """`watchword dev` or `watchword serve` on a free port, until the block ends; `under` is a program that runs it, and
    `descriptors` stay open for it.
    """
    command = [mode, "--port", "0", *map(str, arguments)]
    variables = home.environment(**(_database(home, command) | dict(environment or {})))
    process = subprocess.Popen(
        [*under, *WATCHWORD, *command],
        pass_fds=descriptors,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stdout, process.stderr:
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Next,"):
                break
        else:
            raise AssertionError(process.stderr.read())
        try:
            settings = Settings(database=variables.get("WATCHWORD_DATABASE", ""))
            yield Server(process, "".join(lines), home, _data(home, command), settings)
        finally:
            if process.poll() is None:
                process.terminate()
                assert process.wait(_TIMEOUT_SECONDS) == 0


def _data(home: Home, command: Sequence[str]) -> Path | None:
    """The data folder of a command; None of one that makes its own, for as long as it runs."""
    if "--data" in command:
        return Path(command[command.index("--data") + 1])
    return None if command[0] in ("dev", "quickstart") else home.server_data


def _database(home: Home, command: Sequence[str]) -> dict[str, str]:
    """`watchword dev` and all that is made of it are SQLite's alone."""
    address = "" if command[0] in ("dev", "quickstart") else DATABASES.address(_data(home, command))
    return {"WATCHWORD_DATABASE": address} if address else {}
