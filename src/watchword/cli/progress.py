"""How far a long command has come: a bar on a terminal, a line for each tenth elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from watchword.server.terminal import say

if TYPE_CHECKING:
    from watchword.transfer.exports import Report

_LINES = 10


@contextmanager
def shown_progress() -> Iterator[Report]:
    """Shows it on standard error; several things may be done one after another."""
    if sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _lines()


@contextmanager
def _bars() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<10}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def report(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                tasks[doing] = progress.add_task(doing, total=total)
            progress.update(tasks[doing], completed=done)

        yield report


def _lines() -> Report:
    last = ("", 0)

    def report(doing: str, done: int, total: int) -> None:
        nonlocal last
        tenths = done * _LINES // total if total else _LINES
        if (doing, tenths) != last:
            last = (doing, tenths)
            say(f"{doing}: {done * 100 // total if total else 100} %")

    return report
