"""Plain numbers: in which bucket a value falls, and that sums are sums."""

from __future__ import annotations

import msgspec
import pytest

from watchword.measurements import FINE_SECONDS, REQUEST_SECONDS, Histogram, Measurements, Tally


@pytest.mark.parametrize(
    ("value", "bucket"), [(0.0, 0), (0.5, 0), (1.0, 0), (1.0001, 1), (2.0, 1), (3.9, 2), (4.0, 2), (4.1, 3), (1e9, 3)]
)
def test_a_value_counts_at_the_first_bound_that_is_not_below_it(value: float, bucket: int) -> None:
    histogram = Histogram.of((1.0, 2.0, 4.0))
    histogram.observe(value)
    assert histogram.counts == [int(place == bucket) for place in range(4)]
    assert histogram.sum == value


def test_bounds_ascend_from_a_tenth_of_a_millisecond_to_ten_seconds() -> None:
    assert (REQUEST_SECONDS[0], REQUEST_SECONDS[-1]) == (0.0001, 10.0)
    for bounds in (REQUEST_SECONDS, FINE_SECONDS):
        assert list(bounds) == sorted(set(bounds))


def test_a_block_is_timed_however_it_ends() -> None:
    histogram = Histogram.of(FINE_SECONDS)
    with pytest.raises(ValueError, match="on purpose"), histogram.timing():
        raise ValueError("on purpose")
    with histogram.timing():
        pass
    assert sum(histogram.counts) == 2
    assert histogram.sum > 0


def test_what_two_processes_counted_is_added_and_survives_its_writing_down() -> None:
    mine, theirs = Measurements(), Measurements()
    for measured, times in ((mine, 1), (theirs, 2)):
        measured.requests["Create", "201", "", "", "", ""] = Tally(times)
        measured.durations["Create"] = Histogram.of(REQUEST_SECONDS)
        every = (measured.durations["Create"], measured.signatures, measured.feed_answers)
        trips = measured.database
        for histogram in (*every, trips.reads.seconds, trips.writes.calls, trips.writes.waits, trips.transactions):
            for _ in range(times):
                histogram.observe(0.5)
    theirs.requests["Delete", "204", "", "", "", ""] = Tally(7)
    theirs.durations["Delete"] = Histogram.of(REQUEST_SECONDS)
    mine.add(msgspec.msgpack.decode(msgspec.msgpack.encode(theirs), type=Measurements))
    assert {labels[0]: count.value for labels, count in mine.requests.items()} == {"Create": 3, "Delete": 7}
    trips = mine.database
    for histogram in (
        mine.durations["Create"],
        mine.signatures,
        mine.feed_answers,
        trips.reads.seconds,
        trips.writes.calls,
        trips.writes.waits,
        trips.transactions,
    ):
        assert (sum(histogram.counts), histogram.sum) == (3, 1.5)
    assert sum(mine.durations["Delete"].counts) == 0
