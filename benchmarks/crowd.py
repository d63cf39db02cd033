"""Thousands of realtime clients as a process of their own, see `listeners`, and what is asked of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.machine import on_core
from benchmarks.processes import PROJECT

Whose = tuple[str, str]
"""Token and endpoint id of one client."""


class Crowd:
    """Each order is waited for."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child

    def know(self, port: int, whose: Sequence[Whose], *, tls: bool) -> None:
        """More clients, which are not connected yet."""
        self._order("know", port, tls, whose)

    def open(self) -> tuple[float, int]:
        """Connect all that are not: how many seconds that took, and how often one was refused meanwhile."""
        seconds, refused = self._order("open")
        return seconds, refused

    def ask_for(self, count: int) -> None:
        """So many messages are to be heard; `heard` waits for it."""
        self._write("hear", count)

    def heard(self) -> list[float]:
        """When each was."""
        return list(self._read())

    def cpu_seconds(self) -> float:
        """So far; nobody may be lost."""
        seconds, lost = self._order("spent")
        if lost:
            raise RuntimeError(f"{lost} sockets were lost")
        return float(seconds)

    def forget(self) -> None:
        """Everybody leaves."""
        self._order("forget")

    def _order(self, name: str, *arguments: Any) -> Any:
        self._write(name, *arguments)
        return self._read()

    def _write(self, name: str, *arguments: Any) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._child.stdin.flush()

    def _read(self) -> Any:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError("the clients have ended: what they said stands above")
        return json.loads(line)


@contextmanager
def crowd(core: int) -> Iterator[Crowd]:
    """It ends with the block, or with whoever started it."""
    command = on_core(core, sys.executable, "-m", "benchmarks.listeners")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=dict(os.environ)
    ) as child:
        try:
            yield Crowd(child)
        finally:
            child.terminate()
