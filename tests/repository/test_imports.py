"""The contracts of imports: nothing is left out of them, and nothing ignored in them."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.requirements import PROJECT

SERVICES = ("identity", "verification", "management", "entra", "chat", "calling")

SPEAKING = {
    "operations": "where the wire meets the rules",
    "opening": "puts a service together",
    "chat.moderator": "a webhook, which is asked over the network",
    "entra.authenticator": "tokens of an OpenID provider come in headers",
    "entra.development": "an OpenID provider, which is itself a server",
    "entra.remote_issuer": "its keys come over the network",
}
"""What of a service is no rule, by the end of its name, each with the reason."""

NAMED = {
    "watchword.client": "the name of a logger",
    "watchword.server.worker": "a program of its own, which the supervisor starts",
    "watchword.server.writer": "a program of its own, which the supervisor starts",
    "watchword.storage": "the package whose files are the schema",
}
"""Modules that a string names, which is no import, each with the reason."""


def contracts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
    return found


def _modules(service: str) -> set[str]:
    folder = PROJECT / "src/watchword" / service
    return {f"watchword.{service}.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"}


def test_every_module_of_a_service_is_a_rule_or_says_why_not() -> None:
    [contract] = [each for each in contracts() if each["name"].startswith("Rules know")]
    every = {module for service in SERVICES for module in _modules(service)}
    rules = {module for module in every if not module.endswith(tuple(SPEAKING))}
    assert {each for each in contract["source_modules"] if each.count(".") > 1} == rules


def test_every_file_of_operations_is_kept_from_storage() -> None:
    [contract] = [each for each in contracts() if each["name"].startswith("Operations never")]
    every = {module for service in SERVICES for module in _modules(service) if module.endswith("operations")}
    listed = {each for each in contract["source_modules"] if "*" not in each}
    assert {module for module in every if not module.endswith(".operations")} == listed


def test_no_contract_ignores_an_import() -> None:
    assert [each["name"] for each in contracts() if "ignore_imports" in each] == []


def test_no_import_is_left_out_of_the_contracts_for_being_of_types_only() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    assert settings.keys() == {"root_package", "include_external_packages", "contracts"}


def test_no_module_of_ours_is_imported_by_a_name_in_a_string() -> None:
    """It would be an arrow that no contract sees."""
    hidden = [
        f"{path.relative_to(PROJECT)}:{node.lineno}"
        for path, node in _nodes()
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"import_module", "__import__"}
    ]
    assert hidden == []


def test_only_what_is_told_here_is_named_by_a_string() -> None:
    """`python -m` is no import: what is started so is another program, which is told everything in its orders."""
    named = {
        node.value
        for _, node in _nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_module(node.value)
    }
    assert named == NAMED.keys()


def _nodes() -> Iterator[tuple[Path, ast.AST]]:
    for path in sorted((PROJECT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            yield path, node


def _is_module(text: str) -> bool:
    path = PROJECT / "src" / text.replace(".", "/")
    return text.startswith("watchword.") and (path.is_dir() or path.with_suffix(".py").is_file())
