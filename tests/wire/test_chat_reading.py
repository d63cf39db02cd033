"""What requests of chat say, in each api-version, and what JSON can do to them."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.errors import CallerError, MalformedBody, MissingField
from watchword.wire import chat_reading as reading
from watchword.wire import chat_versions as versions

NEWEST = versions.V2025_03_15
BOB = "8:acs:00000000-0000-0000-0000-000000000001_00000000-0000-0000-0000-000000000002"
GUID = "00000000-0000-0000-0000-000000000003"

Read = Callable[[bytes, str, list[str]], Any]
READERS: list[Read] = [
    reading.read_thread,
    reading.read_change,
    reading.read_added,
    reading.read_removed,
    reading.read_message,
    reading.read_edit,
    reading.read_receipt,
    reading.read_typing,
]


def read(reader: Read, body: Any, version: str = NEWEST) -> Any:
    return reader(body if isinstance(body, bytes) else json.dumps(body).encode(), version, [])


def test_what_the_original_writes_is_read() -> None:
    participant = {"communicationIdentifier": {"rawId": BOB, "communicationUser": {"id": BOB}}, "displayName": "Bob"}
    asked = read(
        reading.read_thread,
        {
            "topic": "Lunch",
            "participants": [participant | {"shareHistoryTime": "2020-10-30T10:50:50Z", "metadata": {"k": "v"}}],
            "metadata": {},
            "retentionPolicy": {"deleteThreadAfterDays": 40, "kind": "threadCreationDate"},
        },
    )
    assert (asked.topic, asked.metadata, asked.retention_days) == ("Lunch", {}, 40)
    assert asked.participants == [reading.InvitedParticipant(BOB, "Bob", 1_604_055_050_000, {"k": "v"})]


@pytest.mark.parametrize("version", versions.ALL)
def test_a_version_reads_the_members_that_it_knows_and_names_the_others(version: str) -> None:
    body = json.dumps(
        {"topic": "Lunch", "metadata": {"k": "v"}, "retentionPolicy": {"kind": "none"}, "unheardOf": 1}
    ).encode()
    ignored: list[str] = []
    asked = reading.read_thread(body, version, ignored)
    assert (asked.metadata is not None) == (version in versions.METADATA)
    assert ("metadata" in ignored) == (version not in versions.METADATA)
    assert ("retentionPolicy" in ignored) == (version not in versions.RETENTION)
    sent = read(reading.read_message, {"content": "c", "metadata": {"k": "v"}}, version)
    assert (sent.metadata is not None) == (version in versions.MESSAGE_METADATA)


@pytest.mark.parametrize(
    ("reader", "body", "expected"),
    [
        (reading.read_thread, {"topic": "t", "participants": None, "metadata": None, "retentionPolicy": None},
         reading.AskedThread("t", [], None, None)),
        (reading.read_thread, {"topic": "t", "metadata": {"a": None, "b": ""}},
         reading.AskedThread("t", [], {"b": ""}, None)),
        (reading.read_change, {}, reading.AskedChange(None, None, False, None)),
        (reading.read_change, {"topic": None, "metadata": None}, reading.AskedChange(None, None, False, None)),
        (reading.read_change, {"retentionPolicy": None}, reading.AskedChange(None, None, True, None)),
        (reading.read_change, {"retentionPolicy": {"kind": "none"}}, reading.AskedChange(None, None, True, None)),
        (reading.read_change, {"metadata": {"a": None}}, reading.AskedChange(None, {"a": None}, False, None)),
        (reading.read_message, {"content": "c", "type": None, "senderDisplayName": None, "metadata": None},
         reading.AskedMessage("c", None, None, None)),
        (reading.read_message, {"content": "c", "metadata": {"a": "", "b": None}},
         reading.AskedMessage("c", None, None, {"a": ""})),
        (reading.read_edit, {"content": None, "metadata": {"a": "", "b": None}},
         reading.AskedEdit(None, {"a": "", "b": None})),
        (reading.read_typing, {"senderDisplayName": None}, None),
        (reading.read_typing, b"", None),
    ],
)  # fmt: skip
def test_null_is_as_absent_but_where_a_merge_patch_means_it(reader: Read, body: Any, expected: Any) -> None:
    assert read(reader, body) == expected


@pytest.mark.parametrize(
    ("reader", "body", "field"),
    [
        (reading.read_thread, {}, "topic"),
        (reading.read_thread, {"topic": None}, "topic"),
        (reading.read_thread, {"topic": "t", "participants": [{}]}, "communicationIdentifier"),
        (reading.read_thread, {"topic": "t", "participants": [{"communicationIdentifier": {}}]},
         "communicationIdentifier"),
        (reading.read_added, {}, "participants"),
        (reading.read_added, {"participants": None}, "participants"),
        (reading.read_removed, {}, "rawId"),
        (reading.read_removed, {"rawId": "", "communicationUser": {"id": ""}}, "rawId"),
        (reading.read_message, {}, "content"),
        (reading.read_message, {"content": None}, "content"),
        (reading.read_receipt, {}, "chatMessageId"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(reader: Read, body: Any, field: str) -> None:
    with pytest.raises(MissingField) as raised:
        read(reader, body)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("reader", "body", "field"),
    [
        (reading.read_thread, {"topic": 1}, "topic"),
        (reading.read_thread, {"topic": "t", "participants": {}}, "participants"),
        (reading.read_thread, {"topic": "t", "participants": [None]}, "participants"),
        (reading.read_thread, {"topic": "t", "metadata": {"k": 1}}, "metadata"),
        (reading.read_thread, {"topic": "t", "metadata": []}, "metadata"),
        (reading.read_thread, {"topic": "t", "retentionPolicy": {"kind": "later"}}, "retentionPolicy"),
        (reading.read_thread, {"topic": "t", "retentionPolicy": {}}, "retentionPolicy"),
        (reading.read_thread, {"topic": "t", "retentionPolicy": {"kind": "threadCreationDate"}}, "retentionPolicy"),
        (reading.read_thread, {"topic": "t\0"}, "topic"),
        (reading.read_thread, {"topic": "t", "metadata": {"\0": "v"}}, "metadata"),
        (reading.read_thread, {"topic": "t", "metadata": {"k": "\0"}}, "metadata"),
        (reading.read_message, {"content": "\0"}, "content"),
        (reading.read_message, {"content": ["c"]}, "content"),
        (reading.read_receipt, {"chatMessageId": 1}, "chatMessageId"),
        (reading.read_typing, {"senderDisplayName": "\0"}, "senderDisplayName"),
        (reading.read_removed, {"rawId": BOB, "communicationUser": {"id": f"{BOB[:-1]}3"}}, "rawId"),
    ],
)  # fmt: skip
def test_what_is_not_of_its_type_is_refused_and_named(reader: Read, body: Any, field: str) -> None:
    with pytest.raises(MalformedBody) as raised:
        read(reader, body)
    assert raised.value.field == field


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b'"x"',
        b"{",
        b"\xff",
        b'{"topic":"\\ud800"}',
        b'{"content":"\xed\xa0\x80"}',
        b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"metadata":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_001,
    ],
)
def test_what_is_no_json_object_is_refused(reader: Read, body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read(reader, body)


@pytest.mark.parametrize(
    ("identifier", "raw_id"),
    [
        ({"communicationUser": {"id": BOB}}, BOB),
        ({"rawId": BOB}, BOB),
        ({"kind": "communicationUser", "rawId": BOB.upper(), "communicationUser": {"id": BOB}}, BOB.upper()),
        ({"microsoftTeamsUser": {"userId": GUID}}, f"8:orgid:{GUID}"),
        ({"microsoftTeamsUser": {"userId": GUID, "isAnonymous": True}}, f"8:teamsvisitor:{GUID}"),
        ({"microsoftTeamsUser": {"userId": GUID, "cloud": "gcch"}}, f"8:gcch:{GUID}"),
        ({"phoneNumber": {"value": "+15551234567"}}, "4:+15551234567"),
        ({"rawId": "4:+15551234567", "phoneNumber": {"value": "+15551234567"}}, "4:+15551234567"),
        ({"rawId": f"28:orgid:{GUID}", "microsoftTeamsApp": {"appId": GUID, "cloud": "public"}}, f"28:orgid:{GUID}"),
        ({"rawId": "anything", "kind": "unknown", "more": {"x": 1}}, "anything"),
    ],
)
def test_every_kind_of_identifier_has_its_raw_id(identifier: dict[str, Any], raw_id: str) -> None:
    assert read(reading.read_removed, identifier) == raw_id


def test_attachments_of_previews_are_refused_and_an_empty_list_is_none() -> None:
    for version in versions.IMAGES:
        assert read(reading.read_message, {"content": "c", "attachments": []}, version).content == "c"
        for reader in (reading.read_message, reading.read_edit):
            with pytest.raises(MalformedBody) as raised:
                read(reader, {"content": "c", "attachments": [{"id": "1", "attachmentType": "image"}]}, version)
            assert raised.value.field == "attachments"
    # Elsewhere nobody knows the member.
    assert read(reading.read_message, {"content": "c", "attachments": [{"id": "1"}]}).content == "c"


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("0001-01-01T00:00:00Z", 0),
        ("2020-10-30T10:50:50.9999999Z", 1_604_055_050_999),
        ("2020-10-30T12:50:50+02:00", 1_604_055_050_000),
        ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999),
    ],
)
def test_history_is_shared_from_a_time_on(text: str, millis: int) -> None:
    entry = {"communicationIdentifier": {"rawId": BOB}, "shareHistoryTime": text}
    assert read(reading.read_added, {"participants": [entry]})[0].history_millis == millis


@pytest.mark.parametrize("text", ["", "yesterday", "2020-13-30T10:50:50Z", "0"])
def test_history_that_is_shared_from_no_time_is_refused(text: str) -> None:
    entry = {"communicationIdentifier": {"rawId": BOB}, "shareHistoryTime": text}
    with pytest.raises(MalformedBody) as raised:
        read(reading.read_added, {"participants": [entry]})
    assert raised.value.field == "shareHistoryTime"


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["topic", "participants", "metadata", "retentionPolicy", "kind", "rawId", "communicationIdentifier", "content",
     "communicationUser", "id", "type", "attachments", "shareHistoryTime", "chatMessageId", "deleteThreadAfterDays"]
)  # fmt: skip
_BODIES = st.recursive(
    _ANYTHING,
    lambda inner: st.dictionaries(_NAMES, inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@given(_BODIES, st.sampled_from(READERS), st.sampled_from(versions.ALL))
def test_whatever_is_sent_is_read_or_refused(body: Any, reader: Read, version: str) -> None:
    with contextlib.suppress(CallerError):
        read(reader, body, version)


@given(st.binary(max_size=64), st.sampled_from(READERS))
def test_whatever_bytes_are_sent_are_read_or_refused(body: bytes, reader: Read) -> None:
    with contextlib.suppress(CallerError):
        read(reader, body)
