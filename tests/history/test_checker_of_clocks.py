"""The checker on histories with wrong clocks: it excuses refusals, and nothing that anybody accepts."""

from __future__ import annotations

from typing import Any

from tests.history.checker import judge_absences, judge_doors, judge_presented
from tests.history.events import (
    Acknowledged,
    Dated,
    Introspected,
    Issued,
    Marked,
    Missing,
    Presented,
    Revoking,
    WrongClock,
)
from tests.history.fates import read_truth
from tests.history.test_checker import DEAD, LIVE, MS, REVOKED, dead_from, decided, rules
from tests.history.windows import Windows
from tests.support.tokens import ES256, claims
from watchword.tokens.issuer import sign


def stamped(jti: str, seconds: int) -> Issued:
    """Issued at 2 ms, when the wall clock said 1000 s, with a stamp of its own."""
    token = sign(claims(iat=seconds, exp=seconds + 60), ES256)
    return Issued(1 * MS, 2 * MS, jti, "ada", "key", "primary", seconds * 1_000_000, token)


DATED = Dated(2 * MS, 1_000 * 1_000_000)
LATER_WRONG = WrongClock(8_000 * MS, 9_000 * MS, "a jump")


def test_a_stamp_of_the_future_may_be_refused_for_it_and_a_right_one_may_not() -> None:
    truth = (DATED, stamped("ahead", 1_400), stamped("right", 1_000))
    assert rules(decided(50, "ahead", "issued"), truth=truth) == []
    assert rules(decided(50, "right", "issued"), truth=truth) == ["refused for its issued"]
    assert rules(decided(50, "ahead", "expiry"), truth=truth) == ["refused for its expiry"]


def test_doors_may_refuse_what_is_good_while_a_clock_is_wrong_and_accept_nothing_dead_then_either() -> None:
    truth = read_truth((DATED, stamped("ahead", 1_400), stamped("dead", 1_000), *REVOKED))
    wrong = Windows([(40 * MS, 60 * MS)])
    refused = [Introspected(50 * MS, 51 * MS, "live", False), Introspected(70 * MS, 71 * MS, "ahead", False)]
    assert judge_doors(read_truth((LIVE,)), refused[:1], wrong) == []
    assert len(judge_doors(read_truth((LIVE,)), refused[:1])) == 1
    assert judge_doors(truth, refused[1:]) == []
    assert len(judge_doors(truth, [Introspected(111 * MS, 112 * MS, "dead", True)], Windows([(0, 200 * MS)]))) == 1


def test_a_mark_may_kill_what_was_issued_below_it_from_the_moment_on_when_it_was_not_seen_yet() -> None:
    marked = (LIVE, Marked(50 * MS, 1_000_001))
    assert rules(decided(51, "live", "revoked"), truth=marked) == []
    assert rules(decided(49, "live", "revoked"), truth=marked) == ["a live token refused as revoked"]
    assert rules(decided(51, "live", "revoked"), truth=(LIVE, Marked(50 * MS, 1_000_000))) != []
    assert dead_from(LIVE, Marked(50 * MS, 1_000_001)) is None


def test_a_cut_off_by_a_right_clock_kills_what_came_before_it_whatever_its_stamp_says() -> None:
    ahead = stamped("ahead", 99_000)
    cut_off = (Revoking(10 * MS, "1", "cut off", "ada", 1_000_005_000), Acknowledged(11 * MS, "1"))
    assert dead_from(ahead, DATED, LATER_WRONG, *cut_off) == 11 * MS
    assert dead_from(ahead, DATED, WrongClock(0, 9_000 * MS, "a jump"), *cut_off) is None
    earlier = (Revoking(10 * MS, "1", "cut off", "ada", 999_999_000), Acknowledged(11 * MS, "1"))
    assert dead_from(ahead, DATED, LATER_WRONG, *earlier) is None
    # A moment ahead everybody takes for right.
    assert dead_from(stamped("drifted", 1_001), DATED, LATER_WRONG, *cut_off) is None


def test_what_is_said_not_to_be_there_must_have_been_deleted_by_somebody_else() -> None:
    deleting = (Revoking(50 * MS, "d", "delete", "ada"),)

    def found(*events: Any, told: Missing) -> int:
        return len(judge_absences(read_truth(events), [told]))

    assert found(told=Missing(60 * MS, "ada")) == 1
    assert found(*deleting, told=Missing(60 * MS, "ada", "r")) == 0
    assert found(*deleting, told=Missing(40 * MS, "ada", "r")) == 1
    assert found(*deleting, told=Missing(60 * MS, "ada", "d")) == 1
    assert found(*deleting, Revoking(55 * MS, "d", "delete", "ada"), told=Missing(60 * MS, "ada", "d")) == 0


def test_what_is_dead_may_not_be_accepted_on_any_occasion_and_what_is_fresh_must_be() -> None:
    truth = read_truth((LIVE, DEAD, *REVOKED))

    def found(jti: str, *, accepted: bool, when: str = "later", at: int = 200 * MS) -> list[str]:
        shown = [Presented(at, when, "door", jti, accepted)]
        return [finding.rule for finding in judge_presented(truth, shown, {"live": "later"})]

    assert found("dead", accepted=True) == ["accepted on an occasion when dead"]
    assert found("dead", accepted=True, at=105 * MS) == []
    assert found("dead", accepted=False) == []
    assert found("live", accepted=False) == ["a fresh token refused"]
    assert found("live", accepted=False, when="even later") == []
    assert found("live", accepted=True) == []
