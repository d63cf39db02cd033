"""The pages hang together: links lead somewhere, what they name exists, and every page can be found."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.support.requirements import PROJECT
from watchword.cli.commands import watchword
from watchword.storage.schema import schema_files

PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
DECISIONS = sorted((PROJECT / "docs/decisions").glob("[0-9]*.md"))
ARCHITECTURE = PROJECT / "docs/architecture.md"
TERMS = [
    "resource group", "resource", "endpoint", "connection string", "access key", "identity", "access token", "scope",
    "lifetime", "revocation", "signing key", "key set (JWKS)", "issuer", "verifier", "thread", "operator",
    "data directory", "operation", "api-version",
]  # fmt: skip


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose_of(path: Path) -> str:
    """Without code, which may hold anything."""
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text_of(path), flags=re.DOTALL | re.MULTILINE)


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Every relative link: the file it leads to, and the heading there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if not re.match(r"[a-z]+:", target):
            file, _, heading = target.partition("#")
            yield (page.parent / file).resolve() if file else page, heading


def anchors(page: Path) -> set[str]:
    """As the usual renderers make them: lower case, blanks to hyphens, all other signs dropped."""
    without_code = re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    found = list(links(page))
    assert not {name(target) for target, _ in found if not target.exists()}
    assert not [(name(target), heading) for target, heading in found if heading and heading not in anchors(target)]


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page.suffix == ".md" and page.exists() and page not in reached:
            reached.add(page)
            waiting += [target for target, _ in links(page)]
    lonely = [name(page) for page in PAGES if page not in reached]
    assert not lonely, "link these from docs/README.md"


def test_every_page_has_one_title() -> None:
    for page in PAGES:
        without_code = re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
        assert len(re.findall(r"^# ", without_code, re.MULTILINE)) == 1, name(page)


def test_every_command_that_a_page_shows_is_there() -> None:
    unknown = []
    for page in PAGES:
        code = "\n".join(re.findall(r"^```.*?^```|`[^`\n]+`", text_of(page), re.DOTALL | re.MULTILINE))
        # A container of that name runs the command of that name.
        code = code.replace("exec watchword watchword", "watchword")
        for words in re.findall(r"(?:^|[\s`/(])watchword((?: [a-z][a-z-]*)+)", code, re.MULTILINE):
            command: click.Command | None = watchword
            for word in words.split():
                if not isinstance(command, click.Group):
                    break
                command = command.commands.get(word)
            if command is None:
                unknown.append(f"{name(page)}: watchword{words}")
    assert not unknown


def shown_commands(page: Path) -> Iterator[tuple[str, click.Command, list[str]]]:
    """Each command that a page shows with what is typed after it, up to what is the shell's."""
    for code in re.findall(r"^```.*?^```|`[^`\n]+`|^ {4}.+$", text_of(page), re.DOTALL | re.MULTILINE):
        joined = code.replace("\\\n", " ").replace("exec watchword watchword", "watchword")
        joined = re.sub(r"<[\w ]+>", "PLACEHOLDER", joined)
        for line in re.findall(r"(?:^|[\s`/(])watchword ([a-z][^\n`]*)", joined, re.MULTILINE):
            command: click.Command = watchword
            words = re.split(r"[|><;&#)\"]| {2}|\.\.\.$", line)[0].split()
            while words and isinstance(command, click.Group) and words[0] in command.commands:
                command = command.commands[words.pop(0)]
            if not isinstance(command, click.Group):
                yield f"{name(page)}: watchword {line}", command, words


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name)
def test_every_flag_and_argument_of_a_command_that_a_page_shows_is_one_of_its_own(page: Path) -> None:
    unknown = []
    for shown, command, words in shown_commands(page):
        options = {
            flag: each
            for each in command.params
            if isinstance(each, click.Option)
            for flag in (*each.opts, *each.secondary_opts)
        }
        known = {"--help", "-h", *options}
        given = [word.partition("=")[0].strip("[]") for word in words if re.match(r"\[?--?[a-z]", word)]
        takes_arguments = any(isinstance(each, click.Argument) for each in command.params)
        if not set(given) <= known or (words and not takes_arguments and not re.match(r"\[?-", words[0])):
            unknown.append(shown)
    assert not unknown


def test_the_schema_versions_that_pages_show_are_those_of_an_upgrade_to_this_release() -> None:
    newest = schema_files()[-1]
    upgrade, commands = (text_of(PROJECT / "docs" / page) for page in ("howto/upgrade.md", "reference/cli.md"))
    assert f"schema  version {newest.version - 1} of {newest.version}: " in upgrade
    assert f"schema  version {newest.version}, migrated from {newest.version - 1}; " in upgrade
    assert f"has schema version {newest.version - 1}; this program's is {newest.version}." in commands
    assert f"{newest.name}  {newest.purpose}" in commands


def test_every_path_that_the_architecture_names_is_there() -> None:
    named = set(re.findall(r"(?<![\w/])[\w.]+(?:/[\w.]*)+|\b\w+\.py\b", text_of(ARCHITECTURE)))
    places = (PROJECT, PROJECT / "src/watchword", *(PROJECT / "src/watchword").iterdir())
    paths = {path for path in named if path.endswith(("/", ".py", ".toml"))}
    assert len(paths) > 30
    assert not [path for path in sorted(paths) if not any((place / path).exists() for place in places)]


def test_the_architecture_shows_the_whole_tree() -> None:
    shown = set(re.findall(r"^    (\w+\.py|\w+/)  ", text_of(ARCHITECTURE), re.MULTILINE))
    entries = [path for path in (PROJECT / "src/watchword").iterdir() if any(path.glob("*.py")) or path.suffix == ".py"]
    there = {f"{path.name}/" if path.is_dir() else path.name for path in entries} - {"__init__.py"}
    assert shown == there


def test_the_architecture_shows_the_layers_that_are_enforced() -> None:
    project = tomllib.loads(text_of(PROJECT / "pyproject.toml"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    assert "\n".join(f"    {layer}" for layer in layers) in text_of(ARCHITECTURE)


def test_decisions_are_numbered_without_gaps_and_fit_on_a_page() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for number, page in enumerate(DECISIONS, 1):
        text = text_of(page)
        assert text.startswith(f"# {number}. "), name(page)
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], name(page)
        assert len(text.splitlines()) <= 40, name(page)


def test_every_term_is_defined_once_and_in_order() -> None:
    assert re.findall(r"^\*\*(.+?)\*\*: ", text_of(PROJECT / "docs/concepts.md"), re.MULTILINE) == TERMS


def test_every_dependency_is_decided_and_they_are_few() -> None:
    project = tomllib.loads(text_of(PROJECT / "pyproject.toml"))["project"]
    bare, server = project["dependencies"], project["optional-dependencies"]["server"]
    names = {re.split(r"[^\w-]", requirement)[0] for requirement in bare + server}
    [page] = [page for page in DECISIONS if page.name.endswith("-dependencies.md")]
    rows = re.findall(r"^\| ([\w, -]+) \|", text_of(page), re.MULTILINE)
    assert {word for row in rows for word in row.split(", ")} - {"package"} == names
    assert len(bare) <= 3
    assert len(names) <= 14
