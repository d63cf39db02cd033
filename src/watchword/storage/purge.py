"""What a service keeps of a resource, and how it is deleted in small pieces once the resource is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Purge:
    """Names the tables that it empties: those of its own service, and no other's.

    `delete_some` is given the number of a resource and how many rows may go at most, and says how many went.
    """

    tables: tuple[str, ...]
    delete_some: Callable[[int, int], Awaitable[int]]
