"""When somebody who does not answer is asked again."""

from tests.support.steady import Steady
from watchword.outbound.breaker import FAILURES_IN_A_ROW, REST_SECONDS, Breaker


def test_everybody_may_ask_until_so_many_failures_came_in_a_row() -> None:
    breaker = Breaker(Steady())
    for _ in range(FAILURES_IN_A_ROW - 1):
        assert not breaker.note_failure()
    breaker.note_answer()
    for _ in range(FAILURES_IN_A_ROW - 1):
        assert not breaker.note_failure()
        assert breaker.may_ask()
    assert breaker.note_failure(), "it is this one"
    assert breaker.is_open
    assert not breaker.may_ask()


def test_one_is_let_through_after_each_rest_and_an_answer_lets_all() -> None:
    steady = Steady()
    breaker = Breaker(steady)
    for _ in range(FAILURES_IN_A_ROW):
        breaker.note_failure()
    for _ in range(3):
        steady.pass_seconds(REST_SECONDS - 1)
        assert not breaker.may_ask()
        steady.pass_seconds(1)
        assert [breaker.may_ask() for _ in range(3)] == [True, False, False]
        assert not breaker.note_failure(), "it was one before"
    breaker.note_answer()
    assert [breaker.may_ask() for _ in range(3)] == [True, True, True]


def test_one_that_never_came_back_keeps_nobody_from_asking_after_the_next_rest() -> None:
    steady = Steady()
    breaker = Breaker(steady)
    for _ in range(FAILURES_IN_A_ROW):
        breaker.note_failure()
    steady.pass_seconds(REST_SECONDS)
    assert breaker.may_ask()
    steady.pass_seconds(REST_SECONDS)
    assert breaker.may_ask()
