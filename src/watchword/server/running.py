"""The servers that run for this user: each announces itself in a file of its own, so that `watchword env` finds it.

    <state folder>/servers/4711-8443.json    what is in `RunningServer`; never a key
    <state folder>/servers/4711-8443.lock    locked by the server for as long as it lives

The lock, not the process number, tells the living from the dead: the system frees it however the process ends, and
numbers are given out again.
"""

import contextlib
import itertools
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec

from watchword.errors import OperatorError, reason_of
from watchword.files import hold, write_atomically
from watchword.server.folders import make_private

_CONNECT_TIMEOUT_SECONDS = 0.5
_LOOPBACK = ("127.0.0.1", "::1")
_WILDCARDS = {"", "0.0.0.0", "::"}  # noqa: S104  They are compared with, never bound.


@dataclass(frozen=True)
class RunningServer:
    """`host` is what the server listens on; `data` the data directory; `ca` the CA's certificate, None without TLS.

    `entra`: it runs the OpenID issuer for development. `operator_endpoint` is empty without an operator's listener.
    `tls`: whether its own port speaks it, whatever a proxy in front does.
    """

    mode: Literal["dev", "serve"]
    endpoint: str
    host: str
    port: int
    data: Path
    ca: Path | None
    pid: int
    entra: bool = False
    operator_endpoint: str = ""
    tls: bool = True

    def __str__(self) -> str:
        return f"watchword {self.mode}  {self.endpoint}  --port {self.port}  --data {self.data}  (process {self.pid})"


def describe_this(
    mode: Literal["dev", "serve"],
    endpoint: str,
    host: str,
    *,
    port: int,
    data: Path,
    ca: Path | None,
    entra: bool = False,
    operator_endpoint: str = "",
    tls: bool = True,
) -> RunningServer:
    """The record of this very process."""
    place, ca_place = data.absolute(), ca and ca.absolute()
    return RunningServer(mode, endpoint, host, port, place, ca_place, os.getpid(), entra, operator_endpoint, tls)


@contextlib.contextmanager
def announced(server: RunningServer, folder: Path) -> Iterator[None]:
    """Let this process be found as `server` until the block ends.

    Raises:
        OperatorError: the folder cannot be used, or is not this user's alone.
    """
    with _told_of(folder):
        record, held = _claim(make_private(folder), f"{server.pid}-{server.port}")
    with held:
        write_atomically(record, msgspec.json.encode(server, enc_hook=str))
        try:
            yield
        finally:
            record.unlink(missing_ok=True)
            # Windows refuses to remove an open file; the next listing does it then.
            with contextlib.suppress(OSError):
                record.with_suffix(".lock").unlink(missing_ok=True)


def running_servers(folder: Path) -> list[RunningServer]:
    """Those that live and accept connections, by port. What dead servers left behind is removed on the way.

    Raises:
        OperatorError: the folder cannot be used, or is not this user's alone.
    """
    with _told_of(folder):
        records = sorted(make_private(folder).glob("*.json"))
        servers = [server for server in map(_find_living, records) if server is not None and _accepts(server)]
    return sorted(servers, key=lambda server: server.port)


def find_one(folder: Path, port: int | None = None, data: Path | None = None) -> RunningServer:
    """The one server that runs, or that has this port or data directory.

    Raises:
        OperatorError: none or several match; the message lists them.
    """
    servers = running_servers(folder)
    matching = [
        server
        for server in servers
        if port in {None, server.port} and (data is None or data.resolve() == server.data.resolve())
    ]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise _not_one("Several servers are running", matching, "Name one with --port or --data.")
    if servers:
        raise _not_one("No running server matches; there are", servers, "Name one of these with --port or --data.")
    raise OperatorError(message="No server is running.", remedy="Start one with `watchword dev`.")


@contextlib.contextmanager
def _told_of(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OperatorError(
            f"The folder {folder} cannot be used: {reason_of(error)}.",
            "Name another place in WATCHWORD_HOME, on a file system that has locks.",
        ) from None


def _not_one(sentence: str, servers: list[RunningServer], remedy: str) -> OperatorError:
    lines = "".join(f"\n  {server}" for server in servers)
    return OperatorError(message=f"{sentence}:{lines}", remedy=remedy)


def _claim(folder: Path, name: str) -> tuple[Path, BinaryIO]:
    # Containers with one folder between them may well share process number and port; each finds a name of its own.
    for distinction in itertools.count():
        record = folder / (f"{name}-{distinction}.json" if distinction else f"{name}.json")
        held = hold(record.with_suffix(".lock"))
        if held is not None:
            return record, held
    raise AssertionError("counting never ends")


def _find_living(record: Path) -> RunningServer | None:
    lock = record.with_suffix(".lock")
    held = hold(lock)
    if held is not None:
        with held:
            record.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)
        return None
    try:
        return msgspec.json.decode(record.read_bytes(), type=RunningServer, dec_hook=_decode_path)
    except (FileNotFoundError, msgspec.DecodeError):
        # It ended just now, or it is a server of another version of Watchword.
        return None


def _decode_path(type: Any, value: Any) -> Any:
    return type(value)


def _accepts(server: RunningServer) -> bool:
    hosts = _LOOPBACK if server.host in _WILDCARDS else (server.host,)
    for host in hosts:
        with contextlib.suppress(OSError):
            socket.create_connection((host, server.port), _CONNECT_TIMEOUT_SECONDS).close()
            return True
    return False
