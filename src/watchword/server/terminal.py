"""Speaks to whoever started this program, beside its answer or its log."""

from __future__ import annotations

import sys


def is_watched() -> bool:
    """Whether standard output is a terminal. Else it may be a log, which others read and which is kept."""
    return sys.stdout is not None and sys.stdout.isatty()


def say(text: str) -> None:
    """A sentence for people, beside the command's answer."""
    print(text, file=sys.stderr, flush=True)
