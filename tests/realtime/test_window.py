"""What was told and answered on a socket, and what is told again after it was cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from watchword.realtime.window import Window


def test_a_position_lies_below_whatever_has_no_answer() -> None:
    window = Window(10)
    first, second = window.send(12, 0.0), window.send(15, 0.0)
    assert window.reach(20) == (11, [])
    assert window.answer(first)
    assert window.reach(20) == (14, [])
    assert window.answer(second)
    assert window.reach(20) == (20, [])
    assert window.is_known(20)


def test_what_was_answered_above_a_gap_is_remembered_beside_the_position() -> None:
    window = Window(10)
    window.answer(window.send(15, 0.0))
    assert window.reach(12) == (12, [15])
    again = Window(12, [15])
    assert [again.is_known(entry) for entry in (12, 13, 15, 16)] == [True, False, True, False]
    assert again.reach(15) == (15, [])


def test_what_is_owed_and_not_sent_yet_holds_the_position() -> None:
    window = Window(10)
    window.owe(11)
    window.answer(window.send(12, 0.0))
    assert window.reach(20) == (10, [12])


def test_an_answer_behind_one_that_is_missing_does_not_count_yet() -> None:
    window = Window(10)
    ids = [window.send(entry, 0.0) for entry in (11, 12)]
    assert window.answer(ids[1])
    assert (window.reach(20), window.first_unanswered, window.unanswered) == ((10, []), 11, 2)
    assert window.answer(ids[0])
    assert (window.reach(20), window.unanswered) == ((20, []), 0)


def test_an_answer_counts_once_and_only_to_what_was_sent() -> None:
    window = Window(0)
    id = window.send(1, 0.0)
    assert [window.answer(each) for each in (0, id + 1, -5, id, id)] == [False, False, False, True, False]


def test_typing_is_awaited_and_never_told_again() -> None:
    window = Window(5)
    window.send(0, 3.0)
    assert (window.oldest_seconds, window.first_unanswered, window.reach(9)) == (3.0, 0, (9, []))


@given(entries=st.lists(st.integers(1, 60), unique=True, max_size=30), data=st.data())
def test_after_any_cut_everything_is_told_that_was_not_answered_in_order(
    entries: list[int], data: st.DataObject
) -> None:
    window = Window(0)
    ids = {window.send(entry, 0.0): entry for entry in entries}
    answered = data.draw(st.lists(st.sampled_from(list(ids)), unique=True)) if ids else []
    for id in answered:
        window.answer(id)
    low = data.draw(st.integers(0, 70))
    position, ahead = window.reach(low)
    again = Window(position, ahead)
    in_order = 0
    while in_order < len(entries) and list(ids)[in_order] in answered:
        in_order += 1
    settled = set(entries[:in_order])
    for entry in entries:
        if entry <= low or entry in settled:
            assert again.is_known(entry) == (entry in settled)
        else:
            assert not again.is_known(entry)
