"""How the contract words every error: a status, a code and a sentence for each; the recorded ones to the letter."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.error_samples import CHAT, IMPORTS, SAMPLES, describe
from watchword import errors
from watchword.errors import CallerError, Unavailable, common
from watchword.wire.errors import INTERNAL, WireError


def leaves(kind: type[errors.WatchwordError]) -> Iterator[type[errors.WatchwordError]]:
    # An engine may have a finer kind for its own use, which the wire words like the one above it.
    below = [each for each in kind.__subclasses__() if each.__module__.startswith(errors.__name__)]
    if not below:
        yield kind
    for each in below:
        yield from leaves(each)


def name(sample: object) -> str:
    return type(sample).__name__


def test_every_error_of_a_caller_has_a_sample_here() -> None:
    assert {type(sample) for sample in SAMPLES} == {*leaves(CallerError), *leaves(Unavailable), Unavailable}


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)", common.__doc__ or "")
    defined = [value for value in vars(errors).values() if isinstance(value, type)]
    kinds = [kind for kind in defined if issubclass(kind, errors.WatchwordError)]
    assert sorted(drawn) == sorted(kind.__name__ for kind in kinds if kind is not errors.WatchwordError)


@pytest.mark.parametrize("sample", SAMPLES, ids=name)
def test_every_fact_has_a_status_a_code_and_a_sentence(sample: CallerError | Unavailable) -> None:
    described = describe(sample)
    is_at_fault = isinstance(sample, CallerError) and not isinstance(sample, errors.NotServed)
    assert described.status in range(400, 500) if is_at_fault else described.status in (501, 503)
    assert re.fullmatch(r"([A-Z][a-z]+)+", described.code)
    assert re.fullmatch(r"[A-Za-z].*\.", described.message), "a whole sentence"
    assert not re.search(r"\{\w*\}|None|\.\.(?!\.)|timedelta", described.message), "nothing is left to be filled in"
    assert described.target != ""


@pytest.mark.parametrize("sample", SAMPLES, ids=name)
def test_every_error_has_one_shape(sample: CallerError | Unavailable) -> None:
    described = describe(sample)
    detail = {"code": described.code, "message": described.message}
    if described.target is not None:
        detail["target"] = described.target
    body = json.loads(described.body())
    if sample in CHAT or sample in IMPORTS:
        told = body.pop("CommunicationError")
        assert next(iter(told)) == "Code"
        assert list(told)[-1] == "Details"
        assert (told.pop("Code"), told.pop("Details")) == (described.code, [])
        assert not told or described.message.startswith(told["Message"])
    assert body == {"error": detail}


@pytest.mark.parametrize("sample", SAMPLES, ids=name)
def test_every_fact_that_a_caller_can_act_on_is_told(sample: CallerError | Unavailable) -> None:
    described = describe(sample)
    told = f"{described.message} {described.logged} {described.target} {described.headers}".lower()
    # These two are for the operator of a server whose clock is wrong; and those are told as words, and as a time.
    silent = {"path", "part", "method", "malformed", "message", "remedy", "is_everywhere", "until_millis"}
    for fact, value in vars(sample).items():
        if fact in silent or not value:
            continue
        seconds = f"{value.total_seconds():g}" if isinstance(value, timedelta) else None
        for each in value if isinstance(value, tuple) else (seconds or value,):
            assert str(each).lower() in told


def test_what_went_wrong_inside_is_not_told() -> None:
    assert WireError(500, "InternalError", "Internal server error.", lists_versions=False) == INTERNAL


# Source: identity.md section 3.2, recorded answers of the original: the older and the newer generation of wording, with
# the target's capitals and the header `api-supported-versions` as they were seen.
RECORDED = [
    (errors.MissingField("scopes"), 400, "ValidationError", "Scopes: The Scopes field is required.", "Scopes", False),
    (errors.NoScopes(), 400, "ValidationError", "Invalid scopes - Scopes field is required.", "scopes", True),
    (
        errors.InvalidLifetime(1441, 60, 1440),
        400,
        "ValidationError",
        "ExpiresInMinutes value 1441 is invalid. Value must be within the [60, 1440] interval.",
        "ExpiresInMinutes",
        True,
    ),
    (
        errors.IdentityNotOwned(),
        401,
        "IdentityNotOwned",
        "Provided identity doesn't belong to the resource.",
        None,
        True,
    ),
]


@pytest.mark.parametrize(("fact", "status", "code", "message", "target", "lists_versions"), RECORDED)
def test_what_was_recorded_is_repeated_to_the_letter(
    fact: CallerError, status: int, code: str, message: str, target: str | None, lists_versions: bool
) -> None:
    assert describe(fact) == WireError(status, code, message, target, lists_versions)


def test_a_refusal_of_a_credential_begins_with_the_original_sentence_and_says_why() -> None:
    described = describe(errors.NotAuthenticated("The x-ms-date header is missing."))
    assert described.message == "Denied by the resource provider. The x-ms-date header is missing."
    assert (described.status, described.code, described.lists_versions) == (401, "Denied", False)


def test_an_unsupported_api_version_is_told_in_the_original_sentence_and_with_those_that_are_served() -> None:
    described = describe(errors.UnsupportedApiVersion("https://localhost/identities", "2099-01-01", ("2023-10-01",)))
    assert (described.status, described.code) == (400, "UnsupportedApiVersion")
    assert described.message == (
        "The HTTP resource that matches the request URI 'https://localhost/identities' does not support the API "
        "version '2099-01-01'. Supported: 2023-10-01."
    )


def test_a_client_is_told_when_to_come_again_and_never_at_once() -> None:
    for delay, seconds in ((2.0, "2"), (0.2, "1"), (0.0, "1")):
        assert describe(Unavailable(timedelta(seconds=delay))).headers == (("retry-after", seconds),)


def test_a_long_scope_is_cut_off() -> None:
    assert len(describe(errors.UnknownScope("x" * 10_000, "scopes", ("chat",))).message) < 200
