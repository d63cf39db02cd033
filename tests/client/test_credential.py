"""The self-renewing credential: when it renews, how often, and what a failure does. No test sleeps."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest

from tests.client.refresher import MINUTE, Refresher, Timers, token
from tests.support.clock import stopped_clock
from tests.support.scripted_server import reply, scripted_server
from watchword.client import InvalidToken, RefreshFailed, UserTokenCredential
from watchword.testing import MovableClock


def test_a_token_is_kept_until_ten_minutes_before_it_expires(clock: MovableClock, refresher: Refresher) -> None:
    credential = UserTokenCredential(refresher=refresher, clock=clock)
    first = credential.get_token()
    assert first.expires_on == clock.micros() // 1_000_000 + 3600
    clock.move(50 * MINUTE - timedelta(microseconds=1))
    assert credential.get_token() == first
    assert refresher.calls == 1
    clock.move(timedelta(microseconds=1))
    assert credential.get_token() != first
    assert refresher.calls == 2


def test_a_token_with_less_to_go_is_renewed_at_half_of_it(clock: MovableClock, refresher: Refresher) -> None:
    credential = UserTokenCredential(token(clock, 8 * MINUTE), refresher=refresher, clock=clock)
    clock.move(4 * MINUTE - timedelta(microseconds=1))
    credential.get_token()
    assert refresher.calls == 0
    clock.move(timedelta(microseconds=1))
    credential.get_token()
    assert refresher.calls == 1


def test_a_token_that_does_not_tell_its_expiry_is_taken_for_ten_minutes(clock: MovableClock) -> None:
    credential = UserTokenCredential(refresher=lambda: "opaque", clock=clock)
    assert credential.get_token() == ("opaque", clock.micros() // 1_000_000 + 600)


@pytest.mark.parametrize(
    "odd", ["a.b.c", "a.!!.c", "a..c", "a.e30.c", "a.W10.c", "a.eyJleHAiOiAiMSJ9.c", "a.eyJleHAiOjFlMzAwfQ.c"]
)
def test_a_payload_that_cannot_be_read_makes_a_token_opaque(clock: MovableClock, odd: str) -> None:
    credential = UserTokenCredential(refresher=lambda: odd, clock=clock)
    assert credential.get_token().expires_on == clock.micros() // 1_000_000 + 600


def test_an_expired_token_to_begin_with_is_replaced_at_once(clock: MovableClock, refresher: Refresher) -> None:
    credential = UserTokenCredential(token(clock, -MINUTE), refresher=refresher, clock=clock)
    credential.get_token()
    assert refresher.calls == 1


def test_a_refresher_that_returns_an_expired_token_is_told_so(clock: MovableClock) -> None:
    credential = UserTokenCredential(refresher=lambda: token(clock, timedelta(0)), clock=clock)
    with pytest.raises(InvalidToken) as raised:
        credential.get_token()
    assert raised.value.check == "expiry"


@pytest.mark.parametrize("nothing", [None, "", 7])
def test_a_refresher_that_returns_no_token_is_told_so(clock: MovableClock, nothing: object) -> None:
    credential = UserTokenCredential(refresher=lambda: nothing, clock=clock)  # type: ignore[arg-type, return-value]
    with pytest.raises(InvalidToken) as raised:
        credential.get_token()
    assert raised.value.check == "format"


def test_a_failed_refresh_is_no_error_while_the_token_lives_and_is_tried_again_at_half(
    clock: MovableClock, refresher: Refresher
) -> None:
    credential = UserTokenCredential(token(clock, 30 * MINUTE), refresher=refresher, clock=clock)
    first = credential.get_token()
    refresher.failure = OSError("no network")
    clock.move(20 * MINUTE)
    assert [credential.get_token() for _ in range(3)] == [first] * 3
    assert refresher.calls == 1, "the next attempt is due at half of the ten minutes"
    clock.move(5 * MINUTE)
    assert credential.get_token() == first
    assert refresher.calls == 2
    clock.move(5 * MINUTE)
    with pytest.raises(OSError, match="no network"):
        credential.get_token()
    refresher.failure = None
    assert credential.get_token() != first


def test_threads_without_a_token_share_one_refresh(clock: MovableClock) -> None:
    release = threading.Event()
    calls: list[int] = []

    def refresh() -> str:
        calls.append(1)
        assert release.wait(10)
        return token(clock, 60 * MINUTE)

    credential = UserTokenCredential(refresher=refresh, clock=clock)
    together = threading.Barrier(9)

    def ask() -> str:
        together.wait(10)
        return credential.get_token().token

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask) for _ in range(8)]
        together.wait(10)
        release.set()
        assert len({each.result(10) for each in asked}) == 1
    assert len(calls) == 1


def test_while_one_thread_refreshes_the_others_go_on_with_the_current_token(clock: MovableClock) -> None:
    begun, release = threading.Event(), threading.Event()

    def refresh() -> str:
        begun.set()
        assert release.wait(10)
        return token(clock, 60 * MINUTE, "next")

    first = token(clock, 30 * MINUTE)
    credential = UserTokenCredential(first, refresher=refresh, clock=clock)
    clock.move(25 * MINUTE)
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(credential.get_token)
        assert begun.wait(10)
        assert credential.get_token().token == first
        release.set()
        assert fetching.result(10).token != first


def test_a_failure_reaches_every_thread_that_waited_and_the_next_one_tries_again(
    clock: MovableClock, refresher: Refresher
) -> None:
    refresher.failure = OSError("no network")
    credential = UserTokenCredential(refresher=refresher, clock=clock)
    for _ in range(2):
        with pytest.raises(OSError, match="no network"):
            credential.get_token()
    assert refresher.calls == 2


def test_a_proactive_credential_renews_itself_until_it_is_closed(
    clock: MovableClock, refresher: Refresher, timers: Timers
) -> None:
    with UserTokenCredential(refresher=refresher, proactive=True, clock=clock, start_timer=timers.start) as credential:
        assert timers.come() == 0.0
        assert [timers.come() for _ in range(3)] == [50 * 60.0] * 3
        assert refresher.calls == 4
        credential.get_token()
        assert refresher.calls == 4, "the token is there already"
    assert timers.pending == []
    with pytest.raises(RuntimeError, match="closed"):
        credential.get_token()


def test_a_proactive_credential_outlives_failures(clock: MovableClock, refresher: Refresher, timers: Timers) -> None:
    refresher.failure = OSError("no network")
    with UserTokenCredential(
        token(clock, 30 * MINUTE), refresher=refresher, proactive=True, clock=clock, start_timer=timers.start
    ):
        assert [timers.come() for _ in range(3)] == [1200.0, 300.0, 150.0]
        while clock.micros() < stopped_clock().micros() + 1_800_000_000:
            timers.come()
        assert timers.come() == 10.0, "no token is left: ten seconds between the attempts"
        refresher.failure = None
        timers.come()
        [(seconds, _)] = timers.pending
        assert 2999 <= seconds <= 3000, "an expiry has whole seconds only"


def test_a_timer_looks_again_after_an_hour_for_the_clock_may_have_been_set(
    clock: MovableClock, refresher: Refresher, timers: Timers
) -> None:
    first = token(clock, timedelta(hours=24))
    with UserTokenCredential(first, refresher=refresher, proactive=True, clock=clock, start_timer=timers.start):
        assert timers.come() == 3600.0
        assert refresher.calls == 0
        clock.move(timedelta(hours=23))
        timers.come()
        assert refresher.calls == 1


def test_the_real_timer_fetches_on_a_thread_of_its_own(clock: MovableClock) -> None:
    fetched = threading.Event()
    threads: list[threading.Thread] = []

    def refresh() -> str:
        threads.append(threading.current_thread())
        fetched.set()
        return token(clock, 60 * MINUTE)

    with UserTokenCredential(refresher=refresh, proactive=True, clock=clock):
        assert fetched.wait(10)
    assert threads[0] is not threading.current_thread()
    assert threads[0].daemon
    threads[0].join(10)


def test_clients_built_on_azure_core_take_it(clock: MovableClock, refresher: Refresher) -> None:
    credential = UserTokenCredential(refresher=refresher, clock=clock)
    # Its types name azure-core's own NamedTuple, which the library does without; the shape is the same.
    policy = BearerTokenCredentialPolicy(credential, "https://communication.azure.com//.default")  # type: ignore[arg-type]
    with scripted_server(reply(204)) as server, Pipeline(RequestsTransport(), [policy]) as pipeline:
        pipeline.run(HttpRequest("GET", f"{server.endpoint}/chat/threads"), enforce_https=False)
    assert server.received[0].headers["authorization"] == f"Bearer {credential.get_token().token}"


def test_a_refresher_that_asks_its_own_credential_is_told_so(clock: MovableClock) -> None:
    credential = UserTokenCredential(refresher=lambda: credential.get_token().token, clock=clock)
    with pytest.raises(RefreshFailed, match="asked the credential that it is to renew"):
        credential.get_token()


def test_a_refresher_that_asks_by_way_of_another_thread_ends_at_the_deadline(clock: MovableClock) -> None:
    def refresh() -> str:
        with ThreadPoolExecutor(1) as other:
            return other.submit(credential.get_token).result().token

    credential = UserTokenCredential(refresher=refresh, clock=clock, refresh_deadline=timedelta(seconds=0.2))
    with pytest.raises(RefreshFailed, match="did not return a token"):
        credential.get_token()


def test_a_refresher_that_asks_while_its_token_lives_gets_that_one(clock: MovableClock) -> None:
    first = token(clock, 30 * MINUTE, "first")
    asked: list[str] = []

    def refresh() -> str:
        asked.append(credential.get_token().token)
        return token(clock, 60 * MINUTE, "second")

    credential = UserTokenCredential(first, refresher=refresh, clock=clock)
    clock.move(25 * MINUTE)
    assert credential.get_token().token != first
    assert asked == [first]


def test_nobody_waits_for_ever_for_a_refresher_that_does_not_end_and_the_next_caller_tries_anew(
    clock: MovableClock,
) -> None:
    going, calls = threading.Event(), list[int]()

    def refresh() -> str:
        calls.append(1)
        if len(calls) == 1:
            going.wait(60)
        return token(clock, 60 * MINUTE, f"number {len(calls)}")

    credential = UserTokenCredential(refresher=refresh, clock=clock, refresh_deadline=timedelta(seconds=0.2))
    try:
        with pytest.raises(RefreshFailed, match=r"within 0\.2 seconds.*refresh_deadline"):
            credential.get_token()
        assert credential.get_token().token
        assert len(calls) == 2
    finally:
        going.set()
