"""The clients by which sockets are measured hear what is sent, and the page says what came of it."""

from __future__ import annotations

import os

import pytest

from benchmarks.crowd import crowd
from benchmarks.open_loop import Latency
from benchmarks.processes import Process
from benchmarks.socket_report import Back, Fan, Measured, to_markdown
from benchmarks.sockets import fan_out
from tests.benchmarks.support import CORE
from tests.support.chat_users import new_user
from tests.support.requirements import require
from tests.support.signed import SignedClient
from watchword.settings import Settings
from watchword.testing import running_server


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_clients_hear_every_message_on_each_of_their_sockets(tls: bool) -> None:
    require("setpriv", "setpriv is not there: install the package util-linux")
    with running_server(Settings(request_log=False, tls=tls)) as server, SignedClient(server) as signed:
        author, *users = [new_user(signed) for _ in range(3)]
        thread = author.new_thread(*users)
        with crowd(CORE) as clients:
            whose = [(user.token, f"{place}-{number}") for place, user in enumerate(users) for number in range(3)]
            clients.know(server.port, whose, tls=tls)
            clients.open()
            found = fan_out(author, thread, clients, Process(os.getpid(), server.port), listeners=6, messages=4)
            # What is told may be there before the answer to its author.
            assert found.median_millis <= found.p99_millis < 60_000
            clients.forget()
            clients.know(server.port, whose[:1], tls=tls)
            clients.open()
            clients.ask_for(1)
            author.send(thread)
            assert len(clients.heard()) == 1


def test_the_page_says_for_each_goal_whether_it_is_reached() -> None:
    fan = Fan(push_micros=30, median_millis=5, p99_millis=400, client_micros=10)
    hand = Fan(push_micros=20, median_millis=5, p99_millis=90, client_micros=10)
    found = [
        Measured(name, 5.04, 2, 0.001, 0.01, few=fan, many=fan, hand=hand, meanwhile=meanwhile, back=Back(7.25, 3))
        for name, meanwhile in (("plain", Latency(50, 4, 30, 40, 0.1)), ("TLS", None))
    ]
    text = to_markdown(found, 10_000, 20, idle_seconds=60)
    assert "| memory of an idle socket, KiB | 5.0 | 8 | yes | 5.0 | 32 | yes |" in text
    assert "| pushes in a CPU-second, of those by hand | 0.67 | 0.5 | yes | 0.67 |  |  |" in text
    assert "| the same, p99, ms | 400 | 350 | no | 400 |  |  |" in text
    assert "| the same, p99, ms | 30.0 | 25 | no |  |  |  |" in text
    assert "| pushes in a CPU-second, of those without TLS |  |  |  | 1.00 | 0.45 | yes |" in text
