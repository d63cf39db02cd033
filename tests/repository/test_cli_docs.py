"""docs/reference/cli.md: every command and option is there, and nothing that does not exist."""

import re
from base64 import b64encode
from collections.abc import Iterator

import click
import pytest

from tests.support.requirements import PROJECT
from watchword.cli.commands import watchword
from watchword.cli.setting_flags import flag_settings
from watchword.server import development

PAGE = (PROJECT / "docs/reference/cli.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `(watchword [a-z -]+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))

# Their options are all settings, which have a page of their own.
SERVERS = {"watchword dev", "watchword serve"}


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for child in command.commands.values():
        yield from leaves(child, f"{name} {child.name}")


COMMANDS = dict(leaves(watchword, "watchword"))


def flags(command: click.Command) -> set[str]:
    options = [each for each in command.params if isinstance(each, click.Option)]
    return {flag for option in options for flag in (*option.opts, *option.secondary_opts)}


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert list(SECTIONS) == list(COMMANDS), "in the order of `watchword --help`"


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - SERVERS))
def test_every_option_is_in_the_table_of_its_command(name: str) -> None:
    cells = re.findall(r"^\| (`-[^|]*) \|", SECTIONS[name], re.MULTILINE)
    assert {flag for cell in cells for flag in re.findall(r"`(-[^`]+)`", cell)} == flags(COMMANDS[name])


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_options_of_servers_are_the_settings(name: str) -> None:
    assert {parameter.name for parameter in COMMANDS[name].params} == {setting.name for setting in flag_settings()}
    assert "(settings.md)" in SECTIONS[name]


def test_every_flag_that_the_text_names_exists() -> None:
    known = {"--help", "-h", "--version"}.union(*map(flags, COMMANDS.values()))
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*(?=[`\s])", PAGE)) <= known


def test_every_option_explains_itself() -> None:
    for name, command in COMMANDS.items():
        assert command.help, name
        assert all(each.help for each in command.params if isinstance(each, click.Option)), name


def test_well_known_resource_and_keys_are_those_of_the_program() -> None:
    section = SECTIONS["watchword dev"]
    assert f"`{development.RESOURCE_ID}`" in section
    for key in (development.PRIMARY_KEY, development.SECONDARY_KEY):
        assert f"`{b64encode(key).decode()}`" in section
    connection_string = f"endpoint=https://localhost:8443/;accesskey={b64encode(development.PRIMARY_KEY).decode()}"
    assert connection_string in section
