"""docs/compatibility.md says of every operation, assumption and claim what the source says."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.support.operations import all_operations
from tests.support.requirements import PROJECT
from watchword.tokens.claims import Claims
from watchword.wire import chat, chat_versions, management, realtime, versions
from watchword.wire.operations import Operation

PAGE = (PROJECT / "docs/compatibility.md").read_text(encoding="utf-8")
SOURCES = sorted(path for path in (PROJECT / "src").rglob("*") if path.suffix in {".py", ".sql"})
MANAGED = [operation for operation in management.OPERATIONS if operation.versions is not None]
CHAT = [*chat.OPERATIONS, *chat.REFUSED]
OTHERS = (*MANAGED, *CHAT, *realtime.OPERATIONS)
PUBLISHED = [each for each in all_operations() if each.versions is not None and each not in OTHERS]
OWN = [each for each in all_operations() if each.versions is None and each not in realtime.OPERATIONS]
ORIGINAL_CLAIMS = {"skypeid", "scp", "csi", "exp", "rgn", "acsScope", "resourceId", "resourceLocation", "iat"}


def cell(operation: Operation, version: str) -> str:
    if version not in (operation.versions or ()):
        return "-"
    return "**501**" if operation.refusal else str(operation.success)


def version_name(version: str) -> str:
    day, _, stage = version[:10], version[10:11], version[11:]
    return f"{day}<br>{stage}" if stage else day


def as_a_whole(version: str) -> str:
    cells = {cell(operation, version) for operation in PUBLISHED}
    return "partial" if "**501**" in cells else "supported"


def operations_table() -> str:
    rows = [
        ["operation", *(version_name(version) for version in versions.ALL)],
        ["---"] * (len(versions.ALL) + 1),
        *(
            [f"`{each.method} {each.path}`<br>{each.id}", *(cell(each, version) for version in versions.ALL)]
            for each in PUBLISHED
        ),
        ["the api-version as a whole", *(as_a_whole(version) for version in versions.ALL)],
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def managed_table() -> str:
    columns = (*versions.ANY, *management.ALL_VERSIONS)
    rows = [
        ["managed operation", *columns],
        ["---"] * (len(columns) + 1),
        *(
            [f"`{each.method} {each.path}`<br>{each.id}", *(cell(each, each_of) for each_of in columns)]
            for each in MANAGED
        ),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def chat_table() -> str:
    columns = chat_versions.ALL
    rows = [
        ["operation of chat", *(version_name(version) for version in columns)],
        ["---"] * (len(columns) + 1),
        *(
            [f"`{each.method} {each.path}`<br>{each.id}", *(cell(each, version) for version in columns)]
            for each in CHAT
        ),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def shown_table() -> str:
    """What differs between versions of chat besides operations."""
    columns = chat_versions.ALL
    members = {
        "metadata of messages": chat_versions.MESSAGE_METADATA,
        "`attachments` of messages, always `[]`": chat_versions.ATTACHMENTS,
        "metadata of threads and participants": chat_versions.METADATA,
        "retention policies of threads": chat_versions.RETENTION,
        "messaging policies of threads": chat_versions.MESSAGING_POLICY,
        "`senderDisplayName` of typing": chat_versions.TYPING_NAMES,
    }
    rows = [
        ["known of chat", *(version_name(version) for version in columns)],
        ["---"] * (len(columns) + 1),
        *([name, *("yes" if version in known else "-" for version in columns)] for name, known in members.items()),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def own_table() -> str:
    rows = [f"| `{each.method} {each.path}` | {each.id} | {each.summary} |" for each in OWN]
    return "\n".join(["| operation | operationId | what it does |", "|---|---|---|", *rows])


def realtime_table() -> str:
    rows = [
        f"| `{each.method} {each.path}` | {', '.join(each.versions or ()) or '-'} | {each.success} | {each.summary} |"
        for each in realtime.OPERATIONS
    ]
    return "\n".join(["| operation of realtime | api-version | success | what it does |", "|---|---|---|---|", *rows])


def assumptions(path: Path) -> list[str]:
    """The sentence after each `Assumed:`, with neither line breaks nor comment signs."""
    text = re.sub(r"\s*\n\s*(?:#|--)?\s*", " ", path.read_text(encoding="utf-8"))
    return [match[1] for match in re.finditer(r"Assumed: (.*?[^.\s]\.)(?=\s|\"|$)", text)]


def assumptions_table() -> str:
    rows = []
    for path in SOURCES:
        place = path.relative_to(PROJECT).as_posix()
        name = place.removeprefix("src/watchword/")
        rows += [f"| {sentence[0].upper()}{sentence[1:]} | [{name}](../{place}) |" for sentence in assumptions(path)]
    return "\n".join(["| assumption | where |", "|---|---|", *rows])


@pytest.mark.parametrize(
    "table",
    [operations_table, chat_table, shown_table, realtime_table, managed_table, own_table, assumptions_table],
    ids=lambda table: table.__name__,
)
def test_a_table_of_the_page_is_what_the_source_says(table: Callable[[], str]) -> None:
    expected = table()
    assert len(expected.splitlines()) > 3
    assert expected in PAGE, f"docs/compatibility.md should hold:\n\n{expected}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_assumption_is_a_sentence_that_can_be_listed(path: Path) -> None:
    assert len(re.findall(r"\bAssumed\b", path.read_text(encoding="utf-8"))) == len(assumptions(path))


def test_every_claim_of_our_own_is_listed() -> None:
    listed = set(re.findall(r"(?m)^\| `(\w+)` \|", PAGE))
    assert listed == {field.encode_name for field in msgspec.structs.fields(Claims)} - ORIGINAL_CLAIMS


def test_an_api_version_is_served_or_named_as_refused_and_never_both() -> None:
    [sentence] = re.findall(r"refused with `UnsupportedApiVersion`: ([^*]*?)\.\n", PAGE)
    refused = set(re.findall(r"`(\d{4}-[\w-]+)`", sentence))
    assert refused
    assert refused.isdisjoint(versions.ALL)


def test_the_clients_that_are_listed_are_those_that_the_tests_run() -> None:
    groups = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    python = {
        requirement.partition("==")[2]
        for group in groups.values()
        for requirement in group
        if isinstance(requirement, str) and requirement.startswith("azure-communication-identity==")
    }
    packages = msgspec.json.decode((PROJECT / "tests/sdk/js/package.json").read_bytes())
    javascript = {
        *packages.get("dependencies", {}).items(),
        *packages.get("devDependencies", {}).items(),
    }
    java = (PROJECT / "tests/sdk/java/pom.xml").read_text(encoding="utf-8")
    [java_version] = re.findall(r"azure-communication-identity</artifactId>\s*<version>([^<]+)<", java)
    listed = re.findall(r"(?m)^\| (Python|JavaScript|Java|\.NET)\b[^|]* \| ([\w. ]+) \|", PAGE)
    assert {version for client, version in listed if client == "Python"} == python
    assert dict(javascript)["@azure/communication-identity"] in {
        each for client, each in listed if client == "JavaScript"
    }
    assert {version for client, version in listed if client == "Java"} == {java_version}
    assert {version for client, version in listed if client == ".NET"} == {"not run"}


def test_the_chat_clients_that_are_listed_are_those_that_the_tests_run() -> None:
    development = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    packages = msgspec.json.decode((PROJECT / "tests/sdk/js/package.json").read_bytes())["dependencies"]
    in_browsers, ui = (
        msgspec.json.decode((PROJECT / "tests/browser" / folder / "package.json").read_bytes())["dependencies"]
        for folder in ("js", "ui")
    )
    java = (PROJECT / "tests/sdk/java/pom.xml").read_text(encoding="utf-8")
    run = {
        *(("Python", each) for each in re.findall(r"azure-communication-chat==([\d.]+)", development)),
        ("JavaScript", packages["@azure/communication-chat"]),
        *(("JavaScript", each.rpartition("@")[2]) for name, each in in_browsers.items() if "chat" in name),
        ("React", ui["@azure/communication-react"]),
        *(("Java", each) for each in re.findall(r"azure-communication-chat</artifactId>\s*<version>([^<]+)<", java)),
    }
    assert set(re.findall(r"(?m)^\| chat, (\w+)\b[^|]* \| ([\d.]+) \|", PAGE)) == run
