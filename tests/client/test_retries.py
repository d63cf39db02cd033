"""When a call is tried again, how long after, and when never: over a real socket, without sleeping."""

from datetime import timedelta
from typing import Any

import pytest

from tests.client.support import (
    CREATED,
    CREATED_WITH_TOKEN,
    TOKEN,
    USER,
    Act,
    Perform,
    assert_signed,
    both_clients,
)
from tests.support.scripted_server import HANG_UP, SILENCE, reply, scripted_server
from watchword.client import IdentityNotFound, Retries, ServiceError, Throttled, TransportError, Unavailable
from watchword.client.retries import draw_fraction

TORN = b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"
GONE = reply(404, '{"error":{"code":"IdentityNotFound","message":"Provided identity doesn\'t exist."}}')


def create(client: Any) -> Any:
    return client.create_user()


def issue(client: Any) -> Any:
    return client.get_token(USER, ["chat"])


def delete(client: Any) -> Any:
    return client.delete_user(USER)


@both_clients
def test_the_delays_double_and_each_try_is_signed_anew(perform: Perform) -> None:
    script = [reply(500), reply(502), reply(504), reply(200, TOKEN)]
    with scripted_server(*script) as server:
        assert perform(server.endpoint, issue).token == "eyJ.e30.x"
    assert perform.pauses == [0.5, 1.0, 2.0]
    for request in server.received:
        assert_signed(request)


def test_a_later_try_carries_a_later_date() -> None:
    perform = Perform("blocking")

    def time_passes() -> float:
        perform.clock.move(timedelta(minutes=6))
        return 0.0

    with scripted_server(reply(503), reply(200, TOKEN)) as server:
        perform(server.endpoint, issue, retries=Retries(jitter=time_passes))
    first, second = (request.headers["x-ms-date"] for request in server.received)
    assert (first, second) == ("Sat, 21 Nov 2026 01:14:27 GMT", "Sat, 21 Nov 2026 01:20:27 GMT")
    assert_signed(server.received[1])


@both_clients
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "0"}, 0.0),
        ({"Retry_After": "Sat, 21 Nov 2026 01:14:40 GMT"}, 13.0),
        ({"Retry_After": "Sat, 21 Nov 2026 01:14:20 GMT"}, 0.0),
        ({"retry_after_ms": "250", "Retry_After": "7"}, 0.25),
        ({"x_ms_retry_after_ms": "1500"}, 1.5),
        ({"Retry_After": "soon"}, 0.5),
        ({"Retry_After": "-1"}, 0.5),
        ({}, 0.5),
    ],
    ids=str,
)
def test_the_wait_that_the_service_asks_for_is_kept(perform: Perform, headers: dict[str, str], seconds: float) -> None:
    with scripted_server(reply(429, **headers), reply(201, CREATED)) as server:
        perform(server.endpoint, create)
    assert perform.pauses == [seconds]


@both_clients
@pytest.mark.parametrize("asked", ["61", "9" * 400])
def test_a_wait_beyond_the_longest_is_not_waited_for_but_told(perform: Perform, asked: str) -> None:
    with scripted_server(reply(429, Retry_After=asked)) as server, pytest.raises(Throttled) as raised:
        perform(server.endpoint, issue)
    assert raised.value.retry_after is not None
    assert raised.value.retry_after >= timedelta(seconds=61)
    assert perform.pauses == []


@both_clients
def test_the_tries_have_an_end(perform: Perform) -> None:
    with scripted_server(*[reply(503)] * 9) as server, pytest.raises(Unavailable):
        perform(server.endpoint, issue)
    assert len(server.received) == 4


@both_clients
def test_without_retries_the_first_error_counts(perform: Perform) -> None:
    with scripted_server(reply(503)) as server, pytest.raises(Unavailable):
        perform(server.endpoint, issue, retries=Retries(count=0))
    assert len(server.received) == 1


@both_clients
@pytest.mark.parametrize("status", [400, 401, 404, 409, 501, 505])
def test_what_would_fail_again_is_not_tried_again(perform: Perform, status: int) -> None:
    with scripted_server(reply(status)) as server, pytest.raises(ServiceError):
        perform(server.endpoint, issue)
    assert len(server.received) == 1


@both_clients
@pytest.mark.parametrize("answer", [reply(500), reply(502), reply(503), reply(504), HANG_UP, TORN], ids=str)
def test_a_create_that_may_have_happened_is_never_sent_twice(perform: Perform, answer: bytes) -> None:
    with scripted_server(answer, reply(201, CREATED)) as server, pytest.raises((Unavailable, TransportError)):
        perform(server.endpoint, create)
    assert len(server.received) == 1


@both_clients
@pytest.mark.parametrize("answer", [reply(408), reply(429), reply(503, Retry_After="1")], ids=str)
def test_a_create_that_was_refused_untried_is_sent_again(perform: Perform, answer: bytes) -> None:
    with scripted_server(answer, reply(201, CREATED)) as server:
        assert perform(server.endpoint, create).id == USER
    assert len(server.received) == 2


@both_clients
@pytest.mark.parametrize("answer", [reply(500), HANG_UP, TORN], ids=str)
@pytest.mark.parametrize(
    "act",
    [
        lambda client: client.create_user(custom_id="bob"),
        lambda client: client.create_user_and_token(["chat"], custom_id="bob"),
    ],
)
def test_a_create_with_a_custom_id_is_sent_again(perform: Perform, answer: bytes, act: Act) -> None:
    with scripted_server(answer, reply(201, CREATED_WITH_TOKEN)) as server:
        perform(server.endpoint, act)
    assert len(server.received) == 2
    assert server.received[0].body == server.received[1].body


@both_clients
def test_a_connection_that_never_came_about_is_tried_again_even_for_a_create(perform: Perform) -> None:
    with scripted_server() as server:
        pass
    with pytest.raises(TransportError, match="No answer from http://127") as raised:
        perform(server.endpoint, create)
    assert not raised.value.sent
    assert raised.value.__cause__ is not None
    assert perform.pauses == [0.5, 1.0, 2.0]


@both_clients
def test_silence_is_a_transport_error_after_the_timeout(perform: Perform) -> None:
    with scripted_server(SILENCE) as server, pytest.raises(TransportError) as raised:
        perform(server.endpoint, create, timeout=timedelta(milliseconds=50))
    assert raised.value.sent
    assert len(server.received) == 1


@both_clients
@pytest.mark.parametrize("lost", [HANG_UP, reply(500), reply(504)], ids=str)
def test_a_deletion_whose_reply_was_lost_has_happened_when_the_identity_is_gone(perform: Perform, lost: bytes) -> None:
    with scripted_server(lost, GONE) as server:
        assert perform(server.endpoint, delete) is None
    assert len(server.received) == 2


@both_clients
@pytest.mark.parametrize("script", [[GONE], [reply(429), GONE], [reply(503, Retry_After="0"), GONE]], ids=len)
def test_a_deletion_that_cannot_have_happened_before_finds_no_identity(perform: Perform, script: list[bytes]) -> None:
    with scripted_server(*script) as server, pytest.raises(IdentityNotFound):
        perform(server.endpoint, delete)


def test_jitter_shortens_a_delay_by_half_at_the_most_and_never_lengthens_it() -> None:
    error = Unavailable(500, "", "")
    longest, shortest = Retries(jitter=lambda: 0.0), Retries(jitter=lambda: 1.0)
    for tries in (1, 2, 3):
        full = longest.delay(tries, error, repeatable=True)
        half = shortest.delay(tries, error, repeatable=True)
        assert full is not None
        assert half == full / 2
    assert all(0 <= draw_fraction() < 1 for _ in range(100))


def test_a_patient_callers_delays_stop_growing() -> None:
    patient = Retries(count=10_000, jitter=lambda: 0.0)
    assert patient.delay(9_999, Unavailable(500, "", ""), repeatable=True) == timedelta(seconds=60)
