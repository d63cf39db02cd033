"""Every road to an error answer names the request, and what is logged of a failure bears the same name."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import httpx2
import pytest

from tests.management.support import GROUPS
from tests.support.signed import NEWEST, SignedClient, raw_exchange
from watchword.entra.development import APPLICATION, PREFIX, SECRET
from watchword.http.request_reader import MAXIMUM_HEAD_BYTES
from watchword.settings import Settings
from watchword.testing import MovableClock, RunningServer, running_server

ID = re.compile(r"(?m)^ms-cv: ([A-Za-z0-9+/]{22}\.0)\r$")
CLOSE = "Host: x\r\nConnection: close\r\n"
ORIGIN = "https://app.example"
ERRORS = {
    "an operation's": f"POST /identities?api-version={NEWEST} HTTP/1.1\r\n{CLOSE}\r\n",
    "an unknown api-version": f"POST /identities?api-version=1 HTTP/1.1\r\n{CLOSE}\r\n",
    "a body that is too large": f"POST /introspect HTTP/1.1\r\n{CLOSE}Content-Length: 70000\r\n\r\n{'x' * 70_000}",
    "an unknown path": f"GET /nowhere HTTP/1.1\r\n{CLOSE}\r\n",
    "a wrong method": f"PUT /identities HTTP/1.1\r\n{CLOSE}\r\n",
    "a method of other protocols": f"PURGE /identities HTTP/1.1\r\n{CLOSE}\r\n",
    "an escaped slash": f"GET /identities%2Fx HTTP/1.1\r\n{CLOSE}\r\n",
    "a page's preflight of a foreign origin": "OPTIONS /revocations HTTP/1.1\r\nOrigin: https://foreign.example\r\n"
    f"Access-Control-Request-Method: GET\r\n{CLOSE}\r\n",
    "a page's refused request": f"GET /revocations HTTP/1.1\r\nOrigin: {ORIGIN}\r\n{CLOSE}\r\n",
    "the management API's": f"GET /subscriptions?api-version=2021-04-01 HTTP/1.1\r\n{CLOSE}\r\n",
    "the management API's refusal": f"GET {GROUPS}?api-version=2021-04-01 HTTP/1.1\r\n{CLOSE}\r\n",
    "metrics without a token": f"GET /metrics HTTP/1.1\r\n{CLOSE}\r\n",
    "a head that is too large": f"GET /{'x' * MAXIMUM_HEAD_BYTES} HTTP/1.1\r\n{CLOSE}\r\n",
    "headers that are too large": f"GET / HTTP/1.1\r\nX: {'x' * MAXIMUM_HEAD_BYTES}\r\n{CLOSE}\r\n",
    "no HTTP at all": "BREW / HTTP/1.1\r\n\r\n",
    "a broken header": "GET / HTTP/1.1\r\nHost\r\n\r\n",
    "an upgrade": "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n",
    "the issuer's unknown path": f"GET {PREFIX}nowhere HTTP/1.1\r\n{CLOSE}\r\n",
    "the issuer's wrong method": f"PUT {PREFIX}identity HTTP/1.1\r\n{CLOSE}\r\n",
    "the issuer's refusal": f"GET {PREFIX}identity HTTP/1.1\r\n{CLOSE}\r\n",
    "the issuer's unreadable body": f"POST {PREFIX}oauth2/v2.0/token HTTP/1.1\r\n{CLOSE}Content-Length: 0\r\n\r\n",
    "the issuer's body of another shape": f"POST {PREFIX}oauth2/v2.0/token HTTP/1.1\r\n{CLOSE}"
    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
}


class FailingClock(MovableClock):
    """Goes until the test breaks it: then whoever asks fails, as no rule foresees."""

    is_broken = False

    def micros(self) -> int:
        if self.is_broken:
            raise RuntimeError("the clock is broken")
        return super().micros()


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    settings = Settings(request_log=False, tls=False, entra=True, cors_origins=(ORIGIN,))
    with running_server(settings) as running:
        yield running


@pytest.mark.parametrize("request_text", ERRORS.values(), ids=ERRORS.keys())
def test_every_error_names_its_request(server: RunningServer, request_text: str) -> None:
    answers = [raw_exchange(server.port, request_text.encode()).decode() for _ in range(2)]
    assert all(answer.startswith(("HTTP/1.1 4", "HTTP/1.1 5")) for answer in answers), answers
    assert not any(answer.startswith("HTTP/1.1 500") for answer in answers)
    first, second = (ID.findall(answer) for answer in answers)
    assert len(first) == len(second) == 1, answers
    assert first != second


@pytest.mark.parametrize("begun", ["GET / HT", f"POST /introspect HTTP/1.1\r\n{CLOSE}Content-Length: 9\r\n\r\n"])
def test_what_comes_too_slowly_is_named_too(begun: str) -> None:
    with running_server(Settings(request_log=False, tls=False, head_deadline=0.05, body_deadline=0.05)) as server:
        answer = raw_exchange(server.port, begun.encode()).decode()
    assert answer.startswith("HTTP/1.1 408")
    assert len(ID.findall(answer)) == 1


def test_the_operators_port_names_its_errors_too() -> None:
    with running_server(Settings(request_log=False, tls=False, operator_port=0)) as server:
        port = int(server.operator_endpoint.rpartition(":")[2])
        for text in (ERRORS["an unknown path"], ERRORS["the management API's refusal"], ERRORS["no HTTP at all"]):
            assert len(ID.findall(raw_exchange(port, text.encode()).decode())) == 1


def test_a_failure_is_logged_under_the_name_that_the_caller_is_told(caplog: pytest.LogCaptureFixture) -> None:
    clock = FailingClock()
    with running_server(Settings(request_log=False, tls=False, entra=True), clock=clock) as server:
        with SignedClient(server) as client, httpx2.Client() as plain:
            signed = client.sign("GET", "/identities")
            form = {"grant_type": "client_credentials", "client_id": APPLICATION, "client_secret": SECRET, "scope": "x"}
            caplog.set_level(logging.INFO, "watchword.requests")
            clock.is_broken = True
            # Within an operation, and within the issuer.
            reply = client.send(signed)
            answers = [(reply.status, reply.headers["ms-cv"], reply.body.decode())]
            issued = plain.post(f"{server.endpoint}{PREFIX}oauth2/v2.0/token", data=form)
            clock.is_broken = False
        answers.append((issued.status_code, issued.headers["ms-cv"], issued.text))
    assert [status for status, _, _ in answers] == [500, 500]
    for _, name, body in answers:
        assert "Internal server error." in body
        assert "clock" not in body
        [record] = [each for each in caplog.records if name in each.getMessage()]
        assert record.levelno == logging.ERROR
        assert record.exc_info
