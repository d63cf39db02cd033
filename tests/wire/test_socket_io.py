"""Frames of the dialect of socket.io, as clients send them and as they never should."""

from __future__ import annotations

import json

import pytest

from watchword.wire import socket_io
from watchword.wire.socket_io import Frame, PushAnswer


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("2::", Frame("2")),
        ("0::", Frame("0")),
        ('5:1+::{"name":"user.activity","args":[]}', Frame("5", "1", True, '{"name":"user.activity","args":[]}')),
        ('5:12::{"name":"ping"}', Frame("5", "12", False, '{"name":"ping"}')),
        ('3:::{"a":":::"}', Frame("3", "", False, '{"a":":::"}')),
        ("0:::dup", Frame("0", "", False, "dup")),
    ],
)
def test_a_frame_is_parted_at_its_first_three_colons(text: str, frame: Frame) -> None:
    assert socket_io.parse_frame(text) == frame


@pytest.mark.parametrize(
    "text", ["", "2", "2:", "22::", "9::", "5:x::", "5:-1::", "5:\u0661::", "5:1234567890123456::", "::"]
)
def test_what_is_no_frame_is_none(text: str) -> None:
    assert socket_io.parse_frame(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('5:1+::{"name":"user.activity","args":[{}]}', b"6:::1+[]"),
        ('5:7+::{"name":"ping"}', b"6:::7"),
        ('5:7::{"name":"ping"}', b"6:::7"),
        ("5:7+::nonsense", b"6:::7+[]"),
    ],
)
def test_an_event_is_answered_by_its_number(text: str, answer: bytes) -> None:
    frame = socket_io.parse_frame(text)
    assert frame is not None
    assert socket_io.ack(frame) == answer


@pytest.mark.parametrize("data", ["", "[]", "{}", '{"id":"1","status":200}', '{"id":1}', "\ud800", "{" * 9_000])
def test_what_is_no_answer_to_a_push_is_none(data: str) -> None:
    assert socket_io.parse_answer(data) is None


def test_an_answer_has_the_pushs_number_and_a_status() -> None:
    text = '{"id":7,"status":404,"headers":{"trouter-client":"{}"},"body":""}'
    assert socket_io.parse_answer(text) == PushAnswer(7, 404)


def test_an_end_has_three_colons_or_its_reason_would_be_an_endpoint() -> None:
    assert socket_io.DUPLICATE.split(b":::") == [b"0", b"dup"]
    kind, reason = socket_io.UNAUTHORIZED.split(b":::")
    assert (kind, json.loads(reason)) == (b"0", {"reason": "unauthorized"})
