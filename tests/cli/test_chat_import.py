"""`watchword chat import`: the samples of the page, who is who, and going on after an interruption."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Home, answer, refusal, run
from tests.support.requirements import PROJECT

pytestmark = pytest.mark.usefixtures("shared_server")

PAGE = (PROJECT / "docs/howto/bring-chat-history.md").read_text("utf-8")
SAMPLES = dict(re.findall(r"^```json (\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))

Message = tuple[str, str, str]
"""The text, its type, and how it stands."""

EXPECTED: dict[str, list[Message]] = {
    "matrix": [
        ("At noon?", "text", "edited"),
        ("<b>Yes</b>", "html", ""),
        ("menu.png", "text", ""),
        ("", "text", "deleted"),
    ],
    "stream": [("At noon?", "text", "edited"), ("menu.png", "text", ""), ("", "text", "deleted")],
    "watchword": [("At noon?", "text", ""), ("<b>Yes</b>", "html", ""), ("", "text", "deleted")],
}
LEFT_OUT = {"matrix": {"m.reaction": 1}, "stream": {"system": 1}, "watchword": {}}


@pytest.fixture(scope="module")
def people(shared_home: Home) -> dict[str, str]:
    """Ours, by name."""
    return {name: answer(shared_home, "identity", "create").strip() for name in ("ada", "ben")}


@pytest.fixture
def users(people: dict[str, str], tmp_path: Path) -> Path:
    """Who is who, as the page has it."""
    named = {theirs: people["ada" if "ada" in theirs else "ben"] for theirs in json.loads(SAMPLES["users"])}
    file = tmp_path / "users.json"
    file.write_text(json.dumps(named))
    return file


def written(tmp_path: Path, sample: str, *changes: tuple[str, str]) -> str:
    file = tmp_path / f"{sample}.json"
    text = SAMPLES[sample]
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    file.write_text(text)
    return str(file)


def seen(home: Home, thread: str, user: str) -> Any:
    return json.loads(answer(home, "chat", "show", thread, "--as", user, "--json"))


@pytest.mark.parametrize("sample", EXPECTED)
def test_a_sample_of_the_page_is_brought_in(
    shared_home: Home, people: dict[str, str], users: Path, tmp_path: Path, sample: str
) -> None:
    asked = ("chat", "import", written(tmp_path, sample), "--from", sample, "--users", str(users))
    [done] = json.loads(answer(shared_home, *asked, "--json"))
    assert (done["messages"], done["not_added"], done["left_out"]) == (len(EXPECTED[sample]), [], LEFT_OUT[sample])
    shown = seen(shared_home, done["thread"], people["ada"])
    assert shown["thread"]["topic"] == "Lunch"
    assert shown["thread"]["createdOn"] == "2024-05-01T12:00:00Z"
    assert [
        (
            each["content"]["message"],
            each["type"],
            "deleted" if each.get("deletedOn") else "edited" if each.get("editedOn") else "",
        )
        for each in shown["messages"]
    ] == EXPECTED[sample]
    assert {each["senderCommunicationIdentifier"]["rawId"] for each in shown["messages"]} == set(people.values())
    assert "Ada" in [each.get("displayName") for each in shown["participants"]]
    # The same once more changes nothing.
    assert json.loads(answer(shared_home, *asked, "--json")) == [done]
    assert done["thread"] in answer(shared_home, *asked)
    assert len(seen(shared_home, done["thread"], people["ada"])["messages"]) == len(EXPECTED[sample])


def test_whoever_is_nobody_here_is_told_before_anything_is_brought_in(
    shared_home: Home, people: dict[str, str], tmp_path: Path
) -> None:
    file = written(tmp_path, "stream")
    told = refusal(shared_home, "chat", "import", file, "--from", "stream")
    assert "2 users of the file are nobody here: ada, ben." in told
    [done] = json.loads(
        answer(shared_home, "chat", "import", file, "--from", "stream", "--others", people["ben"], "--json")
    )
    assert done["messages"] == 3


def test_a_record_that_is_refused_is_named_and_the_rest_goes_on_once_it_is_right(
    shared_home: Home, users: Path, tmp_path: Path
) -> None:
    file = written(tmp_path, "watchword", ('"sender": "ben", "content"', '"sender": "8:acs:nobody", "content"'))
    assert "Record 2: " in refusal(shared_home, "chat", "import", file, "--users", str(users))


@pytest.mark.parametrize(
    ("format", "content"),
    [
        ("matrix", "[]"),
        ("matrix", "{"),
        ("stream", "[]"),
        ("stream", '[{"channel": {}}]'),
        ("stream", "[1]"),
        ("watchword", "[]"),
        ("watchword", "{"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_words(
    shared_home: Home, tmp_path: Path, format: str, content: str
) -> None:
    file = tmp_path / "other.json"
    file.write_text(content)
    assert str(file) in refusal(shared_home, "chat", "import", str(file), "--from", format)
    users = tmp_path / "users.json"
    users.write_text('["8:acs:..."]')
    good = written(tmp_path, "watchword")
    assert "who is who" in refusal(shared_home, "chat", "import", good, "--users", str(users))


def test_what_a_user_export_tells_besides_makes_no_thread_and_mutes_nobody(
    shared_home: Home, people: dict[str, str], users: Path, tmp_path: Path
) -> None:
    ada = people["ada"]
    more = [
        {"kind": "registration", "id": "client", "seenOn": "2024-05-01T12:00:00.000Z"},
        {"kind": "restriction", "user": ada, "restriction": "mute", "since": "2024-05-01T12:00:00.000Z"},
        {"kind": "restriction", "user": ada, "restriction": "ban", "thread": "19:elsewhere@thread.v2",
         "since": "2024-05-01T12:00:00.000Z"},
    ]  # fmt: skip
    file = Path(written(tmp_path, "watchword"))
    file.write_text("\n".join([file.read_text(), *map(json.dumps, more)]))
    asked = ("chat", "import", str(file), "--users", str(users))
    told = run(shared_home, *asked)
    assert told.returncode == 0, told
    assert "2 of restriction are not brought along" in told.stderr
    [done] = json.loads(answer(shared_home, *asked, "--json"))
    assert done["left_out"] == {"registration": 1, "restriction": 2}
    assert answer(shared_home, "chat", "send", done["thread"], "not muted", "--as", ada)
