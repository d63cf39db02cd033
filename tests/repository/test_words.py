"""One word a thing: a name that was given up does not come back beside the one that is kept."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.support.requirements import PROJECT

SOURCE = PROJECT / "src/watchword"

GIVEN_UP = {
    "worker": "process",
    "Worker": "Process",
    "Count": "Tally",
    "flight": "batch",
    "flights": "batches",
    "crowd": "batch",
}
"""Words for a record, a count and what is coalesced, each with the one that is kept."""


def names(source: str) -> Iterator[str]:
    """What the source gives a name of its own: classes, functions, arguments, variables, members."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Attribute(attr=name) | ast.Name(id=name):
                yield name


def given_up(source: str) -> set[str]:
    found = {name.strip("_") for name in names(source)}
    return {each for each in found if each in GIVEN_UP or each.removeprefix("most_") in GIVEN_UP}


def test_no_name_is_one_that_was_given_up() -> None:
    found = {
        (path.relative_to(SOURCE).as_posix(), name)
        for path in sorted(SOURCE.rglob("*.py"))
        for name in given_up(path.read_text("utf-8"))
    }
    assert found == set(), GIVEN_UP


@pytest.mark.parametrize(
    "source", ["def open(worker): ...", "class Worker: ...", "self._flights = 1", "most_flights = 1"]
)
def test_a_name_that_was_given_up_is_found_out(source: str) -> None:
    assert given_up(source)
