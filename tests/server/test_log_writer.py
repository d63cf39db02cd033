"""Who does not read the log loses lines of it, and stops nobody."""

from __future__ import annotations

import os
import re
import signal
import threading

import pytest

from tests.support.commands import Home, server
from tests.support.process_tree import linux_only
from tests.support.releases import Reached
from tests.support.signed import SignedClient
from watchword.measurements import DROPPED_LOG_LINES
from watchword.server.log_writer import LogWriter

LINE = "x" * 1_000
TOLD = r"^watchword: WARNING: ([\d,]+) lines of the log were dropped: nobody read it\.$"


def read_all(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as reading:
        return reading.read()


def test_nobody_waits_for_who_does_not_read_and_what_was_dropped_is_counted_and_told() -> None:
    reading, writing = os.pipe()
    writer = LogWriter(writing, most_waiting_bytes=100_000)
    before = DROPPED_LOG_LINES.value
    for number in range(1_000):
        writer.write(f"{number} {LINE}")
    dropped = DROPPED_LOG_LINES.value - before
    # A pipe takes some, the queue some more.
    assert 700 < dropped < 1_000
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(read_all(reading)))
    thread.start()
    writer.close()
    os.close(writing)
    thread.join(30)
    lines = found[0].decode().splitlines()
    told = [int(count.replace(",", "")) for line in lines for count in re.findall(TOLD, line)]
    assert sum(told) == dropped
    kept = [int(line.split()[0]) for line in lines if line.endswith(LINE)]
    assert kept == sorted(kept)
    assert len(kept) == 1_000 - dropped


def test_the_end_waits_a_moment_and_no_longer() -> None:
    reading, writing = os.pipe()
    writer = LogWriter(writing)
    for _ in range(200):
        writer.write(LINE)
    writer.close()
    os.close(reading)


def test_a_reader_that_is_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LogWriter(writing)
    for _ in range(200):
        writer.write(LINE)
    writer.close()


def test_what_cannot_be_spelled_is_escaped() -> None:
    reading, writing = os.pipe()
    writer = LogWriter(writing)
    writer.write("a\udce4b")
    writer.close()
    os.close(writing)
    assert read_all(reading) == b"a\\udce4b\n"


@linux_only
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_whose_log_nobody_reads_answers_and_ends(home: Home, workers: int) -> None:
    more = ("--workers", str(workers)) if workers > 1 else ()
    # Its standard error is a pipe that is not read before the end.
    with server(home, "serve", "--no-tls", *more) as running:
        with SignedClient(Reached(running.port, (b"", b""))) as client:
            for _ in range(1_000):
                assert client.call("GET", "/healthz", key=b"x").status == 200
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0
