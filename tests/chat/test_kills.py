"""A server that is killed loses no message that it acknowledged: one process and two, on either engine."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.support.chat_users import ChatUser, new_user, pages
from tests.support.engines import CHOSEN
from tests.support.process_tree import kill, linux_only, workers, writer
from tests.support.processes import Process
from tests.support.signed import SignedClient
from tests.test_durability import server_of

ROUNDS = int(os.environ.get("WATCHWORD_SOAK_ROUNDS", "1"))
SENDERS = 4


@dataclass
class Load:
    """Senders who go on until the server is gone; what they began to send, and the ids of what was acknowledged."""

    thread: str
    user: ChatUser
    begun: set[str] = field(default_factory=set)
    sent: dict[str, str] = field(default_factory=dict)
    edited: dict[str, str] = field(default_factory=dict)
    acknowledged: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def run(self, server: Process, number: int) -> None:
        with SignedClient(server) as own:
            user = ChatUser(own, self.user.id, self.user.token)
            try:
                for turn in itertools.count():
                    text = f"{number}-{turn}"
                    self.begun.add(text)
                    self.sent[text] = user.send(self.thread, text)
                    if turn % 3 == 0:
                        change = f"{text} edited"
                        self.begun.add(change)
                        target = f"{self.thread}/messages/{self.sent[text]}"
                        assert user.ask("PATCH", target, {"content": change}).status == 204
                        self.edited[text] = change
                    self.acknowledged.release()
            except (OSError, HTTPException):
                # The server was killed: whatever was under way is nobody's promise.
                return


@linux_only
@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.parametrize("processes", [1, 2])
def test_every_acknowledged_message_is_there_once_after_a_kill(tmp_path: Path, processes: int, number: int) -> None:
    with server_of(tmp_path, WATCHWORD_WORKERS=str(processes)) as server:
        with SignedClient(server) as client:
            ada = new_user(client)
            load = Load(ada.new_thread(), ada)
        senders = [threading.Thread(target=load.run, args=(server, each)) for each in range(SENDERS)]
        for sender in senders:
            sender.start()
        for _ in range(random.Random(f"{processes} {number}").randrange(30, 200)):
            assert load.acknowledged.acquire(timeout=30)
        if processes == 1:
            server.stop(signal.SIGKILL)
        else:
            others = [writer(server.pid)] if CHOSEN == "sqlite" else []
            kill(*others, *workers(server.pid), server.pid)
            server.wait()
        for sender in senders:
            sender.join(30)
            assert not sender.is_alive()
    check_that_it_survived(tmp_path, load)


def check_that_it_survived(folder: Path, load: Load) -> None:
    with server_of(folder) as server, SignedClient(server) as client:
        user = ChatUser(client, load.user.id, load.user.token)
        found = [item for page in pages(user, f"{load.thread}/messages?maxPageSize=200") for item in page]
        texts = {each["id"]: each["content"]["message"] for each in found if each["type"] == "text"}
        assert load.sent
        for text, id in load.sent.items():
            assert id in texts, "an acknowledged message is gone"
            # An edit that nobody answered is there or not.
            assert texts[id] in ({load.edited[text]} if text in load.edited else {text, f"{text} edited"})
        assert set(texts.values()) <= load.begun, "a message that nobody sent"
        assert max(Counter(text.removesuffix(" edited") for text in texts.values()).values()) == 1, (
            "a message is there twice"
        )
        assert sorted(int(each["sequenceId"]) for each in found) == list(range(1, len(found) + 1))
        # The thread goes on from there.
        newest = user.ask("GET", f"{load.thread}/messages/{user.send(load.thread)}").json
        assert int(newest["sequenceId"]) == len(found) + 1
        assert int(newest["version"]) > max(int(each["version"]) for each in found)
