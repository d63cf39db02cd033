"""Names that the pages and docstrings tell exist: modules and what is in them, commands, flags, variables and files."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from tests.support.requirements import PROJECT
from watchword.cli.commands import watchword
from watchword.settings import PREFIX, Settings

SOURCES = sorted((PROJECT / "src/watchword").rglob("*.py"))
# What was true of earlier versions stays there.
PAGES = sorted({*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")} - {PROJECT / "CHANGELOG.md"})
TEXTS = [*PAGES, *(path for path in (PROJECT / "deploy").rglob("*") if path.is_file())]
LOGGERS = {"watchword.client", "watchword.requests"}
"""Names for `logging`, one of which is no module's."""

NO_MODULES = {
    "watchword.api_version", "watchword.default", "watchword.default.svc", "watchword.internal", "watchword.log",
    "watchword.operation", "watchword.request_id", "watchword.rules.yml", "watchword.service", "watchword.socket",
    "watchword.sqlite",
}  # fmt: skip
"""Attributes of spans, hosts and files."""

VARIABLES = {f"{PREFIX}{setting.name.upper()}" for setting in fields(Settings)} | {
    "WATCHWORD_HOME", "WATCHWORD_SERVICE_HOST", "WATCHWORD_OPERATOR_ENDPOINT", "WATCHWORD_SHARED",
    "WATCHWORD_TEST_ENGINE", "WATCHWORD_SOAK_ROUNDS",
}  # fmt: skip


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def code_of(path: Path) -> str:
    """What is set as code, a line for each piece."""
    text = path.read_text(encoding="utf-8")
    pieces = re.findall(r"^```\w*\n(.*?)^```|^    (.*?)$|`([^`\n]+)`", text, re.DOTALL | re.MULTILINE)
    return "\n".join("".join(groups) for groups in pieces)


def docstrings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def dotted(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w/.@-])watchword(?:\.[A-Za-z_]\w*)+(?![\w-])", text)) - LOGGERS - NO_MODULES


def resolves(dotted_name: str) -> bool:
    parts = dotted_name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            known = getattr(found, "__dataclass_fields__", {}) | getattr(found, "__annotations__", {})
            if part in known:
                return True
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("path", [*PAGES, *SOURCES], ids=name)
def test_every_dotted_name_leads_to_something(path: Path) -> None:
    texts = docstrings(path) if path.suffix == ".py" else [code_of(path)]
    assert not [each for text in texts for each in sorted(dotted(text)) if not resolves(each)]


def commands(text: str) -> Iterator[list[str]]:
    """The words after `watchword` of every line that runs it, comments and what comes after a pipe left out."""
    inside = text.replace("exec watchword watchword", "watchword").replace("deploy/watchword -- watchword", "watchword")
    for line in inside.replace("\\\n", " ").splitlines():
        found = re.search(r"(?:^|[\s\"(/])watchword ((?:-|[a-z])[^|;&)#]*)", line)
        if found:
            try:
                yield shlex.split(found[1].rstrip('"`'))
            except ValueError:
                yield found[1].split()


def of_command(words: list[str]) -> tuple[click.Command | None, list[str]]:
    command: click.Command | None = watchword
    for number, word in enumerate(words):
        if not isinstance(command, click.Group):
            return command, words[number:]
        if word.startswith("-"):
            return command, words[number:]
        command = command.commands.get(word)
    return command, []


def flags_of(command: click.Command) -> set[str]:
    options = [each for each in command.params if isinstance(each, click.Option)]
    return {flag for option in options for flag in (*option.opts, *option.secondary_opts)} | {
        "--help",
        "-h",
        "--version",
    }


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_every_command_that_is_run_takes_the_flags_that_it_is_given(path: Path) -> None:
    text = code_of(path) if path.suffix == ".md" else path.read_text(encoding="utf-8")
    wrong = []
    for words in commands(text):
        command, rest = of_command(words)
        if command is None or isinstance(command, click.Group):
            continue
        given = {word.partition("=")[0] for word in rest if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word)}
        wrong += [f"{command.name} {flag}" for flag in sorted(given - flags_of(command))]
    assert not wrong


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_every_variable_of_ours_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    told = set(re.findall(r"(?<![A-Z_])WATCHWORD_[A-Z_]*[A-Z](?![A-Z_])", text))
    assert not {each for each in told - VARIABLES if not re.search(r"WATCHWORD_COMPLETE|_SERVICE_|_PORT_", each)}


def test_every_target_of_make_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = {(name(page), word) for page in PAGES for word in re.findall(r"\bmake ([a-z][a-z-]*)", code_of(page))}
    assert len(told) > 10
    assert not {each for each in told if each[1] not in targets}


def test_the_table_of_contributing_names_files_that_are_there() -> None:
    page = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:an?|the) .*$", page, re.MULTILINE)
    named = {path for row in rows for path in re.findall(r"`([\w<>./-]+(?:\.py|\.md|\.toml|/))`", row)}
    assert len(named) > 20
    places = (PROJECT, PROJECT / "src/watchword")
    missing = [
        path
        for path in sorted(named)
        if not any(list(place.glob(re.sub(r"<\w+>", "*", path).rstrip("/"))) for place in places)
    ]
    assert not missing
