"""Every hot statement of the program, found where it stands, so that a new one cannot escape what is asked of all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import watchword
from watchword.storage import Statement

SOURCE = Path(watchword.__file__).parent


def hot_statements() -> dict[Statement, str]:
    """Each with the first name by which a module knows it."""
    found: dict[Statement, str] = {}
    for module in walk_packages(watchword.__path__, "watchword."):
        if not module.name.endswith("__main__"):
            for name, value in vars(import_module(module.name)).items():
                for statement, place in _within(value, f"{module.name}.{name}"):
                    found.setdefault(statement, place)
    return found


def writing_statements() -> dict[Statement, str]:
    """Those of them that do more than look."""
    return {
        statement: name
        for statement, name in hot_statements().items()
        if not all(sql.strip().startswith("select") for sql in statement.sqlite)
    }


def made_in_functions() -> list[str]:
    """Where a statement is made while the program runs, which nobody finds by looking at modules."""
    return sorted(
        f"{path.relative_to(SOURCE)}: {function.name}"
        for path in SOURCE.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        if any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Statement"
            for node in ast.walk(function)
        )
    )


def _within(value: object, place: str) -> Iterator[tuple[Statement, str]]:
    if isinstance(value, Statement):
        yield value, place
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _within(each, f"{place}[{key!r}]")
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _within(each, f"{place}[...]")
    elif isinstance(value, type) and value.__module__.startswith("watchword."):
        for name, each in vars(value).items():
            if isinstance(each, Statement | dict | list | tuple):
                yield from _within(each, f"{place}.{name}")
