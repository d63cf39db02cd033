"""What lists share: page sizes, times, cursors, and links that lead on."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.clock import to_datetime
from watchword.errors import InvalidQuery
from watchword.rest.call import Call
from watchword.rest.paging import moment, next_link, page_size
from watchword.rest.request import Request
from watchword.wire.cursors import read_cursor, write_cursor
from watchword.wire.operations import Operation
from watchword.wire.times import format_seconds, format_time, parse_time

THREAD = "19:acsV1_x-y@thread.v2"
LIST = Operation("Trial_List", "GET", "/threads/{id}/messages", 200, None, "A list.")


def _call(parts: dict[str, str], **query: str) -> Call[None]:
    request = Request("GET", "", query, {}, "https://localhost:8443", 8443, b"", [])
    return Call(LIST, "", request, None, parts, 0)


def test_a_page_above_the_largest_is_refused_or_cut_as_its_contract_says() -> None:
    assert page_size({}, default=10, largest=200) == 10
    assert page_size({"maxpagesize": "200"}, default=10, largest=200) == 200
    assert page_size({"maxpagesize": "201"}, default=10, largest=200, is_cut=True) == 200
    for size, is_cut in (("201", False), ("0", True), ("-1", True), ("ten", True), ("", True), ("9" * 5_000, True)):
        with pytest.raises(InvalidQuery) as told:
            page_size({"maxpagesize": size}, default=10, largest=200, is_cut=is_cut)
        assert told.value.parameter == "maxPageSize"


def test_a_link_keeps_what_was_asked_for_and_changes_what_is_named() -> None:
    asked = _call({"id": THREAD}, maxpagesize="2", starttime="2026-11-21", syncstate="before")
    link = next_link(asked, syncState="after", startTime=None)
    assert link == f"https://localhost:8443/threads/{THREAD}/messages?maxpagesize=2&syncState=after"


@given(part=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_whatever_stands_in_a_path_a_link_is_one_address(part: str) -> None:
    link = urlsplit(next_link(_call({"id": part}), syncState="x"))
    assert link.path.count("/") == 3
    assert re.fullmatch(r"[!-~]+", link.path)
    assert parse_qs(link.query) == {"syncState": ["x"]}


@given(position=st.binary(max_size=128))
def test_a_cursor_is_read_back_and_a_url_holds_it_as_it_is(position: bytes) -> None:
    cursor = write_cursor(position)
    assert re.fullmatch(r"[A-Za-z0-9_-]*", cursor)
    assert read_cursor(cursor, "syncState", len(position)) == position
    with pytest.raises(InvalidQuery):
        read_cursor(cursor, "syncState", len(position) + 1)


@given(text=st.text(max_size=400))
def test_a_cursor_that_nobody_was_given_is_told_by_its_parameter(text: str) -> None:
    with pytest.raises(InvalidQuery, match="nextLink") as told:
        read_cursor(text, "syncState", 1_000)
    assert told.value.parameter == "syncState"


@given(micros=st.integers(0, 4_102_444_800_000_000))
def test_a_time_that_was_written_is_read_back(micros: int) -> None:
    assert parse_time(format_time(micros)) == micros
    assert parse_time(format_seconds(micros)) == micros - micros % 1_000_000
    assert parse_time(to_datetime(micros).isoformat()) == micros


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2020-09-08T01:02:14.387Z", "2020-09-08T01:02:14.387+00:00"),
        ("2020-09-08T03:02:14+02:00", "2020-09-08T01:02:14+00:00"),
        ("2020-09-08T03:02:14 02:00", "2020-09-08T01:02:14+00:00"),
        ("2020-09-08T01:02:14.1234567Z", "2020-09-08T01:02:14.123456+00:00"),
        ("2020-09-08T01:02:14", "2020-09-08T01:02:14+00:00"),
    ],
)
def test_times_of_every_offset_and_fraction_are_read(text: str, written: str) -> None:
    found = moment({"starttime": text}, "startTime")
    assert found is not None
    assert format_time(found) == written


@pytest.mark.parametrize("text", ["", "yesterday", "2020-13-01", "1600000000"])
def test_what_is_no_time_is_told_by_its_parameter(text: str) -> None:
    with pytest.raises(InvalidQuery) as told:
        moment({"starttime": text}, "startTime")
    assert told.value.parameter == "startTime"
    assert moment({}, "startTime") is None
