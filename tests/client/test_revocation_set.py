"""The local set: it combines as the strictest, forgets what no token can need, and knows how stale it is."""

from datetime import timedelta
from typing import Any

import pytest

from tests.client.pages import page
from tests.support.steady import Steady
from tests.support.tokens import NOW_MICROS, RESOURCE, claims
from watchword.client.revocation_set import KEPT, RevocationSet
from watchword.errors import InvalidToken
from watchword.tokens import CutOffs, require_live
from watchword.wire.verification import Revocation

SKYPEID, TOKEN_ID = claims().skypeid, claims().jti
TEN = timedelta(seconds=10)


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture
def known(steady: Steady) -> RevocationSet:
    """A set that has just heard that nothing is revoked."""
    known = RevocationSet(max_staleness=TEN, steady=steady)
    known.apply(page(snapshot=True), steady.now)
    return known


def refusal(known: RevocationSet, kid: str = "kid", **changed: Any) -> str:
    """The check by which a token is refused, or nothing where it is live."""
    try:
        require_live(claims(**changed), known.cutoffs(claims(**changed), kid))
    except InvalidToken as error:
        return error.check
    return ""


def test_a_token_of_which_nothing_is_revoked_is_live(known: RevocationSet) -> None:
    assert known.cutoffs(claims(), "kid") == CutOffs()
    assert known.cutoffs(claims(accessKey=None), "kid") == CutOffs()


@pytest.mark.parametrize(
    ("revocation", "live"),
    [
        (Revocation("token", TOKEN_ID), {"jti": "1" * 32}),
        (Revocation("identity", SKYPEID, generation=2), {"gen": 2}),
        (Revocation("identity", SKYPEID, validFrom=NOW_MICROS + 1), {"iatMicros": NOW_MICROS + 1}),
        (Revocation("identity", SKYPEID, deleted=True), {"skypeid": f"acs:{RESOURCE}_other"}),
        (Revocation("resource", RESOURCE, generation=2), {"resourceGen": 2}),
        (Revocation("accessKey", "00112233aabbccdd"), {"accessKey": "key2"}),
        (Revocation("signingKey", "kid"), {"kid": "other"}),
    ],
)
def test_each_kind_ends_what_it_names_and_nothing_else(
    known: RevocationSet, steady: Steady, revocation: Revocation, live: dict[str, Any]
) -> None:
    assert refusal(known) == ""
    known.apply(page(revocation), steady.now)
    assert refusal(known) == "revoked"
    assert refusal(known, **live) == ""


def test_a_deleted_resource_ends_all_of_its_tokens(known: RevocationSet, steady: Steady) -> None:
    known.apply(page(Revocation("resource", RESOURCE, deleted=True)), steady.now)
    assert refusal(known, gen=99, resourceGen=99) == "revoked"


def test_cut_offs_of_one_subject_combine_as_the_strictest_in_any_order(known: RevocationSet, steady: Steady) -> None:
    """CVE-2026-18218, CVE-2026-8922: a later, milder cut-off must not lift an earlier, stricter one."""
    for each in (
        Revocation("identity", SKYPEID, generation=5),
        Revocation("identity", SKYPEID, generation=2, validFrom=NOW_MICROS - 7),
        Revocation("identity", SKYPEID, validFrom=NOW_MICROS - 9),
    ):
        known.apply(page(each), steady.now)
    assert known.cutoffs(claims(), "kid") == CutOffs(generation=5, valid_from_micros=NOW_MICROS - 7)
    known.apply(page(Revocation("identity", SKYPEID, deleted=True)), steady.now)
    known.apply(page(Revocation("identity", SKYPEID, generation=6)), steady.now)
    assert known.cutoffs(claims(), "kid").deleted


def test_cut_offs_of_two_levels_count_both(known: RevocationSet, steady: Steady) -> None:
    known.apply(
        page(Revocation("identity", SKYPEID, generation=1), Revocation("resource", RESOURCE, generation=2)), steady.now
    )
    assert refusal(known, gen=7, resourceGen=1) == "revoked"
    assert refusal(known, gen=0, resourceGen=7) == "revoked"


def test_a_snapshot_replaces_everything_at_once_when_its_last_page_is_there(
    known: RevocationSet, steady: Steady
) -> None:
    known.apply(page(Revocation("token", "old")), steady.now)
    steady.pass_seconds(5)
    known.apply(page(Revocation("token", "new"), snapshot=True, more=True), steady.now)
    assert (refusal(known, jti="old"), refusal(known, jti="new")) == ("revoked", "")
    assert known.staleness() == timedelta(seconds=5)
    known.apply(page(Revocation("token", "newer")), steady.now)
    assert [refusal(known, jti=jti) for jti in ("old", "new", "newer")] == ["", "revoked", "revoked"]
    assert known.staleness() == timedelta(0)


def test_a_page_that_is_not_the_last_applies_but_makes_nothing_fresher(known: RevocationSet, steady: Steady) -> None:
    steady.pass_seconds(4)
    known.apply(page(Revocation("token", TOKEN_ID), more=True), steady.now)
    assert refusal(known) == "revoked"
    assert known.staleness() == timedelta(seconds=4)


def test_staleness_counts_from_the_sending_of_a_poll_and_never_from_its_answer(
    known: RevocationSet, steady: Steady
) -> None:
    """A process that was stopped, or a connection that hung, reads old news: it must not take them for fresh."""
    sent = steady.now
    steady.pass_seconds(9)
    known.apply(page(), sent)
    assert known.staleness() == timedelta(seconds=9)
    steady.pass_seconds(1)
    assert refusal(known) == ""
    steady.pass_seconds(0.001)
    assert refusal(known) == "stale"
    known.apply(page(), steady.now)
    assert refusal(known) == ""


def test_a_reader_that_is_stopped_before_it_decides_finds_the_set_stale(steady: Steady) -> None:
    stops = iter([0.0, 11.0])

    def stopping() -> float:
        steady.pass_seconds(next(stops, 0.0))
        return steady()

    known = RevocationSet(max_staleness=TEN, steady=stopping)
    known.apply(page(snapshot=True), steady.now)
    assert refusal(known) == "stale"


def test_by_choice_a_stale_set_decides_by_what_it_knew_last(steady: Steady) -> None:
    known = RevocationSet(max_staleness=TEN, when_stale="accept", steady=steady)
    known.apply(page(Revocation("token", "dead"), snapshot=True), steady.now)
    steady.pass_seconds(3_600)
    assert refusal(known) == ""
    assert refusal(known, jti="dead") == "revoked"
    assert known.staleness() == timedelta(hours=1)


@pytest.mark.parametrize("when_stale", ["refuse", "accept"])
def test_before_the_first_page_every_token_is_refused_by_either_choice(when_stale: Any, steady: Steady) -> None:
    known = RevocationSet(max_staleness=TEN, when_stale=when_stale, steady=steady)
    assert known.staleness() is None
    assert refusal(known) == "stale"
    known.apply(page(snapshot=True, more=True), steady.now)
    assert refusal(known) == "stale"


def test_a_first_page_that_is_no_snapshot_proves_nothing(steady: Steady) -> None:
    known = RevocationSet(max_staleness=TEN, steady=steady)
    with pytest.raises(ValueError, match="not a snapshot"):
        known.apply(page(), steady.now)
    assert refusal(known) == "stale"


def test_the_tokens_of_another_resource_are_refused_because_their_revocations_are_not_told(
    known: RevocationSet,
) -> None:
    assert refusal(known, resourceId="00000000-0000-0000-0000-000000000000") == "resource"


def test_entries_go_when_no_token_can_need_them_any_more(known: RevocationSet, steady: Steady) -> None:
    for number in range(100):
        known.apply(page(Revocation("token", str(number))), steady.now)
    assert len(known) == 100
    steady.pass_seconds(KEPT.total_seconds() - 1)
    # Told again, it is kept for as long again.
    known.apply(page(Revocation("token", "7")), steady.now)
    assert len(known) == 100
    steady.pass_seconds(1)
    known.apply(page(), steady.now)
    assert len(known) == 1
    assert refusal(known, jti="7") == "revoked"


def test_entries_are_kept_for_as_long_as_the_longest_token_with_the_largest_leeway() -> None:
    assert timedelta(hours=25) == KEPT
