"""Speaks to whoever started this program, beside its answer or its log."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path


def is_watched() -> bool:
    """Whether standard output is a terminal. Else it may be a log, which others read and which is kept."""
    return sys.stdout is not None and sys.stdout.isatty()


def say(text: str) -> None:
    """A sentence for people, beside the command's answer; where nobody can be told, the work goes on."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def show(text: str) -> None:
    """What a server says on standard output. It serves all the same where that takes nothing: a terminal that was
    closed, a reader that has gone, a full disk.
    """
    try:
        print(text, flush=True)
    except OSError:
        # Else Python tries again at the end, and calls a good end a failure.
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
