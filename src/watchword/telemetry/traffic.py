"""Counts requests: one call for each, at the end of its way.

What a stranger can make up is no label: an api-version that is none of the operation's is `other`, and an SDK counts by
name and version only after somebody who proved who they are has come with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from watchword.measurements import REQUEST_SECONDS, Histogram, Measurements, Tally
from watchword.telemetry.finished import OTHER, Finished
from watchword.telemetry.sdks import find_sdk

MOST_SDKS = 50
"""Names with their versions; one more is counted as `other`."""

_MOST_REMEMBERED = 512
_LONGEST_REMEMBERED = 256


class Traffic:
    """Knows which counts a request belongs to by what it looks like, so that the look-up is all that it costs."""

    def __init__(self, measured: Measurements) -> None:
        self._measured = measured
        self._sdks: set[str] = set()
        self._remembered: dict[tuple[object, ...], tuple[Tally, Histogram]] = {}

    def record(self, finished: Finished) -> None:
        """A request was answered."""
        sent, is_proved = finished.headers, finished.caller is not None
        agent, second_agent = sent.get("user-agent", ""), sent.get("x-ms-useragent", "")
        looks = (
            finished.operation,
            finished.status,
            finished.code,
            finished.version,
            agent,
            second_agent,
            is_proved,
        )
        found = self._remembered.get(looks)
        if found is None:
            found = self._count_of(finished)
            if len(agent) + len(second_agent) <= _LONGEST_REMEMBERED:
                self._remember(looks, found)
        count, durations = found
        count.value += 1
        durations.observe(finished.seconds)

    def record_refusal(self, status: int, code: str) -> None:
        """What the HTTP parser gave up on was answered; it is of no operation, and took no time to speak of."""
        self._measured.requests.setdefault(("", str(status), code, "", "", ""), Tally()).value += 1

    def _count_of(self, finished: Finished) -> tuple[Tally, Histogram]:
        id, code, version = finished.operation or "", finished.code or "", finished.version or ""
        is_proved = finished.caller is not None
        sdk, _, sdk_version = self._sdk(finished.headers, is_proved=is_proved).partition("/")
        labels = (id, str(finished.status), code, version, sdk, sdk_version)
        count = self._measured.requests.setdefault(labels, Tally())
        return count, self._measured.durations.setdefault(id, Histogram.of(REQUEST_SECONDS))

    def _sdk(self, sent: Mapping[str, str], *, is_proved: bool) -> str:
        found = find_sdk(sent)
        if found is None:
            return ""
        if is_proved and found not in self._sdks and len(self._sdks) < MOST_SDKS:
            self._sdks.add(found)
            # Until now it was counted as another one.
            self._remembered.clear()
        return found if found in self._sdks else f"{OTHER}/{OTHER}"

    def _remember(self, looks: tuple[object, ...], found: tuple[Tally, Histogram]) -> None:
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[looks] = found
