"""The checker itself, on histories written by hand: it finds what is wrong, and nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.history.checker import (
    Account,
    Finding,
    Judge,
    judge_doors,
    judge_lateness,
    most_by_chance,
    percentile,
)
from tests.history.events import (
    Acknowledged,
    Any,
    Applied,
    Created,
    Decided,
    Introspected,
    Issued,
    Listed,
    Log,
    Outage,
    Pulse,
    Refused,
    Revoking,
    events,
)
from tests.history.fates import Truth, read_truth
from tests.history.verdict import judge
from tests.history.windows import RECONNECTING_NANOS, Windows, cut_off

MS = 1_000_000
STALENESS = 1_500 * MS
LIVE = Issued(0, 1 * MS, "live", "ada", "key", "primary", 1_000_000, "")
DEAD = Issued(0, 1 * MS, "dead", "bob", "key", "primary", 1_000_000, "")
REVOKED = (Revoking(100 * MS, "1", "token", "dead"), Acknowledged(110 * MS, "1"))


def account(
    *decided: Decided, truth: tuple[Any, ...] = (LIVE, DEAD, *REVOKED), windows: Windows | None = None
) -> Account:
    judge = Judge("v", read_truth(truth), windows or Windows([]), STALENESS)
    for each in decided:
        judge.take(each)
    judge_lateness(judge.account, 0)
    return judge.account


def rules(
    *decided: Decided, truth: tuple[Any, ...] = (LIVE, DEAD, *REVOKED), windows: Windows | None = None
) -> list[str]:
    return [finding.rule for finding in account(*decided, truth=truth, windows=windows).findings]


def decided(milliseconds: float, jti: str, outcome: str) -> Decided:
    at = round(milliseconds * MS)
    return Decided(at, at + 1, jti, outcome)


def dead_from(token: Issued, *revocations: Any) -> int | None:
    return read_truth((token, *revocations)).fates[token.jti].dead_from


def test_a_history_as_it_should_be_has_no_findings() -> None:
    found = account(
        decided(50, "dead", "accepted"),
        decided(105, "dead", "revoked"),
        decided(106, "dead", "accepted"),
        decided(190, "dead", "accepted"),
        decided(200, "dead", "revoked"),
        decided(5_000, "live", "accepted"),
    )
    assert found.findings == []
    assert found.connected.accepted == {"1": 80 * MS}
    assert found.connected.refused == {"1": 0}
    assert found.outcomes == {"accepted": 4, "revoked": 2}


def test_acceptance_beyond_max_staleness_is_found_once_even_in_an_outage() -> None:
    windows = Windows([(0, 9_000 * MS)])
    late = [decided(1_611, "dead", "accepted"), decided(1_700, "dead", "accepted")]
    assert rules(decided(1_609, "dead", "accepted"), windows=windows) == []
    assert rules(*late, windows=windows) == ["accepted later than max_staleness"]


def many(count: int) -> tuple[Any, ...]:
    """So many tokens, each revoked at 9 ms."""
    return tuple(
        event
        for number in map(str, range(count))
        for event in (
            Issued(0, 1 * MS, number, "ada", "key", "primary", 0, ""),
            Revoking(2 * MS, number, "token", number),
            Acknowledged(9 * MS, number),
        )
    )


def test_few_late_refusals_are_chance_and_more_are_a_finding() -> None:
    on_time = [decided(10, str(number), "revoked") for number in range(100)]

    def late(count: int) -> list[str]:
        return rules(*(decided(110, str(number), "accepted") for number in range(count)), *on_time, truth=many(100))

    assert late(most_by_chance(100)) == []
    assert late(most_by_chance(100) + 1) == ["accepted later than the bound while connected"]


def test_lateness_counts_only_while_connected_and_less_on_a_busy_machine() -> None:
    late, truth = [decided(150, "0", "accepted"), decided(150, "1", "accepted")], many(2)
    assert rules(*late, truth=truth) == ["accepted later than the bound while connected"]
    assert rules(*late, truth=truth, windows=Windows([(105 * MS, 106 * MS)])) == []
    busy = account(*late, truth=truth)
    busy.findings.clear()
    judge_lateness(busy, 20 * MS)
    assert busy.findings == []


def test_a_live_token_refused_as_revoked_is_found() -> None:
    assert rules(decided(50, "live", "revoked")) == ["a live token refused as revoked"]
    assert rules(decided(99, "dead", "revoked")) == ["a live token refused as revoked"]
    assert rules(decided(101, "dead", "revoked")) == []


def test_staleness_is_a_finding_only_while_connected() -> None:
    assert rules(decided(50, "live", "stale")) == ["refused as stale while connected"]
    assert rules(decided(50, "live", "stale"), windows=Windows([(40 * MS, 60 * MS)])) == []


def test_any_other_refusal_is_a_finding() -> None:
    assert rules(decided(50, "live", "signature")) == ["refused for its signature"]


def test_an_unknown_key_is_a_finding_once_the_pause_between_fetches_is_over() -> None:
    assert rules(decided(5_900, "live", "key")) == []
    assert rules(decided(6_100, "live", "key")) == ["refused for an unknown key while connected"]
    assert rules(decided(6_100, "live", "key"), windows=Windows([(200 * MS, 300 * MS)])) == []


def test_a_revoked_signing_key_may_be_refused_as_unknown() -> None:
    truth = (LIVE, Revoking(100 * MS, "k", "signing key", "key"), Acknowledged(110 * MS, "k"))
    assert rules(decided(9_000, "live", "key"), decided(120, "live", "revoked"), truth=truth) == []
    assert rules(decided(1_700, "live", "accepted"), truth=truth)[0] == "accepted later than max_staleness"


@pytest.mark.parametrize(
    ("kind", "subject", "valid_from", "covered"),
    [
        ("token", "live", 0, True),
        ("token", "dead", 0, False),
        ("identity", "ada", 0, True),
        ("identity", "bob", 0, False),
        ("delete", "ada", 0, True),
        ("cut off", "ada", 1_000_001, True),
        ("cut off", "ada", 1_000_000, False),
        ("access key", "primary", 0, True),
        ("access key", "secondary", 0, False),
        ("signing key", "key", 0, True),
        ("resource", "whichever", 0, True),
    ],
)
def test_each_kind_covers_what_it_should(kind: str, subject: str, valid_from: int, covered: bool) -> None:
    revoked = (Revoking(50 * MS, "1", kind, subject, valid_from), Acknowledged(60 * MS, "1"))
    assert dead_from(LIVE, *revoked) == (60 * MS if covered else None)
    suspect = read_truth((LIVE, *revoked)).fates["live"].suspect_from
    assert suspect == (50 * MS if covered else None)


def test_what_is_issued_after_a_revocation_lives_and_what_is_issued_during_it_may() -> None:
    revoked = (Revoking(50 * MS, "1", "identity", "ada"), Acknowledged(60 * MS, "1"))
    after = Issued(61 * MS, 62 * MS, "t", "ada", "key", "primary", 0, "")
    during = Issued(55 * MS, 65 * MS, "t", "ada", "key", "primary", 0, "")
    assert read_truth((after, *revoked)).fates["t"].suspect_from is None
    fate = read_truth((during, *revoked)).fates["t"]
    assert (fate.dead_from, fate.suspect_from) == (None, 50 * MS)


def test_an_unanswered_attempt_promises_nothing_and_excuses_a_refusal() -> None:
    unanswered = (Revoking(50 * MS, "1", "identity", "ada"),)
    assert dead_from(LIVE, *unanswered) is None
    assert rules(decided(70, "live", "revoked"), truth=(LIVE, *unanswered)) == []
    again = (*unanswered, Revoking(80 * MS, "1", "identity", "ada"), Acknowledged(90 * MS, "1"))
    between = Issued(60 * MS, 70 * MS, "t", "ada", "key", "primary", 0, "")
    assert dead_from(between, *again) == 90 * MS


def test_an_attempt_that_was_given_up_may_be_carried_out_behind_another_one_for_a_while() -> None:
    attempts = [Revoking(at * MS, "1", "identity", "ada") for at in (50, 80)]
    soon, late = (Issued(at * MS, at * MS, "t", "ada", "key", "primary", 1, "") for at in (2_000, 40_000))
    fates = [read_truth((token, *attempts, Acknowledged(90 * MS, "1"))).fates["t"] for token in (soon, late)]
    assert [(each.dead_from, each.suspect_from) for each in fates] == [(None, 50 * MS), (None, None)]


def test_the_earliest_acknowledgement_decides() -> None:
    revoked = (Revoking(50 * MS, "2", "delete", "bob"), Acknowledged(60 * MS, "2"))
    assert dead_from(DEAD, *REVOKED, *revoked) == 60 * MS


def test_doors_are_exact() -> None:
    late = Issued(70 * MS, 71 * MS, "late", "cy", "key", "primary", 0, "")
    truth = read_truth((LIVE, DEAD, late, *REVOKED, Revoking(1, "d", "delete", "cy"), Acknowledged(60 * MS, "d")))
    found = judge_doors(
        truth,
        [
            Introspected(109 * MS, 120 * MS, "dead", True),
            Introspected(111 * MS, 120 * MS, "dead", True),
            Introspected(50 * MS, 99 * MS, "dead", False),
            Introspected(50 * MS, 101 * MS, "dead", False),
            Introspected(50 * MS, 51 * MS, "live", True),
        ],
    )
    assert [(finding.rule, finding.facts.split(",")[0]) for finding in found] == [
        ("introspected as active when dead", "token dead"),
        ("introspected as inactive when live", "token dead"),
        ("issued to a deleted identity", "token late"),
    ]


def test_an_outage_lasts_until_a_page_that_was_asked_for_after_its_end() -> None:
    outages = [Outage(10, 20, "cut", ["v"]), Outage(100, 120, "cut", ["w"])]
    windows = cut_off("v", outages, [], [Applied(5, 15), Applied(19, 25), Applied(21, 40)])
    assert [windows.overlap(*span) for span in ((0, 9), (9, 10), (30, 31), (40, 50), (41, 200))] == [
        False, True, True, True, False,
    ]  # fmt: skip
    assert windows.share_of(0, 60) == 0.5


def test_an_outage_that_a_verifier_does_not_recover_from_ends_all_the_same() -> None:
    windows = cut_off("v", [Outage(10, 20, "cut", ["v"])], [], [Applied(5, 15)])
    assert windows.overlap(20 + RECONNECTING_NANOS, 20 + RECONNECTING_NANOS)
    assert not windows.overlap(21 + RECONNECTING_NANOS, 21 + RECONNECTING_NANOS)


def test_a_machine_that_stood_still_is_an_outage_of_everybody() -> None:
    pulses = [Pulse(10, 20), Pulse(1_000 * MS, 1_300 * MS)]
    windows = cut_off("v", [], pulses, [Applied(1_301 * MS, 1_302 * MS)])
    assert not windows.overlap(0, 999 * MS)
    assert windows.overlap(1_100 * MS, 1_100 * MS)


def test_spans_are_merged() -> None:
    windows = Windows([(10, 50), (20, 30), (50, 60), (80, 90)])
    assert windows.share_of(0, 100) == 0.6
    assert windows.overlap(55, 56)
    assert not windows.overlap(61, 79)


def test_chance_allows_about_one_in_a_hundred() -> None:
    assert [most_by_chance(count) for count in (0, 1, 100, 1_000)] == [0, 1, 5, 21]
    assert 1_000 < most_by_chance(100_000) < 1_120


def test_percentiles_are_by_nearest_rank() -> None:
    assert [percentile(range(1, 101), share) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]
    assert percentile([], 0.99) == 0


def test_a_verdict_is_read_from_a_folder_and_half_a_line_at_its_end_is_left_out(tmp_path: Path) -> None:
    others, mine = Log(tmp_path / "others.log"), Log(tmp_path / "v.log")
    told: tuple[Any, ...] = (
        *(LIVE, DEAD, *REVOKED, Introspected(111 * MS, 120 * MS, "dead", True)),
        *(Created(1, "kept"), Created(1, "lost"), Created(1, "deleted"), Created(201 * MS, "later")),
        Revoking(2, "9", "delete", "deleted"),
        *(Refused(3, 503, "1"), Refused(3, 503, ""), Refused(3, 500, "1"), Listed(200 * MS, ["kept"])),
    )
    for event in (*told, Pulse(0, 1 * MS)):
        others.write(event)
    for event in (Applied(0, 1), decided(2_000, "dead", "accepted"), Applied(3_000 * MS, 3_001 * MS)):
        mine.write(event)
    with (tmp_path / "v.log").open("ab") as file:
        file.write(b'["decided",1,')
    assert len(list(events(tmp_path / "v.log"))) == 3
    verdict = judge(tmp_path, ["v"], STALENESS)
    assert Counter(finding.rule for finding in verdict.findings("v")) == {
        "introspected as active when dead": 1,
        "accepted later than max_staleness": 1,
        "an error that is no 503 with Retry-After": 2,
        "an acknowledged identity is gone": 1,
    }
    text = "\n".join(verdict.lines())
    assert "2 tokens, 1 revocations acknowledged" in text
    assert "FOUND accepted later than max_staleness: token dead, 1890.0 ms after the acknowledgement" in text
    assert isinstance(verdict.truth, Truth)
    assert isinstance(verdict.door[0], Finding)
