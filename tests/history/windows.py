"""When a verifier was cut off: from the beginning of an outage until its set was complete again as of after the end."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence

from tests.history.events import Applied, Outage, Pulse

RECONNECTING_NANOS = 3_000_000_000
"""A verifier that has not caught up so long after the end of an outage counts as connected again all the same."""

MACHINE_STOOD_STILL_NANOS = 200_000_000
"""A machine on which a process that only sleeps wakes up so late has an outage of its own."""


class Windows:
    """Spans of time, merged; ends included."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        for began, ended in sorted(spans):
            if self._ends and began <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], ended)
            else:
                self._begins.append(began)
                self._ends.append(ended)

    def overlap(self, began: int, ended: int) -> bool:
        place = bisect.bisect_left(self._ends, began)
        return place < len(self._begins) and self._begins[place] <= ended

    def share_of(self, began: int, ended: int) -> float:
        inside = (min(end, ended) - max(begin, began) for begin, end in zip(self._begins, self._ends, strict=True))
        return sum(max(each, 0) for each in inside) / max(ended - began, 1)


def cut_off(verifier: str, outages: Iterable[Outage], pulses: Iterable[Pulse], applied: Sequence[Applied]) -> Windows:
    """`applied` in the order in which it was logged."""
    spans = [(outage.began, outage.ended) for outage in outages if verifier in outage.verifiers]
    spans += [(pulse.due, pulse.came) for pulse in pulses if pulse.came - pulse.due > MACHINE_STOOD_STILL_NANOS]
    sent = [page.sent for page in applied]
    return Windows((began, _complete_after(ended, sent, applied)) for began, ended in spans)


def _complete_after(ended: int, sent: list[int], applied: Sequence[Applied]) -> int:
    place = bisect.bisect_left(sent, ended)
    latest = ended + RECONNECTING_NANOS
    return min(applied[place].at, latest) if place < len(applied) else latest
