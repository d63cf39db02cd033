"""The strictest of all cut-offs decides, never the first found. CVE-2026-18218, CVE-2026-8922: two-level mistakes."""

import dataclasses
import random
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tokens import NOW_MICROS, claims
from watchword.errors import InvalidToken
from watchword.tokens.cutoffs import CutOffs, require_live

# Each pair is a cut-off that lets the token live, and one that kills it.
KINDS = {
    "generation": (1, 2),
    "resource_generation": (1, 2),
    "valid_from_micros": (NOW_MICROS, NOW_MICROS + 1),
    "deleted": (False, True),
    "token_revoked": (False, True),
    "access_key_revoked": (False, True),
    "signing_key_revoked": (False, True),
}


def _is_live(cutoffs: CutOffs, **changed: int) -> bool:
    try:
        require_live(claims(**changed), cutoffs)
    except InvalidToken as error:
        return error.check != "revoked"
    return True


def test_every_field_is_in_the_table() -> None:
    assert [field.name for field in dataclasses.fields(CutOffs)] == sorted(
        KINDS, key=[field.name for field in dataclasses.fields(CutOffs)].index
    )


def test_a_token_lives_only_if_no_kind_kills_it_in_all_combinations() -> None:
    """All 128; and whichever way the table is walked, the answer is the same."""
    for deadly in product((False, True), repeat=len(KINDS)):
        kinds = list(zip(KINDS.items(), deadly, strict=True))
        random.shuffle(kinds)
        values: dict[str, Any] = {name: pair[kills] for (name, pair), kills in kinds}
        assert _is_live(CutOffs(**values)) is not any(deadly), values


@given(
    *(st.integers(0, 3) for _ in range(4)),
    *(st.integers(NOW_MICROS - 2, NOW_MICROS + 2) for _ in range(2)),
)
def test_a_high_value_of_one_kind_never_makes_up_for_a_low_one_of_another(
    gen: int, resource_gen: int, cut: int, resource_cut: int, issued: int, valid_from: int
) -> None:
    lives = _is_live(
        CutOffs(generation=cut, resource_generation=resource_cut, valid_from_micros=valid_from),
        gen=gen,
        resourceGen=resource_gen,
        iatMicros=issued,
    )
    assert lives is (gen >= cut and resource_gen >= resource_cut and issued >= valid_from)


def test_same_second_and_same_microsecond_issue_and_revoke() -> None:
    """Generations decide, no clock: what was issued before dies and what is issued next lives, in one microsecond."""
    revoked = CutOffs(generation=2)
    assert not _is_live(revoked, gen=1, iatMicros=NOW_MICROS)
    assert _is_live(revoked, gen=2, iatMicros=NOW_MICROS)


@pytest.mark.parametrize(("issued", "lives"), [(NOW_MICROS - 1, False), (NOW_MICROS, True), (NOW_MICROS + 1, True)])
def test_a_cut_off_by_time_is_exact_to_the_microsecond_within_one_second(issued: int, lives: bool) -> None:
    assert _is_live(CutOffs(valid_from_micros=NOW_MICROS), iatMicros=issued) is lives
