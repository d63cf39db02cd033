"""The Chat API's errors: what the original says to the letter, in its shape, and the published shape beside it."""

import json
from datetime import timedelta

import pytest

from watchword import errors
from watchword.errors import CallerError, Unavailable
from watchword.wire.chat_errors import describe

FORBIDDEN = "The initiator doesn't have the permission to perform the requested operation."

# Source: chat.md section 7: the status, the code, and the original's own sentence, or None where it has none.
ORIGINAL: list[tuple[CallerError | Unavailable, int, str, str | None]] = [
    (errors.ThreadNotFound(), 404, "NotFound", "The specified thread id was not found."),
    (errors.MalformedThreadId(), 400, "BadRequest", None),
    (errors.MalformedMessageId("x"), 400, "BadRequest", "Value for MessageId (x) is not valid."),
    (
        errors.MalformedParticipant("8:acs:invalidUserId"),
        400,
        "BadRequest",
        "Identifier format is invalid (8:acs:invalidUserId).",
    ),
    (errors.UnsupportedParticipant("28:x"), 400, "BadRequest", "Identifier format is not supported (28:x)."),
    (errors.NotAParticipant(), 403, "Forbidden", FORBIDDEN),
    (errors.NotTheSender(), 403, "Forbidden", FORBIDDEN),
    (errors.NotAllowed("It needs chat."), 403, "Forbidden", FORBIDDEN),
    (errors.UnknownReadMessage(), 404, "NotFound", None),
    (errors.TooManyParticipants("call", 201, 200), 400, "BadRequest", None),
    (errors.NotAuthenticated("It has expired."), 401, "Unauthorized", "Request is not authorized."),
    (
        errors.TooManyRequests("sendTyping", 5, 10, timedelta(seconds=3), "user"),
        429,
        "TooManyRequests",
        "Rate limit exceeded.",
    ),
    (
        Unavailable(timedelta(seconds=2)),
        503,
        "ServiceUnavailable",
        "The server is currently unable to handle the request.",
    ),
]


@pytest.mark.parametrize(("fact", "status", "code", "sentence"), ORIGINAL)
def test_the_original_shape_is_repeated_to_the_letter(
    fact: CallerError | Unavailable, status: int, code: str, sentence: str | None
) -> None:
    told = describe(fact)
    expected = {"Code": code, **({} if sentence is None else {"Message": sentence}), "Details": []}
    assert told.status == status
    assert json.dumps(json.loads(told.body())["CommunicationError"]) == json.dumps(expected)


@pytest.mark.parametrize(("fact", "status", "code", "sentence"), ORIGINAL)
def test_the_published_shape_says_the_same_and_more(
    fact: CallerError | Unavailable, status: int, code: str, sentence: str | None
) -> None:
    del status
    error = json.loads(describe(fact).body())["error"]
    assert error["code"] == code
    assert error["message"].startswith(sentence or "")
    assert len(error["message"]) > len(sentence or "")


def test_a_refused_token_starts_no_challenge_and_lists_no_versions() -> None:
    told = describe(errors.NotAuthenticated("It has expired."))
    assert (told.headers, told.lists_versions) == ((), False)


def test_a_client_is_told_when_to_come_again() -> None:
    for fact in (Unavailable(timedelta(seconds=2)), errors.TooManyRequests("x", 1, 1, timedelta(seconds=2), "user")):
        assert describe(fact).headers == (("retry-after", "2"),)


@pytest.mark.parametrize("id", ["x" * 10_000, "\0\r\n\u202e", "\ud800"])
def test_an_identifier_is_repeated_within_bounds_and_printable(id: str) -> None:
    for fact in (errors.MalformedMessageId(id), errors.MalformedParticipant(id), errors.UnsupportedMessageType(id)):
        message = describe(fact).message
        assert message.isprintable()
        assert len(message) < 250
        assert json.loads(describe(fact).body())["error"]["message"] == message
