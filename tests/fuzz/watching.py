"""Two processes that look on: one asks for health every 10 ms, and one only sleeps as long.

python -m tests.fuzz.watching ask PORT PID      until standard input ends; then writes a `Seen`
python -m tests.fuzz.watching sleep
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import msgspec

from tests.support.requirements import PROJECT

PAUSE_SECONDS = 0.01
_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Look(msgspec.Struct, frozen=True, array_like=True):
    """When, on the clock that all processes share; how long it took beyond what it should; for how much of that the
    server was ready to run and was not given a processor.
    """

    at: float
    seconds: float
    seconds_waiting: float = 0.0


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """What the server held."""

    memory_bytes: int
    descriptors: int


class Seen(msgspec.Struct):
    looks: list[Look]
    samples: list[Sample]


@contextmanager
def watching(*what: str) -> Iterator[list[Seen]]:
    """What it saw is there after the block."""
    command = [sys.executable, "-m", "tests.fuzz.watching", *what]
    seen: list[Seen] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT) as process:
        yield seen
        told, _ = process.communicate()
    assert process.returncode == 0
    seen.append(msgspec.json.decode(told, type=Seen))


def ask(port: int, pid: int, has_ended: Event) -> Seen:
    seen = Seen([], [])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not has_ended.wait(PAUSE_SECONDS):
            waited, begun = _seconds_waiting(pid), time.monotonic()
            connection.sendall(_REQUEST)
            answer = connection.recv(4_096)
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            seen.looks.append(Look(begun, time.monotonic() - begun, _seconds_waiting(pid) - waited))
            if len(seen.looks) % 50 == 0:
                seen.samples.append(sample(pid))
    return seen


def sleep(has_ended: Event) -> Seen:
    seen = Seen([], [])
    begun = time.monotonic()
    while not has_ended.is_set():
        time.sleep(PAUSE_SECONDS)
        now = time.monotonic()
        seen.looks.append(Look(begun, now - begun - PAUSE_SECONDS))
        begun = now
    return seen


def sample(pid: int) -> Sample:
    resident = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return Sample(resident * _PAGE_BYTES, sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))


def _seconds_waiting(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9


def _main(what: str, *numbers: str) -> None:
    has_ended = Event()

    def wait() -> None:
        sys.stdin.read()
        has_ended.set()

    Thread(target=wait, daemon=True).start()
    look: Callable[[], Seen] = (
        (lambda: ask(int(numbers[0]), int(numbers[1]), has_ended)) if what == "ask" else (lambda: sleep(has_ended))
    )
    sys.stdout.buffer.write(msgspec.json.encode(look()))


if __name__ == "__main__":
    _main(*sys.argv[1:])
