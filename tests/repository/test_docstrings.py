"""Docstrings have one form, and what they name is there: exceptions, modules, members and files."""

from __future__ import annotations

import ast
import builtins
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support.requirements import PROJECT

SOURCE = PROJECT / "src/watchword"
FOLDERS = (PROJECT / "src", PROJECT / "tests", PROJECT / "benchmarks")

RIDDLES = {
    "After", "As", "At", "Before", "Beneath", "Beside", "By", "For", "From", "In", "Not", "Of", "On", "To", "Under",
    "Until", "With", "Without",
}  # fmt: skip
"""With one of these before it, a sentence keeps its reader waiting for what it is about."""

ENTRY = re.compile(r"    (?:\w+\.)*[A-Z]\w*(?:, (?:\w+\.)*[A-Z]\w*)*: \S")
MORE = re.compile(r"        \S")

CONTRACT = {"calling.md", "chat.md", "identity.md", "surroundings.md"}
"""Documents of the contract, which stand outside the repository."""

NO_MODULES = {"watchword.requests"}
"""Names for `logging` that are no module's."""


@dataclass(frozen=True, slots=True)
class Docstring:
    """One docstring, without the indentation of its place; `where` leads to it."""

    where: str
    file: Path
    text: str


@cache
def trees() -> dict[Path, ast.Module]:
    files = [path for folder in FOLDERS for path in sorted(folder.rglob("*.py")) if "node_modules" not in path.parts]
    return {path: ast.parse(path.read_text("utf-8")) for path in files}


@cache
def docstrings() -> tuple[Docstring, ...]:
    return tuple(
        Docstring(f"{path.relative_to(PROJECT).as_posix()}:{getattr(node, 'name', '')}", path, text)
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if (text := ast.get_docstring(node))
    )


def in_source() -> list[Docstring]:
    return [each for each in docstrings() if each.file.is_relative_to(SOURCE)]


def raises_block(text: str) -> list[str] | None:
    """The lines under `Raises:`; None where they do not stand as tools read them."""
    lines = text.splitlines()
    if not any(re.match(r" *Raises\b", line) for line in lines):
        return []
    if lines.count("Raises:") != 1 or lines.index("Raises:") < 2 or lines[lines.index("Raises:") - 1]:
        return None
    block = lines[lines.index("Raises:") + 1 :]
    block = block[: block.index("")] if "" in block else block
    is_read = block and ENTRY.match(block[0]) and all(ENTRY.match(line) or MORE.match(line) for line in block)
    return block if is_read else None


def test_raises_follows_a_sentence_and_is_indented_so_that_tools_read_it() -> None:
    assert [each.where for each in docstrings() if raises_block(each.text) is None] == []


@pytest.mark.parametrize(
    "text",
    [
        "Raises:\n    NoScopes: it is empty.",
        "Reads.\n\nRaises:\nNoScopes: it is empty.",
        "Reads.\nRaises:\n    NoScopes: it is empty.",
        "Reads. Or\nRaises NoScopes.",
        "Reads.\n\nRaises:\n    when it is empty.",
    ],
)
def test_another_form_of_raises_is_found_out(text: str) -> None:
    assert raises_block(text) is None


def test_every_exception_that_is_told_is_there() -> None:
    told = {
        (each.where, name)
        for each in in_source()
        for line in raises_block(each.text) or ()
        if ENTRY.match(line)
        for name in line.strip().partition(":")[0].split(", ")
    }
    assert len(told) > 100
    known = {*classes(), *dir(builtins)}
    assert {(where, name) for where, name in told if name not in known and not _is_library(name)} == set()


def _is_library(name: str) -> bool:
    try:
        return "." in name and isinstance(pkgutil.resolve_name(name), type)
    except (ImportError, AttributeError):
        return False


def test_no_docstring_begins_with_a_riddle() -> None:
    """`Of a batch, the results` is read twice; `The results of a batch` once."""
    begun = [each.where for each in in_source() if each.text.split()[0] in RIDDLES]
    assert begun + [each.where for each in docstrings() if each.text.split()[0] == "Of"] == []


@cache
def classes() -> dict[str, set[str]]:
    """Every class of ours with what is told or set in it; two of one name are taken together."""
    found: dict[str, set[str]] = {}
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, set()).update(_members(node))
    return found


def _members(node: ast.ClassDef) -> Iterator[str]:
    for each in ast.walk(node):
        match each:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield each.name
            case ast.Attribute(value=ast.Name(id="self")):
                yield each.attr
            case ast.Name(ctx=ast.Store()):
                yield each.id


def is_stale(dotted: str) -> bool:
    """Whether it is a name of ours that leads nowhere; names of others are for others to keep."""
    first, *rest = dotted.removeprefix("watchword.").split(".")
    if dotted in NO_MODULES:
        return False
    if first in classes():
        return rest[0] not in classes()[first]
    place = SOURCE / first
    if not (place.is_dir() or place.with_suffix(".py").is_file()):
        return dotted.startswith("watchword.")
    for number, name in enumerate(rest):
        if (place / name).is_dir():
            place /= name
        elif (place / f"{name}.py").is_file():
            return not _holds(place / f"{name}.py", rest[number + 1 :])
        else:
            return not _holds(place / "__init__.py" if place.is_dir() else place.with_suffix(".py"), rest[number:])
    return False


def _holds(file: Path, names: list[str]) -> bool:
    if not names:
        return True
    return re.search(rf"\b{re.escape(names[0])}\b", file.read_text("utf-8")) is not None


def test_every_dotted_name_of_ours_leads_to_something() -> None:
    pattern = re.compile(r"`([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?:\(\))?`")
    named = {(each.where, name) for each in docstrings() for name in pattern.findall(each.text)}
    assert len(named) > 20
    assert sorted(where_and_name for where_and_name in named if is_stale(where_and_name[1])) == []


def test_a_stale_dotted_name_is_found_out() -> None:
    assert not is_stale("watchword.rest.doors.Doors")
    assert not is_stale("revocations.feed")
    assert not is_stale("Coalescer.submit")
    assert not is_stale("logging.shutdown")
    assert is_stale("watchword.rest.gates")
    assert is_stale("revocations.fodder")
    assert is_stale("Coalescer.admit")


def test_every_file_that_a_docstring_names_is_there() -> None:
    pattern = re.compile(r"(?<![\w./<>*{-])((?:[\w-]+/)*[\w-]+\.(?:py|md|sql|toml|svg))(?![\w.])")
    missing = []
    for each in docstrings():
        for name in pattern.findall(each.text):
            places = (PROJECT, SOURCE, PROJECT / "tests", each.file.parent, each.file.parent / "report")
            if name not in CONTRACT and not any((place / name).exists() for place in places):
                missing.append((each.where, name))
    assert missing == []
