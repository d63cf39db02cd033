"""What docs/howto/use-in-ci.md shows runs: its fixtures and tests in a pytest of their own, its commands in a shell."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.requirements import PROJECT, require

PAGE = (PROJECT / "docs/howto/use-in-ci.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_fixtures_and_the_tests_that_use_them_pass(tmp_path: Path) -> None:
    conftest, tests = blocks("python")
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    (tmp_path / "test_tokens.py").write_text(tests, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{tests.count('def test_')} passed" in result.stdout


def test_the_commands_start_a_server_and_prepare_the_shell(tmp_path: Path) -> None:
    require("bash", "the page's commands are for a shell")
    [commands] = blocks("sh")
    folder = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": os.pathsep.join([folder, os.environ["PATH"]]),
        "WATCHWORD_HOME": str(tmp_path / "home"),
        "SHELL": "/bin/sh",
    }
    program = 'trap "kill $server; wait $server" EXIT\nwatchword identity create --json\n'
    shell = subprocess.run(
        ["bash", "-euc", commands + program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert shell.returncode == 0, shell.stdout + shell.stderr
    assert '"8:acs:dededede-dede-4ede-8ede-dededededede_' in shell.stdout
