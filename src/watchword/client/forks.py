"""What a process that was forked off must not share with its parent: locks, threads and connections.

A server that forks its workers, as gunicorn and multiprocessing do, may have made a client before. The child has copies
of its locks, as they were at that moment, none of its threads, and the very same sockets.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """Something that can begin anew in a child."""

    def begin_anew(self) -> None:
        """Called in the child before anything else; nothing that the parent uses may be closed or waited for."""


_known: WeakSet[Forkable] = WeakSet()


def survive_forks(each: Forkable) -> None:
    """It begins anew in every child that this process forks from now on."""
    _known.add(each)


def _begin_anew() -> None:
    for each in list(_known):
        each.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
