"""The clocks: what the time is, and what came after what."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import stopped_clock
from watchword.clock import MonotoneClock, ReadingClock, SystemClock, steady_seconds, to_datetime, to_micros

moments = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments)
def test_a_moment_survives_the_way_there_and_back_to_the_microsecond(moment: datetime) -> None:
    assert to_datetime(to_micros(moment)) == moment
    assert to_datetime(to_micros(moment)).tzinfo is UTC


def test_micros_count_from_1970_whatever_the_zone() -> None:
    assert to_micros(datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == 0
    assert to_micros(datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)) == 1_500_000
    assert to_micros(datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)) == -1


def test_the_system_clock_is_the_machines() -> None:
    before = to_micros(datetime.now(UTC))
    now = SystemClock().micros()
    assert before - 1 <= now <= to_micros(datetime.now(UTC)) + 1


@given(st.lists(st.integers(-5_000_000, 5_000_000), max_size=50))
def test_the_monotone_clock_grows_whatever_the_clock_below_it_does(moves: list[int]) -> None:
    clock = stopped_clock()
    monotone = MonotoneClock(clock)
    shown = [monotone.micros()]
    for micros in moves:
        clock.move(timedelta(microseconds=micros))
        shown.append(monotone.micros())
        assert shown[-1] >= clock.micros()
    assert shown == sorted(set(shown))
    assert monotone.last == shown[-1]


def test_the_monotone_clock_follows_the_time_again_once_that_has_caught_up() -> None:
    clock = stopped_clock()
    monotone = MonotoneClock(clock)
    first = monotone.micros()
    clock.move(timedelta(hours=-1))
    assert monotone.micros() == first + 1
    clock.move(timedelta(hours=2))
    assert monotone.micros() == clock.micros()


def test_who_only_looks_at_the_monotone_clock_moves_nothing() -> None:
    clock = stopped_clock()
    monotone = MonotoneClock(clock)
    reading = ReadingClock(monotone, clock)
    first = monotone.micros()
    assert reading.micros() == first
    clock.move(timedelta(hours=1))
    assert reading.micros() == clock.micros()
    clock.move(timedelta(hours=-1))
    assert (reading.micros(), monotone.micros()) == (first, first + 1)


def test_the_monotone_clock_carries_on_above_its_floor_after_a_restart() -> None:
    clock = stopped_clock()
    floor = clock.micros() + 3_600_000_000
    assert MonotoneClock(clock, floor).micros() == floor + 1
    assert MonotoneClock(clock, floor).last == floor


def test_threads_never_see_the_same_microsecond() -> None:
    monotone = MonotoneClock(stopped_clock())
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda _: [monotone.micros() for _ in range(2_000)], range(8)))
    shown = [micros for batch in batches for micros in batch]
    assert len(set(shown)) == len(shown)
    assert all(batch == sorted(batch) for batch in batches)


def test_steady_seconds_go_on_and_never_back() -> None:
    seen = [steady_seconds() for _ in range(100)]
    assert seen == sorted(seen)
