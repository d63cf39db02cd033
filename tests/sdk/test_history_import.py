"""A long history is brought in, client and server are killed meanwhile, and the official clients page through it."""

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
from tests.support.requirements import require
from tests.support.signed import SignedClient
from tests.support.tls import without_trust
from tests.test_durability import server_of

LONG_AGO = datetime(2020, 5, 1, 12, tzinfo=UTC)
JAVASCRIPT = Path(__file__).with_name("js")
PAGE = 200

Shown = tuple[str, str, str, str, str, datetime]
"""A message as a client shows it: id, version, sequence number, text, sender, and when it was written."""


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
        assert read_with_python(server, done["thread"], users[0]) == expected(users, count)
    # The JavaScript client shows its token to nobody without TLS.
    with server_of(folder, WATCHWORD_TLS="1") as server:
        assert read_with_javascript(folder, server, done["thread"], users[0]) == expected(users, count)


def expected(senders: list[ChatUser], count: int) -> list[Shown]:
    """The whole history, the newest first."""
    messages = []
    for number in reversed(range(count)):
        created = LONG_AGO + timedelta(seconds=number // 3)
        # Two of one moment are moved on by one.
        id = str(int(created.timestamp() * 1_000) + {0: 0, 1: 1, 2: 500}[number % 3])
        messages.append((id, id, str(number + 1), str(number), senders[number % len(senders)].id, created))
    return messages


def read_with_python(server: Process, thread: str, reader: ChatUser) -> list[Shown]:
    chat = ChatClient(server.endpoint, CommunicationTokenCredential(reader.token))
    # Its annotations are wrong about themselves.
    client: Any = chat.get_chat_thread_client(thread)  # type: ignore[misc]
    return [
        (each.id, each.version, each.sequence_id, each.content.message, each.sender.raw_id, each.created_on)
        for each in client.list_messages(results_per_page=PAGE, enforce_https=False)
    ]


def read_with_javascript(folder: Path, server: Process, thread: str, reader: ChatUser) -> list[Shown]:
    require("node", "Node.js runs the official JavaScript client")
    require((JAVASCRIPT / "node_modules/.ready").is_file(), "`make test` installs the official JavaScript client")
    asked = {"CHAT_ENDPOINT": server.endpoint, "TOKEN": reader.token, "THREAD": thread}
    trust = without_trust() | {"NODE_EXTRA_CA_CERTS": str(folder / "data/certificates/ca.pem"), "NO_PROXY": "127.0.0.1"}
    command = ["node", str(JAVASCRIPT / "history.mjs")]
    result = subprocess.run(command, env=trust | asked, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    pages = [json.loads(line) for line in result.stdout.splitlines()]
    assert {len(page) for page in pages[:-1]} == {PAGE}
    return [(*shown, datetime.fromisoformat(created)) for page in pages for *shown, created in page]


def test_a_history_is_whole_whoever_is_killed_meanwhile(tmp_path: Path) -> None:
    bring_in(tmp_path, 4_000)


@pytest.mark.soak
def test_a_hundred_thousand_messages(tmp_path: Path) -> None:
    bring_in(tmp_path, 100_000)
