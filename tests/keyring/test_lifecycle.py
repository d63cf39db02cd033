"""The life of a signing key, as a table; and which key signs until when."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.engines import Place
from watchword.keyring import store
from watchword.keyring.lifecycle import Schedule, alive_until, newest_of, signing_until, states
from watchword.keyring.store import SigningKeyRow

KEPT = 25 * 3_600 * 1_000_000
FOREVER = 10 * KEPT
_LATEST = 20


def _key(kid: str, signs_from: int, retired: int | None = None, revoked: int | None = None) -> SigningKeyRow:
    return SigningKeyRow(kid, "ES256", b"", 0, signs_from, retired, revoked)


def _states(now: int, *rows: SigningKeyRow) -> list[str]:
    return [state for _, state in states(list(rows), now)]


def test_a_key_is_published_signs_verifies_and_is_forgotten() -> None:
    rows = (_key("a", 0), _key("b", 100))
    assert _states(50, *rows) == ["signing", "published"]
    assert _states(100, *rows) == ["verifying", "signing"]
    assert _states(100 + KEPT - 1, *rows) == ["verifying", "signing"]
    assert _states(100 + KEPT, *rows) == ["expired", "signing"]


def test_a_retired_key_stops_signing_at_once_and_verifies_until_its_last_token_expires() -> None:
    row = _key("a", 0, retired=100)
    assert [_states(now, row) for now in (99, 100, 99 + KEPT, 100 + KEPT)] == [
        ["signing"], ["verifying"], ["verifying"], ["expired"],
    ]  # fmt: skip


def test_a_revoked_key_verifies_nothing_and_is_kept_as_long_as_its_revocation() -> None:
    row = _key("a", 0, revoked=100)
    assert [_states(now, row) for now in (100, 99 + KEPT, 100 + KEPT)] == [["revoked"], ["revoked"], ["expired"]]


@pytest.mark.parametrize("end", [{"retired": 150}, {"revoked": 150}])
def test_a_key_never_signs_again_whatever_becomes_of_the_newer_one(end: dict[str, int]) -> None:
    assert _states(200, _key("a", 0), _key("b", 100, **end))[0] == "verifying"


@pytest.mark.parametrize("end", [{"retired": 50}, {"revoked": 50}])
def test_a_newer_key_that_was_taken_away_before_it_began_changes_nothing(end: dict[str, int]) -> None:
    assert _states(200, _key("a", 0), _key("b", 100, **end))[0] == "signing"


def test_the_next_key_is_published_ahead_and_never_later_than_its_time() -> None:
    schedule = Schedule(timedelta(microseconds=1_000), timedelta(microseconds=200))
    rows = [_key("a", 0)]
    assert schedule.next_start(rows, 799) is None
    assert schedule.next_start(rows, 800) == 1_000
    # Nobody looked in time: verifiers get to know the key before it signs all the same.
    assert schedule.next_start(rows, 5_000) == 5_200
    assert schedule.next_start([*rows, _key("b", 1_000)], 900) is None


def test_a_key_that_was_taken_away_does_not_put_off_the_next_one() -> None:
    schedule = Schedule(timedelta(microseconds=1_000), timedelta(microseconds=200))
    rows = [_key("a", 0), _key("b", 1_000, revoked=850)]
    assert newest_of(rows) == rows[0]
    assert schedule.next_start(rows, 900) == 1_100


def test_rotation_by_hand_only_never_publishes() -> None:
    assert Schedule(None, timedelta(0)).next_start([_key("a", 0)], FOREVER) is None


def test_a_verifier_may_keep_a_key_set_for_less_than_a_key_is_published_ahead() -> None:
    schedule = Schedule(None, timedelta(seconds=10))
    assert schedule.key_set_age < schedule.ahead
    assert schedule.start_if_published(0) == 10_000_000


_moment = st.integers(0, 12)
_row = st.builds(
    SigningKeyRow,
    kid=st.just(""),
    algorithm=st.just("ES256"),
    private_key=st.just(b"x"),
    created_micros=st.just(0),
    signs_from_micros=_moment,
    retired_micros=st.none() | _moment,
    revoked_micros=st.none() | st.integers(0, 4),
)


@given(rows=st.lists(_row, max_size=5), now=st.integers(4, 12))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_key_that_signs_is_the_one_in_that_state_for_as_long_as_is_said(
    place: Place, rows: list[SigningKeyRow], now: int
) -> None:
    database = await place.open()
    try:
        await database.transact(lambda transaction: transaction.execute("delete from signing_keys"))
        for number, row in enumerate(rows):
            named = replace(row, kid=f"key {number}")
            await database.transact(partial(store.insert_key, row=named))
        kept = await database.transact(store.list_keys)
        assert [SigningKeyRow(*row) for row in await store.find_keys(database)] == kept
        kid, until = signing_until(kept, now)
        for time in range(now, min(until, _LATEST)):
            assert [row.kid for row, state in states(kept, time) if state == "signing"] == ([kid] if kid else [])
    finally:
        await database.close()


@given(rows=st.lists(_row, max_size=5), now=st.integers(0, 14))
def test_the_keys_whose_tokens_may_be_good_are_the_same_for_as_long_as_is_said(
    rows: list[SigningKeyRow], now: int
) -> None:
    kept = sorted((replace(row, kid=f"key {number}") for number, row in enumerate(rows)), key=_by_sign_time)
    # Around the start, and around the time when tokens of the first keys have ended.
    for begin in (now, KEPT + now):
        alive, until = alive_until(kept, begin)
        for time in range(begin, min(until, begin + 15)):
            found = [row for row, state in states(kept, time) if state not in ("expired", "revoked")]
            assert found == alive


def _by_sign_time(row: SigningKeyRow) -> tuple[int, int, str]:
    return row.signs_from_micros, row.created_micros, row.kid
