"""Ten thousand realtime sockets in one process: memory of each, fan-out, how they come back; plain and with TLS.

python -m benchmarks.sockets         writes a page
python -m benchmarks.sockets --help  how many, and how often

Beside sockets by hand in the same run, see `by_hand`. Each user has fifty sockets; all hear of one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import ssl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import TypeVar

from benchmarks.__main__ import can_measure
from benchmarks.closed_loop import LoadFailed
from benchmarks.crowd import Crowd, Whose, crowd
from benchmarks.machine import Cores, choose_cores, cpu_seconds, resident_mebibytes
from benchmarks.open_loop import Latency, open_loop
from benchmarks.plan import REPORT, Plan, temporary_folder
from benchmarks.processes import Process, end_on_signals, python_server
from benchmarks.socket_report import Back, Fan, Measured, to_markdown
from tests.support.chat_users import NEWEST, ChatUser, new_user, participant
from tests.support.nginx import free_port
from tests.support.signed import SignedClient
from watchword.server.installation import read_access_keys
from watchword.settings import load_settings
from watchword.testing import MovableClock

_OF_USER = 50
_AT_FIRST = 5
"""One of so many sockets is open before the memory of the others is looked at."""

_SETTLE_SECONDS = 3.0
_WRITTEN_SECONDS = 1.5
_SENDS_PER_SECOND = 50.0
_SENDS_SECONDS = 20.0
_FEW = 100
_TEXT = "x" * 300

Result = TypeVar("Result")


@dataclass(frozen=True)
class Reachable:
    """What `SignedClient` needs of a server."""

    endpoint: str
    port: int
    keys: tuple[bytes, bytes]
    ca_file: Path | None
    clock: MovableClock = field(default_factory=MovableClock)

    def client_tls(self) -> ssl.SSLContext:
        """Loopback only, and who answers is known."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


def main() -> int:
    given = _arguments()
    if not can_measure():
        return 1
    end_on_signals()
    # Each socket is an open file at both ends.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    cores = choose_cores()
    os.sched_setaffinity(0, {cores.generator})
    found = []
    for tls in (False, True):
        with temporary_folder(given.folder) as folder, crowd(cores.generator) as clients:
            found.append(measure(folder, given, cores, clients=clients, tls=tls))
    text = to_markdown(found, given.sockets, given.messages, idle_seconds=given.idle)
    print(text)
    given.report.mkdir(parents=True, exist_ok=True)
    (given.report / "sockets.md").write_text(text + "\n", "utf-8")
    return 0


def measure(folder: Path, given: argparse.Namespace, cores: Cores, *, clients: Crowd, tls: bool) -> Measured:
    name, count, port = "TLS" if tls else "plain", given.sockets, free_port()
    with served(folder, port, cores.server, tls=tls) as (process, server), SignedClient(server) as signed:
        author, *users = [new_user(signed) for _ in range(1 + count // _OF_USER)]
        whose = [(user.token, f"{place}-{number}") for place, user in enumerate(users) for number in range(_OF_USER)]
        each, opened = _opened(clients, process, whose, tls=tls)
        Plan.say(f"{name}: {count:,} sockets are open, {each:.1f} KiB each")
        sleep(_SETTLE_SECONDS)
        idle = _share(process, given.idle)
        # The server has closed a connection that was idle for so long; the next request opens another.
        signed.close()
        some = author.new_thread(*users[: _FEW // _OF_USER])
        few = fan_out(author, some, clients, process, listeners=_FEW, messages=given.messages * 5)
        everybody = _thread_of_all(author, users)
        many = fan_out(author, everybody, clients, process, listeners=count, messages=given.messages)
        Plan.say(f"{name}: {many.push_micros:.0f} us of CPU for a push, p99 {many.p99_millis:.0f} ms")
        meanwhile = None if tls else _sends_meanwhile(author, everybody, clients, process.port, listeners=count)
    with served(folder, port, cores.server, tls=tls):
        back = Back(*clients.open())
        clients.cpu_seconds()
    Plan.say(f"{name}: all are back after {back.seconds:.0f} s")
    clients.forget()
    certificates = [str(folder / "by-hand")] if tls else []
    with python_server("benchmarks.by_hand", *certificates, core=cores.server, home=folder) as process:
        bare_each, _ = _opened(clients, process, whose, tls=tls)
        hand = Reachable(f"{'https' if tls else 'http'}://localhost:{process.port}", process.port, (b"", b""),
                         folder if tls else None)  # fmt: skip
        with SignedClient(hand) as signed:
            bare = fan_out(author.__class__(signed, author.id, author.token), everybody, clients, process,
                           listeners=count, messages=given.messages)  # fmt: skip
    clients.forget()
    return Measured(name, each, bare_each, opened, idle, few, many, bare, meanwhile, back)


@contextmanager
def served(folder: Path, port: int, core: int, *, tls: bool) -> Iterator[tuple[Process, Reachable]]:
    """The command `watchword serve`; on the same folder and port it comes back."""
    arguments = ["serve", "--data", str(folder / "data"), "--host", "127.0.0.1", "--port", str(port)]
    arguments += ["--realtime-sockets-of-user", str(_OF_USER), "--tls" if tls else "--no-tls"]
    # As docs/howto/realtime.md advises.
    environment = {"MALLOC_MMAP_THRESHOLD_": "131072"} if tls else {}
    with python_server("watchword", *arguments, core=core, home=folder, environment=environment) as process:
        with ThreadPoolExecutor(1) as thread:
            # A thread has no event loop yet, whoever asks.
            keys = thread.submit(read_access_keys, load_settings({}), folder / "data").result()
        scheme = "https" if tls else "http"
        yield (
            process,
            Reachable(f"{scheme}://localhost:{port}", port, (keys[0].secret, keys[1].secret), folder if tls else None),
        )


def _opened(clients: Crowd, process: Process, whose: Sequence[Whose], *, tls: bool) -> tuple[float, float]:
    """KiB of each socket, and how many were opened in a second: of those after the first few."""
    first = len(whose) // _AT_FIRST
    clients.know(process.port, whose[:first], tls=tls)
    clients.open()
    sleep(_SETTLE_SECONDS)
    before, spent = resident_mebibytes(process.pid), cpu_seconds(process.pid)
    clients.know(process.port, whose[first:], tls=tls)
    clients.open()
    spent = cpu_seconds(process.pid) - spent
    sleep(_SETTLE_SECONDS)
    rest = len(whose) - first
    return (resident_mebibytes(process.pid) - before) * 1_024 / rest, spent / rest


def _thread_of_all(author: ChatUser, users: Sequence[ChatUser]) -> str:
    thread = author.new_thread(*users[:150])
    for place in range(150, len(users), 50):
        added = {"participants": [participant(each.id) for each in users[place : place + 50]]}
        assert author.ask("POST", f"{thread}/participants/:add", added).status == 201
    return thread


def fan_out(author: ChatUser, thread: str, clients: Crowd, process: Process, *, listeners: int, messages: int) -> Fan:
    """What a push costs, of messages one after another; and when it is heard, of half as many with pauses that make it
    a quarter of that load.
    """
    own, spent = clients.cpu_seconds(), cpu_seconds(process.pid)
    for _ in range(messages):
        _tell_all(author, thread, clients, listeners)
    # What is written a second later belongs to it.
    sleep(_WRITTEN_SECONDS)
    spent, own = cpu_seconds(process.pid) - spent, clients.cpu_seconds() - own
    lags: list[float] = []
    for _ in range(max(1, messages // 2)):
        began = perf_counter()
        lags += _tell_all(author, thread, clients, listeners)
        sleep(3 * (perf_counter() - began))
    lags.sort()
    pushes = listeners * messages
    return Fan(
        push_micros=spent / pushes * 1e6,
        median_millis=lags[len(lags) // 2] * 1e3,
        p99_millis=lags[len(lags) * 99 // 100] * 1e3,
        client_micros=own / pushes * 1e6,
    )


def _tell_all(author: ChatUser, thread: str, clients: Crowd, listeners: int) -> list[float]:
    """The lag of each push, from the answer that the author got; what is told may be there before that."""
    clients.ask_for(listeners)
    author.send(thread, _TEXT)
    acknowledged = perf_counter()
    return [moment - acknowledged for moment in clients.heard()]


def _share(process: Process, seconds: float) -> float:
    """The part of its core that it takes while nobody asks for anything."""
    spent, began = cpu_seconds(process.pid), perf_counter()
    sleep(seconds)
    return (cpu_seconds(process.pid) - spent) / (perf_counter() - began)


def _sends_meanwhile(author: ChatUser, thread: str, clients: Crowd, port: int, *, listeners: int) -> Latency | None:
    """Latency of sends at a steady rate into a thread that nobody hears of, while one fan-out follows another."""
    alone = author.new_thread(topic="Alone")
    body = json.dumps({"content": _TEXT}).encode()
    request = (
        f"POST {alone}/messages?api-version={NEWEST} HTTP/1.1\r\nHost: {author.client.host}\r\n"
        f"Authorization: Bearer {author.token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    with ThreadPoolExecutor(1) as beside:
        sends = beside.submit(open_loop, port, [request], rate=_SENDS_PER_SECOND, seconds=_SENDS_SECONDS)
        while not sends.done():
            _tell_all(author, thread, clients, listeners)
            sleep(_WRITTEN_SECONDS)
        try:
            return sends.result()
        except LoadFailed:
            return None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.sockets", description="Realtime sockets.")
    parser.add_argument("--sockets", type=int, default=10_000, help="how many, a multiple of 50 (10000)")
    parser.add_argument("--messages", type=int, default=20, help="that each of them hears (20)")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds for which they are looked at idle (60)")
    parser.add_argument("--folder", type=Path, help="where databases are made for the run")
    parser.add_argument("--report", type=Path, default=REPORT, help="where the report goes (benchmarks/report)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
