"""`watchword chat threads`, `members`, `redact` and `export` against the server that runs, in nobody's name."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.test_chat_commands import ada, thread
from tests.support.commands import Home, answer, refusal, run

__all__ = ["ada", "thread"]

pytestmark = pytest.mark.usefixtures("shared_server")


def test_threads_are_listed_whoever_is_in_them(shared_home: Home, ada: str, thread: str) -> None:
    found = json.loads(answer(shared_home, "chat", "threads", "--member", ada, "--limit", "1", "--json"))
    assert [(each["id"], each["topic"], each["participant_count"]) for each in found] == [(thread, "Lunch", 1)]
    table = answer(shared_home, "chat", "threads", "--topic", "Lun", "--active-since", "2020-01-01")
    assert thread in table
    assert "newest message" in table
    assert thread not in answer(shared_home, "chat", "threads", "--topic", "Din")
    assert "Identifier format is invalid" in refusal(shared_home, "chat", "threads", "--member", "ada")


def test_members_come_and_go(shared_home: Home, ada: str, thread: str) -> None:
    eve = answer(shared_home, "identity", "create").strip()
    table = answer(shared_home, "chat", "members", thread, "--add", eve)
    assert ada in table
    assert eve in table
    left = json.loads(answer(shared_home, "chat", "members", thread, "--remove", eve, "--json"))
    assert [(each["user"], each["display_name"]) for each in left] == [(ada, "Ada")]
    former = json.loads(answer(shared_home, "chat", "members", thread, "--former", "--json"))
    assert {each["user"]: each["removed"] is None for each in former} == {ada: True, eve: False}
    nobody = f"{ada[:-12]}000000000000"
    assert f"Not added: {nobody}" in refusal(shared_home, "chat", "members", thread, "--add", nobody)


def test_a_message_is_redacted_and_in_no_export(shared_home: Home, ada: str, thread: str) -> None:
    ids = [
        answer(shared_home, "chat", "send", thread, f"secret {number}", "--as", ada, "--sender-name", "Ada").strip()
        for number in range(2)
    ]
    before = answer(shared_home, "chat", "export", thread)
    assert [json.loads(line)["kind"] for line in before.splitlines()][:2] == ["thread", "participant"]
    assert before.count("secret") == 2
    assert "--yes" in refusal(shared_home, "chat", "redact", thread, *ids)
    answer(shared_home, "chat", "redact", thread, *ids, "--yes")
    for export in (("chat", "export", thread), ("chat", "export", "--user", ada)):
        assert "secret" not in answer(shared_home, *export)
    assert "no message of this id" in refusal(shared_home, "chat", "redact", thread, "1600000000000", "--yes")


def test_an_export_is_a_file_of_its_owner_alone_and_never_takes_the_place_of_another(
    shared_home: Home, ada: str, thread: str, tmp_path: Path
) -> None:
    file = tmp_path / "thread.jsonl"
    answer(shared_home, "chat", "export", thread, "--output", str(file))
    assert json.loads(file.read_bytes().splitlines()[0])["id"] == thread
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600
    assert "is there already" in refusal(shared_home, "chat", "export", thread, "--output", str(file))
    assert "cannot be written" in refusal(shared_home, "chat", "export", thread, "--output", str(tmp_path / "no" / "x"))
    other = tmp_path / "other.jsonl"
    assert "thread id is not valid" in refusal(shared_home, "chat", "export", "none", "--output", str(other))
    assert [each.name for each in tmp_path.iterdir()] == ["thread.jsonl"]
    both = run(shared_home, "chat", "export", thread, "--user", ada)
    assert (both.returncode, "Name a thread, or a user" in both.stderr) == (2, True)
