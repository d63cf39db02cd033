"""Which processes a server is, and which of them a connection is with; Linux tells."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.polling import until
from tests.support.signed import Reachable, SignedClient

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which process has a connection")


def children(pid: int, module: str) -> set[int]:
    """The processes that this one has started to run a module of ours."""
    there = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(each) for each in there if module.encode() in _read(Path(f"/proc/{each}/cmdline"))}


def workers(pid: int) -> set[int]:
    return children(pid, "watchword.server.worker")


def writer(pid: int) -> int:
    [found] = until(lambda: children(pid, "watchword.server.writer"), bool)
    return found


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() and b") Z " not in _read(Path(f"/proc/{pid}/stat"))


def kill(*pids: int) -> None:
    """Without a chance to say anything."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def process_of(client: SignedClient, pids: set[int]) -> int:
    """Which of the processes has the other end of this client's connection."""
    assert client.call("GET", "/healthz").status == 200
    inode = _inode(client.port, client.server.port)
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed since it was listed
                if str(descriptor.readlink()) == f"socket:[{inode}]":
                    return pid
    raise AssertionError(f"none of {pids} has it")


def client_of(server: Reachable, pid: int, pids: set[int]) -> SignedClient:
    """A client whose connection is with that process."""
    for _ in range(1_000):
        client = SignedClient(server)
        if process_of(client, pids) == pid:
            return client
        client.close()
    raise AssertionError(f"{pid} accepts nothing")


def _inode(remote: int, local: int) -> str:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if [int(each.rpartition(":")[2], 16) for each in fields[1:3]] == [local, remote]:
                return fields[9]
    raise AssertionError("no such connection")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
