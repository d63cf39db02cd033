"""The key set that is held: kept through failures, renewed in time, and no prey to a storm of unknown keys."""

import pytest

from tests.client.pages import key_set
from tests.support.clock import stopped_clock
from tests.support.tokens import ES256 as KEY
from watchword.client import TransportError, UnexpectedReply
from watchword.client.key_sets import MAXIMUM_AGE, UNKNOWN_KEY_PAUSE, HeldKeySet
from watchword.client.replies import Reply
from watchword.client.revocation_set import KEPT
from watchword.errors import InvalidToken
from watchword.tokens.issuer import new_signing_key

OTHER = new_signing_key("ES256")


def good(*keys: object, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(200, named, key_set(*keys).encode())  # type: ignore[arg-type]


@pytest.fixture
def held() -> HeldKeySet:
    """Has fetched a set with the tag "one" at second 0."""
    held = HeldKeySet(stopped_clock())
    assert held.take(good(KEY, etag='"one"', cache_control="public, max-age=60"), 0.0) == 45.0
    return held


def test_the_tag_is_shown_and_an_unchanged_set_is_fresh_again(held: HeldKeySet) -> None:
    assert held.question().headers == {"If-None-Match": '"one"'}
    before = held.keys
    held.take(Reply(304, {"cache-control": "max-age=60"}, b""), MAXIMUM_AGE.total_seconds())
    assert held.keys is before
    held.require_fresh(MAXIMUM_AGE.total_seconds() * 2)


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("max-age=60", 45.0),
        ("public,max-age=8 , immutable", 6.0),
        ("max-age=0", 1.0),
        ("max-age=999999999", 2_700.0),
        ("s-maxage=1", 225.0),
        ("no-store", 225.0),
        ("max-age=soon", 225.0),
        ("", 225.0),
    ],
)
def test_the_next_fetch_is_well_before_the_answers_max_age(header: str, pause: float) -> None:
    assert HeldKeySet(stopped_clock()).take(good(cache_control=header), 0.0) == pause


@pytest.mark.parametrize(
    "answer",
    [
        TransportError("No answer.", sent=True),
        Reply(500, {}, b""),
        Reply(302, {"location": "https://elsewhere.example/jwks.json"}, key_set(OTHER).encode()),
        Reply(204, {}, b""),
        Reply(200, {}, b""),
        Reply(200, {}, b"<html>sign in</html>"),
        Reply(200, {}, b'{"keys":[]}'),
        Reply(200, {}, b'{"keys":[{"kty":"oct","k":"AAAA","kid":"x"}]}'),
        Reply(200, {}, b'{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"x"}]}'),
        Reply(200, {}, b"[" * 100_000),
    ],
)
def test_a_failed_or_garbage_fetch_never_wipes_the_last_good_set(held: HeldKeySet, answer: Reply) -> None:
    assert held.take(answer, 10.0) <= 0.1
    assert held.error is not None
    assert held.keys.find(KEY.kid) is not None
    assert held.keys.find(OTHER.kid) is None
    held.require_fresh(11.0)
    held.take(Reply(304, {}, b""), 12.0)
    assert held.error is None


def test_without_a_tag_an_answer_that_nothing_changed_is_none() -> None:
    held = HeldKeySet(stopped_clock())
    assert held.take(Reply(304, {}, b""), 0.0) <= 0.1
    with pytest.raises(InvalidToken) as raised:
        held.require_fresh(0.0)
    assert raised.value.check == "stale"


def test_a_stale_set_serves_within_its_bound_and_then_fails_closed(held: HeldKeySet) -> None:
    held.require_fresh(MAXIMUM_AGE.total_seconds())
    with pytest.raises(InvalidToken) as raised:
        held.require_fresh(MAXIMUM_AGE.total_seconds() + 1)
    assert raised.value.check == "stale"


def test_a_set_is_given_up_before_the_revocation_of_one_of_its_keys_is_forgotten() -> None:
    assert MAXIMUM_AGE < KEPT


def test_a_key_that_did_not_change_stays_the_same_object(held: HeldKeySet) -> None:
    before = held.keys.find(KEY.kid)
    held.take(good(OTHER, KEY), 1.0)
    assert held.keys.find(OTHER.kid) is not None
    assert held.keys.find(KEY.kid) is before
    held.take(good(OTHER), 2.0)
    assert held.keys.find(KEY.kid) is None


def test_an_answer_that_was_overtaken_by_a_later_one_is_dropped(held: HeldKeySet) -> None:
    held.take(good(OTHER), 5.0)
    held.take(good(KEY), 4.0)
    assert held.keys.find(OTHER.kid) is not None
    held.take(TransportError("No answer.", sent=True), 4.5)
    assert held.error is None


def test_unknown_keys_cause_one_fetch_in_a_while(held: HeldKeySet) -> None:
    pause = UNKNOWN_KEY_PAUSE.total_seconds()
    assert held.may_ask_for_unknown(100.0)
    held.note_unknown(100.0)
    assert not held.may_ask_for_unknown(100.0 + pause - 0.001)
    assert held.may_ask_for_unknown(100.0 + pause)


def test_the_first_failure_is_told(held: HeldKeySet) -> None:
    held.take(Reply(200, {}, b"{}"), 1.0)
    assert isinstance(held.error, UnexpectedReply)
