"""What holds for the command as a whole."""

import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

from tests.support.commands import Home, answer, run
from watchword.cli import main

# As if the server's packages were not installed.
BARE_INSTALL = """
import sys
sys.modules[{missing!r}] = None
from watchword.cli import main
main()
"""


def test_version_is_that_of_the_package(home: Home) -> None:
    assert answer(home, "--version") == f"watchword {version('watchword')}\n"


@pytest.mark.parametrize("missing", ["click", "httptools", "uvicorn"])
def test_bare_install_says_what_to_install(missing: str, home: Home) -> None:
    command = [sys.executable, "-c", BARE_INSTALL.format(missing=missing), "dev", "--port", "0"]
    result = subprocess.run(command, env=home.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "The command line comes with the server; install it with: pip install 'watchword[server]'"
    ]


def test_console_script_is_the_same_command() -> None:
    [script] = entry_points(group="console_scripts", name="watchword")
    assert script.load() is main


def test_wrong_usage_has_status_two_and_no_stack_trace(home: Home) -> None:
    for arguments in (["dev", "--bogus"], ["token", "issue"], ["identity", "show"], ["nonsense"]):
        result = run(home, *arguments)
        assert (result.returncode, result.stdout) == (2, "")
        assert "Usage: watchword" in result.stderr
