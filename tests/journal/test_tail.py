"""What is new in a look, which ids are missing, and when they are missed no longer; without a database."""

from __future__ import annotations

import pytest

from watchword.journal import tail as tails
from watchword.journal.entries import Entry
from watchword.journal.marks import Mark, position_of
from watchword.journal.tail import Look, Tail

EPOCH = "9f2c04b1d6e83a57"


def entry(id: int) -> Entry:
    return Entry(id, 1, 7, id, "messageReceived", str(id), 0)


def look(
    *ids: int, open_from: int = 100, open_to: int = 100, oldest: int = 1, newest: int = 0, epoch: str = EPOCH
) -> Look:
    return Look(epoch, 0, open_from, open_to, oldest, newest or max(ids, default=0), [entry(id) for id in ids])


def taken(tail: Tail, found: Look) -> list[int]:
    entries = tail.take(found)
    assert entries is not None
    return [each.id for each in entries]


def a_tail(top: int = 0) -> Tail:
    return Tail(Mark(EPOCH, top))


def test_what_is_committed_is_taken_at_once_though_an_id_below_it_is_missing() -> None:
    tail = a_tail()
    assert taken(tail, look(1, 3, open_from=90)) == [1, 3]
    assert tail.mark == Mark(EPOCH, 3, ((2, 2),))
    assert tail.mark.low == 1


def test_an_entry_that_fills_a_gap_is_taken_once() -> None:
    tail = a_tail()
    taken(tail, look(5, open_from=90))
    assert taken(tail, look(3, newest=5, open_from=90)) == [3]
    assert tail.mark.gaps == ((1, 2), (4, 4))
    assert taken(tail, look(3, 5, newest=5, open_from=90)) == []


def test_a_gap_is_forgotten_once_every_transaction_has_ended_that_may_fill_it() -> None:
    tail = a_tail()
    taken(tail, look(2, open_from=90, open_to=100))
    taken(tail, look(newest=2, open_from=99, open_to=120))
    assert tail.mark.gaps == ((1, 1),)
    taken(tail, look(newest=2, open_from=100, open_to=120))
    assert tail.mark == Mark(EPOCH, 2)


def test_a_gap_that_appears_in_the_very_look_that_ends_its_transaction_is_not_lost() -> None:
    tail = a_tail()
    taken(tail, look(2, open_from=90, open_to=100))
    assert taken(tail, look(1, newest=2, open_from=100, open_to=120)) == [1]


def test_nothing_is_missing_where_nobody_was_under_way() -> None:
    tail = a_tail()
    assert taken(tail, look(10, 1_000_000, open_from=100, open_to=100)) == [10, 1_000_000]
    assert tail.mark == Mark(EPOCH, 1_000_000)


def test_a_gap_that_somebody_else_saw_is_kept_for_as_long_as_if_it_were_new() -> None:
    tail = Tail(Mark(EPOCH, 5, ((2, 3),)))
    taken(tail, look(newest=5, open_from=90, open_to=100))
    assert tail.mark.gaps == ((2, 3),)
    taken(tail, look(newest=5, open_from=100, open_to=130))
    assert tail.mark == Mark(EPOCH, 5)


def test_a_look_that_does_not_hold_all_of_the_gaps_forgets_none() -> None:
    tail = a_tail()
    taken(tail, look(9, open_from=90, open_to=100))
    partly = Look(EPOCH, 0, 200, 200, 1, 9, [entry(1)], is_full=True, are_gaps_full=True)
    assert taken(tail, partly) == [1]
    assert tail.mark.gaps == ((2, 8),)


@pytest.mark.parametrize(
    "found",
    [
        look(1, epoch="another"),
        look(newest=3),
        look(9, oldest=7),
    ],
    ids=["another history", "a history that ends earlier", "what comes next is purged"],
)
def test_who_cannot_know_what_came_next_starts_anew(found: Look) -> None:
    assert a_tail(5).take(found, now_seconds=3_600) is None


def test_who_looked_a_moment_ago_has_missed_nothing_that_is_purged() -> None:
    assert taken(a_tail(), look(2, 3, oldest=2, open_from=90)) == [2, 3]
    assert taken(a_tail(5), look(9, oldest=9, open_from=90)) == [9]
    assert taken(a_tail(5), look(oldest=0, newest=7)) == []


def test_who_was_away_while_all_was_purged_starts_anew() -> None:
    assert a_tail(5).take(look(oldest=0, newest=7), now_seconds=3_600) is None
    assert taken(a_tail(5), look(oldest=0, newest=5)) == []


def test_who_has_heard_everything_that_is_purged_goes_on() -> None:
    assert taken(a_tail(5), look(6, 7, oldest=6)) == [6, 7]
    assert taken(a_tail(5), look(oldest=5, newest=5)) == []


def test_with_too_many_gaps_entries_wait_until_some_have_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "MOST_GAPS", 3)
    tail = a_tail()
    assert taken(tail, look(2, 4, 6, 8, 10, open_from=90, open_to=100)) == [2, 4, 6]
    assert (tail.is_stuck, tail.gaps) == (True, 3)
    # What makes no gap is taken all the same, and so is what fills one.
    assert taken(tail, look(7, 8, 10, open_from=90, open_to=100)) == [7, 8]
    assert (tail.is_stuck, tail.gaps) == (True, 3)
    assert taken(tail, look(1, 10, open_from=90, open_to=110)) == [1, 10]
    assert (tail.is_stuck, tail.gaps) == (False, 3)
    assert taken(tail, look(12, open_from=90, open_to=110)) == []
    assert taken(tail, look(12, 14, 16, open_from=100, open_to=130)) == [12, 14]
    assert tail.mark.gaps == ((9, 9), (11, 11), (13, 13))


def test_two_marks_have_heard_together_what_either_has_heard() -> None:
    ours, theirs = Mark(EPOCH, 10, ((3, 4), (7, 8))), Mark(EPOCH, 14, ((4, 9), (12, 13)))
    joined = ours.joined(theirs)
    assert joined == theirs.joined(ours)
    assert joined == Mark(EPOCH, 14, ((4, 4), (7, 8), (12, 13)))
    for id in range(1, 20):
        assert joined.has_heard(id) == (ours.has_heard(id) or theirs.has_heard(id)), id


def test_a_position_is_what_nothing_below_will_ever_be_heard_of_again() -> None:
    mark = Mark(EPOCH, 10, ((3, 4), (7, 8)))
    assert mark.position == f"{EPOCH}.2"
    assert position_of(mark.position) == (EPOCH, 2)
    for wrong in ("", "x", ".1", f"{EPOCH}.-1", f"{EPOCH}.²", f"{EPOCH}.{'9' * 19}"):
        assert position_of(wrong) is None
