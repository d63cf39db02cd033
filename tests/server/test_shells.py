"""Real shells read back what was written for them."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.requirements import require
from tests.support.shells import evaluate
from watchword.server.shells import Shell, format_lines, guess_shell

STRANGE_VALUES = {
    "A_QUOTED": """it's a "path" with \\ and \\' and `x` $HOME $(id) ; # %PATH% !""",
    "A_LINES": "one\ntwo",
    "A_BLANKS": "  two  blanks  ",
    "A_EMPTY": "",
    "A_UNICODE": "zoë \u2018quoted\u2019 東京",
}


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_sh_reads_the_values_back(shell: str) -> None:
    require(shell, f"{shell} evaluates the lines")
    lines = format_lines(STRANGE_VALUES, Shell.SH)
    values = evaluate([shell, "-c", 'eval "$1"; exec env -0', "sh", lines.rstrip("\n")], os.environ)
    assert {name: values[name] for name in STRANGE_VALUES} == STRANGE_VALUES


@pytest.mark.parametrize("script", ["printf %s $argv[1] | source; env -0", "eval $argv[1]; env -0"])
def test_fish_reads_the_values_back(script: str, tmp_path: Path) -> None:
    require("fish", "fish evaluates the lines")
    lines = format_lines(STRANGE_VALUES, Shell.FISH)
    values = evaluate(["fish", "--no-config", "-c", script, lines], {**os.environ, "HOME": str(tmp_path)})
    assert {name: values[name] for name in STRANGE_VALUES} == STRANGE_VALUES


def test_fish_reads_lines_that_it_has_split_at_their_ends(tmp_path: Path) -> None:
    require("fish", "fish evaluates the lines")
    variables = {"A_ONE": "it's", "A_TWO": "a \\ b"}
    script = "eval (printf %s $argv[1]); env -0"
    values = evaluate(
        ["fish", "--no-config", "-c", script, format_lines(variables, Shell.FISH)],
        {**os.environ, "HOME": str(tmp_path)},
    )
    assert {name: values[name] for name in variables} == variables


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is optional: few systems have a package of it")
def test_powershell_reads_the_values_back() -> None:
    lines = format_lines({**STRANGE_VALUES, "A_EMPTY": "x"}, Shell.POWERSHELL)
    script = f"{lines}\n/usr/bin/env -0"
    values = evaluate(["pwsh", "-NoProfile", "-Command", script], os.environ)
    assert values["A_QUOTED"] == STRANGE_VALUES["A_QUOTED"]


def test_powershell_quotes_are_doubled_in_all_their_forms() -> None:
    assert (
        format_lines({"A": "it's \u2018so\u2019 $x"}, Shell.POWERSHELL)
        == "$env:A = 'it''s \u2018\u2018so\u2019\u2019 $x'\n"
    )


@pytest.mark.parametrize(
    ("login_shell", "platform", "expected"),
    [
        ("/bin/bash", "linux", Shell.SH),
        ("/bin/zsh", "darwin", Shell.SH),
        ("/usr/bin/fish", "linux", Shell.FISH),
        ("/usr/bin/pwsh", "linux", Shell.POWERSHELL),
        ("C:\\Program Files\\Git\\bin\\bash.exe", "win32", Shell.SH),
        ("", "win32", Shell.POWERSHELL),
        ("", "linux", Shell.SH),
    ],
)
def test_shell_is_guessed(login_shell: str, platform: str, expected: Shell) -> None:
    assert guess_shell({"SHELL": login_shell}, platform) is expected
