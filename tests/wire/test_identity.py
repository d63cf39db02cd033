"""The bodies of each api-version, and what JSON can do to them."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.clock import to_micros
from watchword.errors import InvalidCustomId, MalformedBody, MissingField
from watchword.wire import versions
from watchword.wire.identity import read_create, read_issue, read_update, scopes_of, shows_details
from watchword.wire.identity_bodies import (
    AccessTokenBody,
    CreatedBody,
    CreateRequest,
    IdentityBody,
)
from watchword.wire.times import format_seconds, format_time

NEWEST = versions.V2023_10_01
EARLIEST = versions.V2020_07_20_PREVIEW2
WITH_CUSTOM_IDS = versions.V2025_03_02_PREVIEW
EVERYTHING = b'{"createTokenWithScopes":["chat"],"expiresInMinutes":60,"customId":"bob"}'


@pytest.mark.parametrize("version", versions.ALL)
def test_each_api_version_reads_the_fields_that_it_knows_and_ignores_the_others(version: str) -> None:
    expected = CreateRequest(
        createTokenWithScopes=None if version == EARLIEST else ["chat"],
        expiresInMinutes=60 if version >= versions.V2022_10_01 else None,
        customId="bob" if version == WITH_CUSTOM_IDS else None,
    )
    assert read_create(EVERYTHING, version) == expected
    minutes = 60 if version >= versions.V2022_10_01 else None
    assert read_issue(b'{"scopes":["chat"],"expiresInMinutes":60}', version) == (["chat"], minutes)
    assert shows_details(version) == (version == WITH_CUSTOM_IDS)
    known = scopes_of(version)
    assert known is None if version == EARLIEST else ("chat.join" in (known or ())) == (version >= versions.V2023_10_01)


@pytest.mark.parametrize("version", versions.ALL)
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b" {} ", b'{"createTokenWithScopes":null,"expiresInMinutes":null,"customId":null}', b'{"x":[1]}'],
)
def test_a_create_request_may_leave_everything_out(body: bytes, version: str) -> None:
    assert read_create(body, version) == CreateRequest()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"scopes":null}', b'{"Scopes":null}', b'{"scope":["chat"]}'])
def test_a_token_needs_scopes(body: bytes) -> None:
    with pytest.raises(MissingField) as raised:
        read_issue(body, NEWEST)
    assert raised.value.field == "scopes"


@pytest.mark.parametrize("text", ["pstn", "Chat", "chat.join", "a" * 64, "urn:x/y_z-1"])
def test_the_earliest_version_issues_for_any_scope_that_a_token_can_hold(text: str) -> None:
    assert read_issue(msgspec.json.encode({"scopes": ["chat", text]}), EARLIEST) == (["chat", text], None)


@pytest.mark.parametrize(
    "text", ["", " ", "chat,voip", "chat voip", "a" * 65, "é", "a?", "a>", "a~", "a\x7f", "a\n", "\0"]
)
def test_the_earliest_version_refuses_what_would_not_stay_one_scope_in_a_token(text: str) -> None:
    with pytest.raises(MalformedBody) as raised:
        read_issue(msgspec.json.encode({"scopes": ["chat", text]}), EARLIEST)
    assert raised.value.field == "scopes"


def test_the_earliest_version_refuses_more_scopes_than_a_header_could_carry() -> None:
    many = [f"scope{number}" for number in range(21)]
    assert read_issue(msgspec.json.encode({"scopes": many[:20]}), EARLIEST) == (many[:20], None)
    with pytest.raises(MalformedBody):
        read_issue(msgspec.json.encode({"scopes": many}), EARLIEST)


def test_an_empty_list_of_scopes_is_left_to_the_rules() -> None:
    assert read_issue(b'{"scopes":[],"expiresInMinutes":null}', NEWEST) == ([], None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"null", ""),
        (b"[]", ""),
        (b'"text"', ""),
        (b"{", ""),
        (b"{}x", ""),
        (b"\x00", ""),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", ""),
        (b"// {}", ""),
        (b'{"a":1,}', ""),
        (b"{'a':1}", ""),
        (b'{"a":01}', ""),
        (b'{"expiresInMinutes":NaN}', ""),
        (b'{"createTokenWithScopes":"chat"}', "createTokenWithScopes"),
        (b'{"createTokenWithScopes":{}}', "createTokenWithScopes"),
        (b'{"createTokenWithScopes":[null]}', "createTokenWithScopes"),
        (b'{"createTokenWithScopes":[["chat"]]}', "createTokenWithScopes"),
        (b'{"expiresInMinutes":60.0}', "expiresInMinutes"),
        (b'{"expiresInMinutes":60.5}', "expiresInMinutes"),
        (b'{"expiresInMinutes":6e1}', "expiresInMinutes"),
        (b'{"expiresInMinutes":1e400}', "expiresInMinutes"),
        (b'{"expiresInMinutes":"60"}', "expiresInMinutes"),
        (b'{"expiresInMinutes":true}', "expiresInMinutes"),
        (b'{"expiresInMinutes":' + b"9" * 5_000 + b"}", "expiresInMinutes"),
        (b'{"customId":5}', "customId"),
    ],
)
def test_what_is_not_the_body_is_refused_and_the_field_named(body: bytes, field: str) -> None:
    with pytest.raises(MalformedBody) as raised:
        read_create(body, WITH_CUSTOM_IDS)
    assert raised.value.field == field
    assert raised.value.reason


@pytest.mark.parametrize(
    "text",
    [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\\ud800", b"\\udc00\\ud800", b"\\ud800x", b"\\x41", b"a\nb", b"\\u0000"],
    ids=["no utf-8", "overlong", "raw surrogate", "lone", "reversed", "half", "no escape", "control", "nul"],
)
def test_text_that_is_no_unicode_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedBody):
        read_create(b'{"customId":"' + text + b'"}', WITH_CUSTOM_IDS)


@pytest.mark.parametrize("text", ["a", "\N{GRINNING FACE}", "a\x01b", "'; drop table identities --", "ä" * 256])
def test_a_custom_id_is_any_text_of_1_to_256_characters(text: str) -> None:
    assert read_create(msgspec.json.encode({"customId": text}), WITH_CUSTOM_IDS).customId == text


@pytest.mark.parametrize("length", [0, 257])
def test_a_custom_id_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidCustomId) as raised:
        read_create(msgspec.json.encode({"customId": "x" * length}), WITH_CUSTOM_IDS)
    assert (raised.value.length, raised.value.maximum) == (length, 256)


@pytest.mark.parametrize("minutes", [-(2**63) - 1, 2**64, 10**300, int("9" * 4_300)])
def test_a_whole_number_of_any_size_is_left_to_the_rules(minutes: int) -> None:
    assert read_create(b'{"expiresInMinutes":%d}' % minutes, NEWEST).expiresInMinutes == minutes


@pytest.mark.parametrize("body", [b"[" * 65_000, b'{"x":' * 13_000, b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}"])
def test_deep_nesting_is_refused_and_not_fallen_into(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read_create(body, NEWEST)


def test_of_a_repeated_field_the_last_one_counts() -> None:
    assert read_issue(b'{"scopes":["chat"],"scopes":["voip"]}', NEWEST) == (["voip"], None)


@given(body=st.binary(max_size=64), version=st.sampled_from(versions.ALL))
def test_any_bytes_are_read_or_refused_with_an_error_of_ours(body: bytes, version: str) -> None:
    for read in (read_create, read_issue, lambda body, _: read_update(body)):
        try:
            read(body, version)
        except (MalformedBody, MissingField, InvalidCustomId):
            continue


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-09-09T21:39:39Z", datetime(2020, 9, 9, 21, 39, 39, tzinfo=UTC)),
        ("2020-09-09t21:39:39z", datetime(2020, 9, 9, 21, 39, 39, tzinfo=UTC)),
        ("2020-09-09 21:39:39Z", datetime(2020, 9, 9, 21, 39, 39, tzinfo=UTC)),
        ("2020-09-09T21:39:39", datetime(2020, 9, 9, 21, 39, 39, tzinfo=UTC)),
        ("2020-09-09T21:39:39.1234567+00:00", datetime(2020, 9, 9, 21, 39, 39, 123457, tzinfo=UTC)),
        ("2020-09-09T21:39:39-14:00", datetime(2020, 9, 9, 21, 39, 39, tzinfo=timezone(-timedelta(hours=14)))),
        ("0001-01-01T00:00:00+23:59", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23, minutes=59)))),
    ],
)
def test_a_time_is_read_in_the_forms_of_rfc_3339_and_without_a_zone_is_utc(text: str, moment: datetime) -> None:
    read = read_update(msgspec.json.encode({"tokensValidFrom": text}))
    assert read == moment
    assert read is not None
    assert read.tzinfo is not None


@pytest.mark.parametrize("body", [b"", b"{}", b'{"tokensValidFrom":null}'])
def test_a_time_may_be_left_out(body: bytes) -> None:
    assert read_update(body) is None


@pytest.mark.parametrize(
    "value",
    ['"2020-09-09"', '"2020-02-30T00:00:00Z"', '"2020-09-09T24:00:00Z"', '"2020-09-09T21:39:60Z"', '""', "5", "1e9"],
)
def test_what_is_no_time_is_refused(value: str) -> None:
    with pytest.raises(MalformedBody) as raised:
        read_update(f'{{"tokensValidFrom":{value}}}'.encode())
    assert raised.value.field == "tokensValidFrom"


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "2022-11-16T09:48:02+00:00"),
        (723344, "2022-11-16T09:48:02.723344+00:00"),
        (723300, "2022-11-16T09:48:02.7233+00:00"),
        (5, "2022-11-16T09:48:02.000005+00:00"),
    ],
)
def test_a_time_is_written_as_the_original_does_with_zeros_trimmed(micros: int, text: str) -> None:
    moment = to_micros(datetime(2022, 11, 16, 9, 48, 2, micros, tzinfo=UTC))
    assert format_time(moment) == text
    assert format_seconds(moment) == "2022-11-16T09:48:02+00:00"


def test_an_answer_has_the_recorded_order_and_leaves_out_what_is_not_there() -> None:
    token = AccessTokenBody("eyJ", "2025-04-14T17:32:27.207853+00:00")
    details = IdentityBody(customId="alice", lastTokenIssuedAt="2025-04-14T15:32:27+00:00", id="8:acs:x")
    assert msgspec.json.encode(CreatedBody(IdentityBody(id="8:acs:x"))) == b'{"identity":{"id":"8:acs:x"}}'
    assert msgspec.json.encode(CreatedBody(details, token)) == (
        b'{"identity":{"customId":"alice","lastTokenIssuedAt":"2025-04-14T15:32:27+00:00","id":"8:acs:x"},'
        b'"accessToken":{"token":"eyJ","expiresOn":"2025-04-14T17:32:27.207853+00:00"}}'
    )
