"""Times, page sizes, links and cursors of chat."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.errors import InvalidQuery
from watchword.wire import chat_values as values
from watchword.wire.chat_cursors import read_cursor, write_cursor

THREAD = "19:acsV1_foL-mUK9P66jE9T-ZxMBTfvWBH3ae7HOxCS__D4TtrA1@thread.v2"
BOUND = ("messages", THREAD, "acs:r_1")


def test_a_time_has_whole_seconds_cut_off() -> None:
    # Observed: chat.md section 2.3.
    assert values.format_millis(1_749_594_021_900) == "2025-06-10T22:20:21Z"
    assert values.format_millis(1_749_594_021_999) == "2025-06-10T22:20:21Z"
    assert values.format_millis(0) == "1970-01-01T00:00:00Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_that_is_written_is_read_back(moment: datetime) -> None:
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    text = values.format_seconds(seconds)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    assert values.parse_millis(text) == seconds * 1_000


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("2001-09-09T01:46:40.000Z", 1_000_000_000_000),
        ("2024-02-16T23:47:41.718158Z", 1_708_127_261_718),
        ("2020-09-08T01:02:14.387Z", 1_599_526_934_387),
        ("2020-09-08T03:02:14.3+02:00", 1_599_526_934_300),
        ("2020-09-08T01:02:14", 1_599_526_934_000),
        ("1969-12-31T23:59:59.5Z", -500),
    ],
)
def test_times_of_all_clients_are_read(text: str, millis: int) -> None:
    assert values.parse_millis(text) == millis


@pytest.mark.parametrize(
    "text",
    ["", "now", "2020-02-30T00:00:00Z", "2020-09-08T25:00:00Z", "1599526934", "\uff10001-01-01T00:00:00Z"],
)  # fmt: skip
def test_what_is_no_time_is_none(text: str) -> None:
    assert values.parse_millis(text) is None


@pytest.mark.parametrize("text", ["", "-1", "1.5", "ten", "٣", "2147483648", "99999999999999999999"])
def test_a_skip_of_another_kind_is_refused(text: str) -> None:
    assert values.read_skip({}) == 0
    assert values.read_skip({"skip": "2147483647"}) == 2_147_483_647
    with pytest.raises(InvalidQuery):
        values.read_skip({"skip": text})


def test_links_have_the_recorded_forms() -> None:
    origin = "https://localhost:8443"
    # Observed: chat.md sections 2.1, 3.2, 4.1, 5.3.
    encoded = THREAD.replace("19:", "19%3A")
    assert values.thread_location(origin, THREAD) == f"{origin}/chat/threads/{encoded}"
    assert values.message_location(origin, THREAD, "17") == f"{origin}/chat/threads/{encoded}/messages/17"
    assert values.threads_link(origin, "abc", 2, version="2021-03-07") == (
        f"{origin}/chat/threads?syncState=abc&maxPageSize=2&api-version=2021-03-07"
    )
    assert values.threads_link(origin, "abc", None, version="2021-03-07") == (
        f"{origin}/chat/threads?syncState=abc&api-version=2021-03-07"
    )
    assert values.messages_link(origin, THREAD, "abc", size=2, version="2025-03-15") == (
        f"{origin}/chat/threads/{THREAD}/messages?syncState=abc&maxPageSize=2&api-version=2025-03-15"
    )
    assert values.skipping_link(origin, THREAD, "participants", skip=2, size=2, version="2025-03-15") == (
        f"{origin}/chat/threads/{THREAD}/participants?skip=2&maxPageSize=2&api-version=2025-03-15"
    )


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1, max_size=4))
def test_a_cursor_survives_a_link_and_is_read_back(numbers: list[int]) -> None:
    cursor = write_cursor(tuple(numbers), *BOUND)
    assert re.fullmatch(r"[\w-]+", cursor, re.ASCII)
    link = values.messages_link("https://localhost", THREAD, cursor, size=2, version="2025-03-15")
    [sent] = parse_qs(urlsplit(link).query)["syncState"]
    assert read_cursor(sent, len(numbers), *BOUND) == tuple(numbers)


def test_a_cursor_is_of_one_list_one_thread_and_one_user() -> None:
    cursor = write_cursor((1, 2), *BOUND)
    assert read_cursor(None, 2, *BOUND) is None
    for other in (("threads", *BOUND[1:]), ("messages", "19:x", BOUND[2]), (*BOUND[:2], "acs:r_2"), BOUND[:2]):
        with pytest.raises(InvalidQuery) as raised:
            read_cursor(cursor, 2, *other)
        assert raised.value.parameter == "syncState"
    with pytest.raises(InvalidQuery):
        read_cursor(cursor, 3, *BOUND)


@given(st.integers(0, 200), st.characters())
def test_a_cursor_that_was_tampered_with_is_refused(place: int, character: str) -> None:
    cursor = write_cursor((1_749_594_021_900, 0), *BOUND)
    place %= len(cursor)
    tampered = cursor[:place] + character + cursor[place + 1 :]
    try:
        assert read_cursor(tampered, 2, *BOUND) == (1_749_594_021_900, 0)
    except InvalidQuery:
        return
    # What reads alike is the same: the last character has bits that stand for nothing.
    assert tampered[:-1] == cursor[:-1]


@pytest.mark.parametrize("text", ["", "=", "é", "\0", "A" * 1_000_000, "AAAA", "%", "\ud800"])
def test_what_was_never_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuery):
        read_cursor(text, 2, *BOUND)
