"""What holds for the command as a whole."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.support.commands import Home, answer, run
from watchword.cli import main
from watchword.cli.commands import watchword
from watchword.cli.help_pages import COMMAND_GROUPS, EXAMPLES, SETTING_GROUPS
from watchword.cli.setting_flags import flag_settings


def _leaves(group: click.Group, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _leaves(command, *words, name)
        else:
            yield (*words, name), command


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
    wheel = f"watchword-{version('watchword')}-py3-none-any.whl"
    clone, from_wheel = "pip install '.[server]'", f"pip install './{wheel}[server]'"
    remedy = f"Install it in a clone with: {clone}, or from a wheel with: {from_wheel}"
    assert result.stderr == f"The command line comes with the server. {remedy}\n"


def test_console_script_is_the_same_command() -> None:
    [script] = entry_points(group="console_scripts", name="watchword")
    assert script.load() is main


def test_wrong_usage_has_status_two_and_no_stack_trace(home: Home) -> None:
    for arguments in (["dev", "--bogus"], ["token", "issue"], ["identity", "show"], ["nonsense"]):
        result = run(home, *arguments)
        assert (result.returncode, result.stdout) == (2, "")
        assert "Usage: watchword" in result.stderr


COMMANDS = {" ".join(words): command for words, command in _leaves(watchword)}


@pytest.mark.parametrize("words", COMMANDS)
def test_help_of_every_command_has_an_example_that_names_it_and_its_own_options(words: str) -> None:
    examples = EXAMPLES[words]
    shown = CliRunner().invoke(watchword, [*words.split(), "--help"], prog_name="watchword").stdout
    options = {flag for each in COMMANDS[words].params if isinstance(each, click.Option) for flag in each.opts}
    for example in examples:
        assert f"  {example}\n" in shown
        assert f"watchword {words}" in example
        assert set(re.findall(r"(?<![\w-])--(?!no-)[a-z-]+", example)) <= options


def test_help_lists_every_command_and_every_setting_in_one_group() -> None:
    assert sorted(name for names in COMMAND_GROUPS.values() for name in names) == sorted(watchword.commands)
    grouped = [name for names in SETTING_GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(setting.name for setting in flag_settings())
    shown = CliRunner().invoke(watchword, ["--help"]).stdout
    assert [heading for heading in COMMAND_GROUPS if f"{heading}:" in shown] == list(COMMAND_GROUPS)
    assert "Others" not in shown


def _groups(group: click.Group, *words: str) -> Iterator[tuple[str, ...]]:
    yield words
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _groups(command, *words, name)


@pytest.mark.parametrize("words", [*_groups(watchword)], ids=" ".join)
def test_help_of_a_group_cuts_no_sentence_off_on_80_columns(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(watchword, [*words, "--help"], terminal_width=80).stdout
    assert not re.findall(r".*\w\.\.\.$", shown, re.MULTILINE)


def test_dev_and_serve_each_show_the_settings_that_are_theirs() -> None:
    of_dev, of_serve = (
        " ".join(CliRunner().invoke(watchword, [mode, "--help"]).stdout.split()) for mode in ("dev", "serve")
    )
    assert "--entra " in of_dev
    assert "--entra " not in of_serve
    assert "--database-pool" in of_serve
    assert "--database-pool" not in of_dev
    assert "default 3600" in of_dev
    assert "default 90000" in of_serve
    assert "[ES256|RS256|EdDSA]" in of_serve


def test_ctrl_c_ends_a_command_with_status_130_and_no_stack_trace(home: Home, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = ["-c", "from watchword.cli import main; main()", "token", "inspect", "--token-file", str(pipe)]
    with subprocess.Popen(
        [sys.executable, *command], env=home.environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        # It waits for the secret from here on: opening the pipe waits for a reader.
        with pipe.open("w", encoding="ascii"):
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            said = process.stderr.read()
        assert process.wait(60) == 130
    assert said == "watchword: Interrupted.\n"
