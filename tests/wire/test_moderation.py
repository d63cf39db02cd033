"""The contract with moderators: how questions are signed, and what is an answer."""

import hashlib
import hmac

import msgspec
import pytest

from watchword.wire.moderation import AnswerBody, QuestionBody, read_answer, signature


def test_signature_is_over_the_time_and_the_body() -> None:
    proof = hmac.new(b"secret", b'1764403200.{"a":1}', hashlib.sha256).hexdigest()
    assert signature(b"secret", 1_764_403_200, b'{"a":1}') == f"t=1764403200,v1={proof}"


def test_what_there_is_none_of_is_left_out() -> None:
    question = QuestionBody("topic", "r", "8:acs:x", "Tea", "2026-11-29T08:00:00Z")
    assert msgspec.json.decode(msgspec.json.encode(question)).keys() == {
        "kind", "resource", "sender", "content", "moment",
    }  # fmt: skip


def test_answer_may_hold_more_than_is_read() -> None:
    assert read_answer(b'{"action":"allow","score":0.1,"reason":"fine"}') == AnswerBody("allow", None, "fine")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"action":"maybe"}', b'{"action":"change"}', b"[" * 100_000, b"\xff"])
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever it is, it is read as no answer.
        read_answer(body)
