"""A long history is brought in, client and server are killed meanwhile, and the official client pages through it."""

from __future__ import annotations

import json
import signal
import subprocess
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.communication.chat import ChatClient, CommunicationTokenCredential

from tests.support.chat_users import ChatUser, new_user
from tests.support.commands import WATCHWORD, Home
from tests.support.processes import Process
from tests.support.signed import SignedClient
from tests.test_durability import server_of

LONG_AGO = datetime(2020, 5, 1, 12, tzinfo=UTC)


def write_history(file: Path, senders: list[ChatUser], count: int) -> None:
    """Three messages in each second, two of them of one moment."""
    with file.open("w") as lines:
        for each in senders:
            print(json.dumps({"kind": "participant", "user": each.id}), file=lines)
        for number in range(count):
            created = LONG_AGO + timedelta(seconds=number // 3, milliseconds=500 if number % 3 == 2 else 0)
            line = {
                "sender": senders[number % len(senders)].id,
                "content": str(number),
                "createdOn": created.isoformat(),
            }
            print(json.dumps(line), file=lines)


def importing(folder: Path, server: Process, file: Path) -> subprocess.Popen[str]:
    """The command, once it has told how far it is for the first time, or has ended."""
    text = f"endpoint={server.endpoint}/;accesskey={b64encode(server.keys[0]).decode()}"
    command = [*WATCHWORD, "chat", "import", str(file), "--json", "--connection-string", text]
    process = subprocess.Popen(
        command, env=Home(folder).environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    process.stderr.readline()
    return process


def bring_in(folder: Path, count: int) -> None:
    file = folder / "history.jsonl"
    with server_of(folder) as server:
        with SignedClient(server) as client:
            users = [new_user(client) for _ in range(3)]
        write_history(file, users, count)
        killed = importing(folder, server, file)
        killed.kill()
        killed.communicate()
        cut = importing(folder, server, file)
        server.stop(signal.SIGKILL)
        cut.communicate()
    with server_of(folder) as server:
        last = importing(folder, server, file)
        out, errors = last.communicate()
        assert last.returncode == 0, errors
        [done] = json.loads(out)
        print(f"{count} messages; ended with {killed.returncode} and {cut.returncode}")
        assert (done["messages"], done["not_added"]) == (count, [])
        check(server, done["thread"], users, count)


def check(server: Process, thread: str, users: list[ChatUser], count: int) -> None:
    """Every page of it, as the official client reads it."""
    chat = ChatClient(server.endpoint, CommunicationTokenCredential(users[0].token))
    # Its annotations are wrong about themselves.
    client: Any = chat.get_chat_thread_client(thread)  # type: ignore[misc]
    found = client.list_messages(results_per_page=200, enforce_https=False)
    number = count
    for message in found:
        number -= 1
        assert message.content is not None
        assert (message.content.message, message.sequence_id) == (str(number), str(number + 1))
        assert message.sender.properties["id"] == users[number % 3].id
        created = LONG_AGO + timedelta(seconds=number // 3)
        assert message.created_on == created
        # Two of one moment are moved on by one.
        millis = {0: 0, 1: 1, 2: 500}[number % 3]
        assert int(message.id) == int(message.version) == int(created.timestamp() * 1_000) + millis
    assert number == 0


def test_a_history_is_whole_whoever_is_killed_meanwhile(tmp_path: Path) -> None:
    bring_in(tmp_path, 4_000)


@pytest.mark.soak
def test_a_hundred_thousand_messages(tmp_path: Path) -> None:
    bring_in(tmp_path, 100_000)
