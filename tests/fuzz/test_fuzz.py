"""Hostile requests against a real server, while others ask for its health: nothing breaks, grows or stands still."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec
import pytest

from tests.fuzz.client import Count, Task
from tests.fuzz.watching import PAUSE_SECONDS, Look, Sample, Seen, sample, watching
from tests.support.commands import Home, answer
from tests.support.commands import server as started
from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.process_tree import linux_only
from tests.support.processes import PLAIN, Process
from tests.support.releases import Reached
from tests.support.requirements import PROJECT
from tests.support.signed import SignedClient
from watchword.settings import Settings

pytestmark = linux_only

SEED = int(os.environ.get("WATCHWORD_FUZZ_SEED", "1"))
MOST_GROWTH_BYTES = 48 * 2**20
FEWER_SCOPES = ("chat.join", "chat.join.limited", "voip")
CONNECTIONS_TO_A_DATABASE = Settings().database_pool


@dataclass(frozen=True)
class Form:
    """`answer_deadline` is the server's, and `unread_seconds` how long a client reads nothing.

    So many operations of chat must be `served` at least once: hostile or not, some of each is taken.
    """

    requests: int
    longest_stall_seconds: float
    answer_deadline: float
    unread_seconds: float
    served: int


SHORT = Form(4_000, longest_stall_seconds=2, answer_deadline=30, unread_seconds=1, served=9)
"""What runs beside it may stop anybody for a while; an attack that it is to find, by trailers, took 19 seconds."""

LONG = Form(
    int(os.environ.get("WATCHWORD_FUZZ_REQUESTS", "1000000")),
    longest_stall_seconds=0.5,
    answer_deadline=5,
    unread_seconds=7,
    served=16,
)


@pytest.mark.parametrize(
    "form", [pytest.param(SHORT, id="short"), pytest.param(LONG, id="long", marks=pytest.mark.soak)]
)
def test_hostile_requests_break_nothing_and_delay_nobody(
    tmp_path: Path, fresh_settings: FreshSettings, form: Form
) -> None:
    home, data = Home(tmp_path / "home"), tmp_path / "data"
    environment = {"WATCHWORD_DATABASE": fresh_settings.address()}
    settings = PLAIN | environment | {"WATCHWORD_ANSWER_DEADLINE": str(form.answer_deadline)}
    with started(home, "serve", "--data", data, environment=settings) as running:
        keys = json.loads(answer(home, "resource", "keys", "--data", data, "--json", environment=environment))
        operator = answer(home, "operator", "create", "--name", "fuzz", "--data", data, environment=environment).strip()
        server = Process(running, (b64decode(keys["primary"]), b64decode(keys["secondary"])))
        users, members, threads = users_of(server)
        task = Task(
            seed=SEED,
            requests=form.requests,
            port=server.port,
            keys=[*server.keys],
            operator=operator,
            users=users,
            members=members,
            threads=threads,
            operations=operations(server),
            unread_seconds=form.unread_seconds,
        )
        at_rest = sample(server.pid)
        with watching("ask", str(server.port), str(server.pid)) as asked, watching("sleep") as slept:
            count = attack(task)
        print(f"\nseed {SEED}", *report(count, asked[0], slept[0]), sep="\n")
        assert count.faults == []
        assert len(count.served) >= form.served
        assert count.wrong == []
        assert growth(asked[0].samples) < MOST_GROWTH_BYTES
        until(
            lambda: sample(server.pid).descriptors, lambda left: left <= at_rest.descriptors + CONNECTIONS_TO_A_DATABASE
        )
        _, log = running.stop(signal.SIGTERM)
        assert [line for line in log if "Traceback" in line] == []
    # The last of all, since a machine that others use as well may be to blame for it.
    assert stalls(asked[0].looks, slept[0].looks, form.longest_stall_seconds) == []


def users_of(server: Process) -> tuple[list[str], list[str], list[str]]:
    """Access tokens: of several users with every scope of chat, of one who was revoked, and of one without chat; who
    they are; and threads that they are in.
    """
    with SignedClient(Reached(server.port, server.keys)) as client:
        ids = [client.new_identity() for _ in range(6)]
        tokens = [client.new_token(id) for id in ids]
        tokens += [client.issue(ids[0], {"scopes": [scope]}).json["token"] for scope in FEWER_SCOPES]
        assert client.revoke(ids[-1]).status == 204
    members = [{"communicationIdentifier": {"rawId": id}} for id in ids]
    body = json.dumps({"topic": "fuzz", "participants": members}).encode()
    url = f"http://localhost:{server.port}/chat/threads?api-version=2025-03-15"
    threads: list[str] = []
    for token in tokens[:4]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20) as made:
            threads.append(json.load(made)["chatThread"]["id"])
    return tokens, ids, threads


def operations(server: Process) -> list[tuple[str, str]]:
    """What the server says that it has."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/openapi.json", timeout=20) as told:
        document = json.load(told)
    return [
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if method in ("get", "put", "post", "patch", "delete")
    ]


def attack(task: Task) -> Count:
    """All of it, by one process."""
    command = [sys.executable, "-m", "tests.fuzz.client"]
    done = subprocess.run(command, input=msgspec.json.encode(task), stdout=subprocess.PIPE, cwd=PROJECT, check=True)
    return msgspec.json.decode(done.stdout, type=Count)


def stalls(asked: list[Look], slept: list[Look], longest_seconds: float) -> list[Look]:
    """Where an answer came later than the machine explains: what the server waited for a processor, and by how much
    one that only sleeps woke late meanwhile.
    """
    return [
        look
        for look in asked
        if look.seconds > longest_seconds and look.seconds - _explained(look, slept) > longest_seconds
    ]


def _explained(look: Look, slept: list[Look]) -> float:
    begin, end = look.at - PAUSE_SECONDS, look.at + look.seconds
    late = (each.seconds for each in slept if begin < each.at + each.seconds and each.at < end)
    return look.seconds_waiting + max(late, default=0.0)


def growth(samples: list[Sample]) -> float:
    """From the second fifth of the time to the last: by then every cache has what it will hold."""
    fifth = max(1, len(samples) // 5)
    held = [each.memory_bytes for each in samples]
    return median(held[-fifth:]) - median(held[fifth : 2 * fifth] or held[:fifth])


def report(count: Count, asked: Seen, slept: Seen) -> Iterator[str]:
    yield f"{count.requests} requests in {count.conversations} conversations: {count.statuses}"
    yield f"of chat served: {count.served}"
    yield from (each[:1_000] for each in (*count.faults, *count.wrong))
    for name, seen in (("health", asked), ("sleep", slept)):
        taken = sorted(look.seconds * 1_000 for look in seen.looks)
        shares = ", ".join(f"{share:.1%} {taken[int(len(taken) * share)]:.1f}" for share in (0.5, 0.99, 0.999))
        yield f"{name}, ms: {shares}, most {taken[-1]:.1f} of {len(taken)}"
    held = [each.memory_bytes / 2**20 for each in asked.samples]
    grown = growth(asked.samples) / 2**20
    yield f"memory, MiB: {held[0]:.0f} at first, {held[-1]:.0f} at last, {max(held):.0f} at most; growth {grown:.1f}"
    yield f"descriptors: {max(each.descriptors for each in asked.samples)} at most"
