"""What is said of installing works before a release is published: from a clone or a wheel, never by the bare name."""

import re
from pathlib import Path

import pytest

from tests.support.requirements import PROJECT
from watchword.errors import how_to_install

PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").rglob("*.md"))]
SOURCES = sorted((PROJECT / "src").rglob("*.py"))

_BARE = re.compile(r"pip install (?![^\n]*--no-index)[^\n`]*(?<![./\w-])['\"]?watchword(?:\[|['\"\s`])")


@pytest.mark.parametrize("path", [*PAGES, *SOURCES], ids=lambda path: str(path.relative_to(PROJECT)))
def test_nobody_is_told_to_install_by_the_bare_name(path: Path) -> None:
    assert not _BARE.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("extra", ["server", "postgres", "otel"])
def test_a_remedy_names_a_clone_and_a_wheel(extra: str) -> None:
    told = how_to_install(extra)
    assert f"'.[{extra}]'" in told
    assert f"-py3-none-any.whl[{extra}]'" in told
