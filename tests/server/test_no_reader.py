"""A server whose standard output takes nothing serves all the same."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.commands import WATCHWORD, Home
from tests.support.nginx import free_port
from tests.support.polling import until
from tests.support.processes import PLAIN, accepts


@contextmanager
def closed_pipe() -> Iterator[int]:
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@contextmanager
def closed_terminal() -> Iterator[int]:
    control, terminal = pty.openpty()
    os.close(control)
    yield terminal
    os.close(terminal)


@contextmanager
def full_disk() -> Iterator[int]:
    full = os.open("/dev/full", os.O_WRONLY)
    yield full
    os.close(full)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a /dev/full")
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("output", [closed_pipe, closed_terminal, full_disk])
def test_it_serves_and_ends_well_though_nobody_can_be_shown_how_it_is_reached(
    home: Home, output: object, workers: int
) -> None:
    port = free_port()
    command = [*WATCHWORD, "serve", "--port", str(port), "--workers", str(workers), "--data", str(home.server_data)]
    assert callable(output)
    with output() as descriptor:
        process = subprocess.Popen(
            command, env=home.environment(**PLAIN), stdout=descriptor, stderr=subprocess.PIPE, text=True
        )
    with process:
        until(lambda: process.poll() is not None or accepts(port), bool)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in told) == (0, False), told
