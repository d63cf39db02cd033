"""Whoever calls a function names what it hands over, but for three arguments at the most."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.support.requirements import PROJECT

SOURCE = PROJECT / "src/watchword"
MOST = 3

EXCEPTIONS = {
    "http/connection.py:HttpProtocol.__init__": "uvicorn makes its protocols, and hands over four things by position",
}
"""Functions that somebody else calls, each with the reason."""


def crowded(source: str) -> Iterator[str]:
    """The functions that take more than three arguments by position; what a method is called on is none of them."""
    waiting: list[tuple[ast.AST, str, bool]] = [(ast.parse(source), "", False)]
    while waiting:
        node, prefix, is_class = waiting.pop()
        for each in ast.iter_child_nodes(node):
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                if _positional(each) - (is_class and not _is_static(each)) > MOST:
                    yield prefix + each.name
                waiting.append((each, f"{prefix}{each.name}.", False))
            elif isinstance(each, ast.ClassDef):
                waiting.append((each, f"{prefix}{each.name}.", True))
            else:
                waiting.append((each, prefix, is_class))


def _positional(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return len(function.args.posonlyargs) + len(function.args.args)


def _is_static(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in function.decorator_list)


def test_from_the_fourth_on_every_argument_is_named() -> None:
    found = {
        f"{path.relative_to(SOURCE).as_posix()}:{function}"
        for path in sorted(SOURCE.rglob("*.py"))
        for function in crowded(path.read_text("utf-8"))
    }
    assert found - EXCEPTIONS.keys() == set()
    assert EXCEPTIONS.keys() - found == set(), "these take fewer now"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def put(a, b, c, d): ...", ["put"]),
        ("def put(a, b, c, *, d): ...", []),
        ("class Store:\n    def put(self, a, b, c): ...", []),
        ("class Store:\n    async def put(self, a, b, c, d): ...", ["Store.put"]),
        ("class Store:\n    @staticmethod\n    def put(a, b, c, d): ...", ["Store.put"]),
        ("if True:\n    def put():\n        def inner(a, b, c, d, /): ...", ["put.inner"]),
    ],
)
def test_a_function_with_four_arguments_by_position_is_found_out(source: str, names: list[str]) -> None:
    assert list(crowded(source)) == names
