"""Identifiers are unique, grow, and are read back as they were written."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import stopped_clock
from watchword.clock import SystemClock, to_micros
from watchword.identifiers import (
    FLAKE_EPOCH_MILLIS,
    FlakeMinter,
    IdentityId,
    new_guid,
    new_key_id,
    new_token_id,
    parse_guid,
    parse_identity,
    random_bytes,
    smallest_flake,
)

RESOURCE = "188d4cea-0a9b-4840-8fdc-7a5c71fe9bd0"
# Observed: an identifier of the original, and the Date header of the reply that brought it.
OBSERVED = "8:acs:2dee53b4-368b-45b4-ab52-8493fb117652_00000008-bd66-61a1-7f07-113a0d009a66"
OBSERVED_AT = datetime(2021, 3, 10, 19, 2, 21, 857_000, UTC)

guids = st.uuids().map(str)
flakes = st.binary(min_size=16, max_size=16)
jumps = st.lists(st.integers(-10_000_000, 10_000_000), max_size=50)


@given(guids, flakes)
def test_an_identifier_is_read_back_as_it_was_written(resource: str, flake: bytes) -> None:
    identity = IdentityId(resource, flake)
    assert parse_identity(str(identity)) == identity
    assert parse_identity(str(identity).upper().replace("8:ACS:", "8:acs:")) == identity


@given(guids, flakes)
def test_an_identifier_has_two_colons_and_exactly_one_underscore(resource: str, flake: bytes) -> None:
    text = str(IdentityId(resource, flake))
    assert (text.count(":"), text.count("_")) == (2, 1)


def test_an_identifier_of_the_original_tells_when_it_was_made() -> None:
    identity = parse_identity(OBSERVED)
    assert identity is not None
    assert identity.created_millis * 1_000 == to_micros(OBSERVED_AT)
    assert str(identity) == OBSERVED


@given(jumps)
def test_flakes_grow_whatever_the_clock_does(moves: list[int]) -> None:
    clock = stopped_clock()
    minter = FlakeMinter(clock)
    minted = [minter.mint()]
    for micros in moves:
        clock.move(timedelta(microseconds=micros))
        minted.append(minter.mint())
    assert minted == sorted(set(minted))
    assert all(len(flake) == 16 for flake in minted)


def test_a_clock_that_stands_still_uses_up_a_millisecond_and_borrows_the_next() -> None:
    clock = stopped_clock()
    minter = FlakeMinter(clock)
    minted = [minter.mint() for _ in range((1 << 16) + 2)]
    assert minted == sorted(set(minted))
    now = clock.micros() // 1_000
    assert IdentityId(RESOURCE, minted[0]).created_millis == now
    assert IdentityId(RESOURCE, minted[-1]).created_millis == now + 1


@given(st.integers(-86_400_000_000, 86_400_000_000))
def test_a_minter_carries_on_above_its_floor_after_a_restart(micros: int) -> None:
    clock = stopped_clock()
    floor = FlakeMinter(clock).mint()
    clock.move(timedelta(microseconds=micros))
    assert FlakeMinter(clock, floor).mint() > floor


def test_flakes_are_unique_across_threads_and_minters() -> None:
    minters = [FlakeMinter(SystemClock()) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda each: [each.mint() for _ in range(2_000)], minters * 4))
    minted = [flake for batch in batches for flake in batch]
    assert len(set(minted)) == len(minted)
    assert all(batch == sorted(batch) for batch in batches)


def test_a_flake_tells_nothing_of_the_host() -> None:
    nodes = {FlakeMinter(stopped_clock()).mint()[8:14] for _ in range(20)}
    assert len(nodes) == 20


@given(st.integers(0, 10_000_000_000_000), flakes)
def test_the_smallest_flake_of_a_moment_bounds_all_that_were_minted_then(millis: int, tail: bytes) -> None:
    bound = smallest_flake(FLAKE_EPOCH_MILLIS + millis)
    assert bound <= millis.to_bytes(8, "big") + tail[8:]
    assert millis == 0 or bound > (millis - 1).to_bytes(8, "big") + b"\xff" * 8


@given(st.integers())
def test_the_smallest_flake_of_any_moment_is_a_flake(millis: int) -> None:
    assert len(smallest_flake(millis)) == 16


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8:acs:",
        RESOURCE,
        OBSERVED + "\n",
        " " + OBSERVED,
        OBSERVED.replace("8:acs", "8:gcch-acs"),
        OBSERVED.replace("_", "__"),
        OBSERVED.replace("_", "-"),
        OBSERVED + "_" + RESOURCE,
        OBSERVED.replace("8", "٨", 1),  # An Arabic-Indic digit eight.
        OBSERVED.replace("-", "", 1),
        OBSERVED.replace(":", "%3A"),
    ],
)
def test_what_is_no_identifier_is_none(text: str) -> None:
    assert parse_identity(text) is None


@given(st.text(alphabet="0123456789abcdefABCDEF-_:8ac\n", max_size=90))
def test_reading_never_raises_and_never_takes_what_it_would_not_write(text: str) -> None:
    identity = parse_identity(text)
    assert identity is None or str(identity).lower() == text.lower()


def test_new_identifiers_have_their_form_and_are_never_drawn_twice() -> None:
    for draw, form in (
        (new_guid, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        (new_token_id, r"[0-9a-f]{32}"),
        (new_key_id, r"[0-9a-f]{16}"),
        (lambda: random_bytes(12).hex(), r"[0-9a-f]{24}"),
    ):
        drawn = [draw() for _ in range(200)]
        assert len(set(drawn)) == 200
        assert all(re.fullmatch(form, each) for each in drawn)


@given(guids)
def test_a_guid_is_read_in_any_case(guid: str) -> None:
    assert parse_guid(guid.upper()) == guid
    assert parse_guid(f"{guid}\n") is None
    assert parse_guid(guid.replace("-", "")) is None
