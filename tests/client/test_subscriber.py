"""Following the feed: which polls are sent, in which order, and what becomes of bad answers."""

from datetime import timedelta

import pytest

from tests.client.pages import page_json
from tests.support.clock import stopped_clock
from tests.support.steady import Steady
from tests.support.tokens import claims
from watchword.client import Denied, ServiceError, TransportError, UnexpectedReply
from watchword.client.replies import Reply
from watchword.client.revocation_set import RevocationSet
from watchword.client.subscriber import Subscriber
from watchword.errors import InvalidToken
from watchword.wire.verification import Revocation

LOST = TransportError("No answer.", sent=True)


class Following:
    """A subscriber, its set, and the time."""

    def __init__(self, max_staleness: timedelta = timedelta(seconds=10)) -> None:
        self.steady = Steady()
        self.revocations = RevocationSet(max_staleness=max_staleness, steady=self.steady)
        self.subscriber = Subscriber(self.revocations, max_staleness, stopped_clock())

    def is_settled(self) -> bool:
        return self.subscriber.settled

    def error(self) -> ServiceError | TransportError | None:
        return self.subscriber.error

    def target(self) -> str:
        return self.subscriber.question().request.target

    def answer(self, body: str, status: int = 200, **headers: str) -> float:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.subscriber.take(Reply(status, named, body.encode()), self.steady.now)

    def lose(self) -> float:
        return self.subscriber.take(LOST, self.steady.now)


@pytest.fixture
def following() -> Following:
    return Following()


def test_a_newcomer_asks_for_everything_and_then_waits_for_what_comes(following: Following) -> None:
    assert following.target() == "/revocations"
    assert following.answer(page_json(cursor="e.1", snapshot=True)) == 0
    assert following.target() == "/revocations?since=e.1&wait=3.333"
    assert following.answer(page_json(Revocation("token", "a"), cursor="e.2")) == 0
    assert following.target() == "/revocations?since=e.2&wait=3.333"
    assert len(following.revocations) == 1


def test_once_a_day_everything_is_asked_for_anew_and_what_was_known_holds_meanwhile(following: Following) -> None:
    """A revocation that the service keeps for longer than a day is told again before it is forgotten here."""
    following.answer(page_json(Revocation("token", "a"), Revocation("token", "b"), cursor="e.1", snapshot=True))
    following.steady.pass_seconds(24 * 3_600 - 1)
    assert following.target() == "/revocations?since=e.1&wait=3.333"
    following.steady.pass_seconds(1)
    assert following.target() == "/revocations"
    following.answer(page_json(Revocation("token", "a"), cursor="e.1", snapshot=True, more=True))
    assert following.target() == "/revocations?since=e.1"
    assert len(following.revocations) == 2
    following.answer(page_json(cursor="e.2"))
    assert len(following.revocations) == 1
    following.steady.pass_seconds(2 * 3_600)
    following.answer(page_json(cursor="e.3"))
    assert len(following.revocations) == 1


def test_a_poll_never_waits_longer_than_proxies_do() -> None:
    following = Following(timedelta(minutes=10))
    following.answer(page_json(snapshot=True))
    assert following.target().endswith("wait=25.000")


def test_one_poll_may_hang_and_the_next_still_comes_within_the_bound(following: Following) -> None:
    following.answer(page_json(snapshot=True))
    waiting = following.subscriber.question()
    following.answer(page_json())
    hanging = following.subscriber.question()
    pause = following.lose()
    assert "wait" not in following.target()
    wait = timedelta(seconds=10) / 3
    assert waiting.deadline == hanging.deadline == wait + timedelta(seconds=10) / 6
    assert wait + hanging.deadline + timedelta(seconds=pause) < timedelta(seconds=10)


def test_where_there_is_more_it_is_asked_for_at_once_and_in_order(following: Following) -> None:
    assert following.answer(page_json(Revocation("token", "a"), cursor="e.1", snapshot=True, more=True)) == 0
    assert not following.is_settled()
    assert following.target() == "/revocations?since=e.1"
    assert following.answer(page_json(Revocation("token", "b"), cursor="e.2")) == 0
    assert following.is_settled()
    assert len(following.revocations) == 2


def test_a_lost_poll_is_asked_again_from_the_same_place_without_waiting_for_news(following: Following) -> None:
    following.answer(page_json(cursor="e.5", snapshot=True))
    pauses = [following.lose() for _ in range(8)]
    assert 0.05 <= pauses[0] <= 0.1
    assert all(pause <= 10 / 3 for pause in pauses)
    assert pauses[-1] >= 10 / 6
    assert following.target() == "/revocations?since=e.5"
    assert following.error() is LOST
    following.answer(page_json(cursor="e.5"))
    assert following.error() is None
    assert following.lose() <= 0.1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "{}",
        "[" * 100_000,
        '{"resource":"r","cursor":"e.2","revocations":[{"kind":"of tomorrow","id":"x"}]}',
        '{"resource":"r","cursor":"e.2","revocations":[{"kind":"token"}]}',
        '{"resource":"r","cursor":"e.2","revocations":[{"kind":"identity","id":"x","generation":"2"}]}',
    ],
)
def test_garbage_changes_nothing_and_makes_nothing_fresher(following: Following, body: str) -> None:
    following.answer(page_json(Revocation("token", "a"), cursor="e.1", snapshot=True))
    following.steady.pass_seconds(11)
    assert following.answer(body) > 0
    assert isinstance(following.error(), UnexpectedReply)
    assert following.target() == "/revocations?since=e.1"
    assert len(following.revocations) == 1
    with pytest.raises(InvalidToken, match="too long"):
        following.revocations.cutoffs(claims(), "kid")


def test_a_feed_that_promises_more_without_going_on_is_not_asked_in_a_loop(following: Following) -> None:
    following.answer(page_json(cursor="e.1", snapshot=True, more=True))
    assert following.answer(page_json(cursor="e.1", more=True)) > 0
    assert isinstance(following.error(), UnexpectedReply)


@pytest.mark.parametrize("status", [401, 403])
def test_a_credential_that_is_refused_is_told_and_nothing_grows_fresher(following: Following, status: int) -> None:
    following.answer(page_json(snapshot=True))
    body = '{"error":{"code":"Denied","message":"Denied by the resource provider."}}'
    assert following.answer(body, status) > 0
    assert isinstance(following.error(), Denied)
    following.steady.pass_seconds(11)
    with pytest.raises(InvalidToken, match="too long"):
        following.revocations.cutoffs(claims(), "kid")


@pytest.mark.parametrize("status", [204, 302, 307])
def test_an_answer_that_is_no_page_is_a_failure_and_a_redirect_is_one(following: Following, status: int) -> None:
    assert following.answer("", status, location="https://elsewhere.example/") > 0
    assert isinstance(following.error(), ServiceError)
    assert following.is_settled()


def test_a_service_that_asks_for_time_is_given_some(following: Following) -> None:
    assert following.answer("", 503, retry_after="7") == 7
    assert following.answer("", 503, retry_after="86400") == 10
