"""What happened in threads while a user took no part in them: that is not told afterwards either."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from watchword.journal.entries import Entry
from watchword.realtime.happenings import Happening, joined, left

KINDS = ("participantsAdded", "participantsRemoved")


def came_or_went(happening: Happening | None, subject: str) -> bool | None:
    """Whether a user came by it; None where neither they came nor went."""
    if happening is None:
        return None
    if any(named.subject == subject for named in joined(happening)):
        return True
    return False if any(named.subject == subject for named in left(happening)) else None


def absences(entries: Iterable[Entry], comings: Mapping[int, bool | None]) -> set[int]:
    """The ids of what is not told, of entries in their order; `comings` says by which ids the user came, or went.

    Whoever comes to a thread first was no part of it before.
    """
    found: set[int] = set()
    is_in: dict[int, bool] = {}
    before: defaultdict[int, list[int]] = defaultdict(list)
    for entry in entries:
        came = comings.get(entry.id)
        if came is not None:
            if came and entry.thread not in is_in:
                found.update(before[entry.thread])
            is_in[entry.thread] = came
        elif entry.thread not in is_in:
            before[entry.thread].append(entry.id)
        elif not is_in[entry.thread]:
            found.add(entry.id)
    return found
