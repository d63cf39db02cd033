"""`watchword health`, as a container's health check runs it."""

import os
import signal

import pytest

from tests.support.commands import Home, answer, refusal, server


def test_without_a_server_it_says_so(home: Home) -> None:
    assert "No server is running" in refusal(home, "health")


@pytest.mark.parametrize("tls", ["--tls", "--no-tls"])
def test_public_endpoint_has_no_say(home: Home, tls: str) -> None:
    with server(home, "serve", tls, "--public-endpoint", "https://acs.example", "--host-names", "acs.example") as found:
        assert answer(home, "health") == "ready\n"
        assert answer(home, "health", "--data", found.data) == "ready\n"


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_server_that_hangs_is_not_called_ready(home: Home) -> None:
    with server(home, "serve") as running:
        running.process.send_signal(signal.SIGSTOP)
        try:
            assert "answer" in refusal(home, "health")
        finally:
            running.process.send_signal(signal.SIGCONT)
