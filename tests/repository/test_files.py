"""The repository's own rules on files: short, documented, locked, and free of anybody's machine."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.requirements import PROJECT

LONGEST = 300

# Files above the limit, each with the reason that nobody found a seam to split it at.
EXCEPTIONS: dict[str, str] = {}

SOURCE_FOLDERS = ("src", "tests", "benchmarks")
SOURCE_ENDINGS = {".py", ".sql", ".js", ".mjs", ".jsx", ".java", ".html", ".css"}
BUILT = {"node_modules", "__pycache__", "target", "built"}

# Where a machine's own folders would show: POSIX homes, macOS, Windows, file addresses.
MACHINE = re.compile(r"/home/\w|/Users/\w|/root/|[A-Za-z]:\\\\?Users|file://|^\s*-e\s", re.MULTILINE)
LOCKS = sorted(PROJECT.glob("requirements*.lock"))
NODE_FOLDERS = (
    "tests/sdk/js", "tests/browser/js", "tests/browser/ui", "examples/chat", "benchmarks/peers/oidc-provider",
)  # fmt: skip

REGISTRY = re.compile(r"https?://|--(extra-)?index-url|--find-links|^-[if]\s", re.MULTILINE)


def sources() -> Iterator[Path]:
    for folder in SOURCE_FOLDERS:
        for path in sorted((PROJECT / folder).rglob("*")):
            if path.suffix in SOURCE_ENDINGS and path.is_file() and BUILT.isdisjoint(path.parts):
                yield path


def modules() -> Iterator[Path]:
    return (path for path in sources() if path.suffix == ".py")


def packages() -> Iterator[Path]:
    return (path for path in modules() if path.name == "__init__.py" and "src" in path.parts)


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_source_file_is_longer_than_the_limit() -> None:
    long = {name(path): length(path) for path in sources() if length(path) > LONGEST and name(path) not in EXCEPTIONS}
    assert not long, "split these, or say in EXCEPTIONS why they cannot be"


def test_every_exception_to_the_limit_is_still_needed_and_has_a_reason() -> None:
    for path, reason in EXCEPTIONS.items():
        assert length(PROJECT / path) > LONGEST, f"{path} is short enough now"
        assert len(reason.split()) >= 3, f"{path} needs a reason in words"


def test_every_module_says_what_it_owns() -> None:
    assert not [name(path) for path in modules() if not docstring(path)]


def test_every_package_says_what_it_owns_in_one_to_six_lines() -> None:
    found = list(packages())
    assert found
    assert not {name(path): text for path in found if not 1 <= len((text := docstring(path) or "").splitlines()) <= 6}


def test_python_is_locked_in_one_format_only() -> None:
    assert {path.name for path in LOCKS} == {
        "requirements.lock",
        "requirements-dev.lock",
        "requirements-build.lock",
        "requirements-sdk-1.0.lock",
        "requirements-sdk-chat-1.0.lock",
        "requirements-sdk-chat-1.1.lock",
        "requirements-sdk-chat-1.2.lock",
        "requirements-bench.lock",
        "requirements-uv.lock",
    }
    assert not (PROJECT / "uv.lock").exists(), "uv.lock writes registry addresses down"


@pytest.mark.parametrize("lock", LOCKS, ids=name)
def test_every_locked_package_has_an_exact_version_and_a_hash(lock: Path) -> None:
    text = re.sub(r"(?m)#.*$", "", lock.read_text(encoding="utf-8")).replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip()]
    assert requirements
    assert not [line for line in requirements if not re.match(r"[\w.\-\[\]]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)]


@pytest.mark.parametrize("lock", LOCKS, ids=name)
def test_no_lock_names_a_registry_or_a_machine(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert not REGISTRY.search(text)
    assert not MACHINE.search(text)
    assert str(PROJECT) not in text


def test_the_runtime_lock_is_part_of_the_development_lock() -> None:
    def pins(lock: str) -> set[str]:
        return set(re.findall(r"(?m)^[\w.\-\[\]]+==\S+", (PROJECT / lock).read_text(encoding="utf-8")))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


@pytest.mark.parametrize("folder", NODE_FOLDERS)
def test_node_packages_are_locked_by_hash_and_without_a_registry(folder: str) -> None:
    lock = json.loads((PROJECT / folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert packages
    assert not [path for path, entry in packages.items() if "resolved" in entry]
    assert not [path for path, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")]


@pytest.mark.parametrize("path", ["pyproject.toml", "Makefile", ".ci/run", ".gitignore", "tests/sdk/js/package.json"])
def test_no_set_up_file_names_a_machine(path: str) -> None:
    text = (PROJECT / path).read_text(encoding="utf-8")
    assert not MACHINE.search(text)
    assert str(PROJECT) not in text


def test_sql_is_made_by_functions_with_named_arguments_and_never_of_templates() -> None:
    """A place that was lost in a template is filled with nothing, and nobody is told; so two locks changed places."""
    wrong = []
    for path in modules():
        if path.name != "statements.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (node.args.args or node.args.posonlyargs):
                wrong.append(f"{name(path)}: {node.name} takes arguments without their names")
            if isinstance(node, ast.Attribute) and node.attr in {"format", "format_map"}:
                wrong.append(f"{name(path)}:{node.lineno} fills a template")
    assert wrong == []
