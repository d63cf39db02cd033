"""What a process of a server is told by its supervisor, and what it reports; both are this package's own affair.

    standard input    one line of JSON, `Orders`. It stays open; the line "leave" means: the server is about to stop,
                      call yourself not ready. Its end means: finish, and stop. So no process outlives its supervisor
                      for long, however that one ends.
    standard output   one line: "ready", or why not in JSON, `{"message": ..., "remedy": ...}`

Secrets are among the settings, which is why they come this way: every user can read the arguments of all processes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from watchword.errors import OperatorError, WatchwordError
from watchword.files import Process
from watchword.server.event_loop import run_event_loop
from watchword.server.logs import set_up_logs
from watchword.settings import Settings

READY = b"ready\n"
LEAVE = b"leave\n"


class Orders(msgspec.Struct, frozen=True):
    """`sockets` are descriptors of listening sockets, which the process is born with; so is `data_lock`, which it holds
    for as long as it lives. `process` is `process` in what they send: a supervisor of a release before has that word.
    """

    process: Process = msgspec.field(name="worker")
    mode: Literal["dev", "serve"]
    settings: Settings
    data: Path
    endpoint: str
    sockets: tuple[int, ...]
    operator_port: int | None = None
    data_lock: int | None = None

    @property
    def descriptors(self) -> tuple[int, ...]:
        return self.sockets if self.data_lock is None else (*self.sockets, self.data_lock)

    def encode(self) -> bytes:
        return msgspec.json.encode(self, enc_hook=str) + b"\n"


@dataclass(frozen=True)
class Refusal:
    """Why a process does not start."""

    message: str
    remedy: str


def read_report(line: bytes, name: str) -> OperatorError | None:
    """None of a process that is ready."""
    if line == READY:
        return None
    try:
        refusal = msgspec.json.decode(line, type=Refusal)
    except msgspec.MsgspecError:
        return OperatorError(f"{name} ended before it answered.", "See what it wrote to standard error.")
    return OperatorError(refusal.message, refusal.remedy)


def carry_out(work: Callable[[Orders], Coroutine[Any, Any, None]]) -> None:
    """The whole life of a process that is given orders."""
    gc.disable()
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders, dec_hook=_decode_path)
    set_up_logs(orders.settings, for_people=orders.mode == "dev")
    try:
        run_event_loop(work(orders))
    except WatchwordError as error:
        told = error if isinstance(error, OperatorError) else OperatorError(repr(error), "Try again.")
        _report(msgspec.json.encode(Refusal(told.message, told.remedy)) + b"\n")
        sys.exit(1)


def report_ready() -> None:
    # From here on it works as usual, see `watchword.cli.main`. What was loaded stays.
    gc.freeze()
    gc.enable()
    _report(READY)


def follow_orders(*, stop: Callable[[], None], leave: Callable[[], None] = lambda: None) -> None:
    """Call `leave` at the word LEAVE, and `stop` when the supervisor says so, or is no more."""
    loop, descriptor = asyncio.get_running_loop(), sys.stdin.fileno()

    def look() -> None:
        if os.read(descriptor, len(LEAVE)):
            leave()
        else:
            loop.remove_reader(descriptor)
            stop()

    loop.add_reader(descriptor, look)


def ignore_signals() -> None:
    """Makes a process deaf that may stop only after others."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _report(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _decode_path(type: Any, value: Any) -> Any:
    return type(value)
