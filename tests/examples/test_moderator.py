"""The example of a moderator, as a process of its own, and a service that asks it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest

from tests.support.chat_users import new_user
from tests.support.requirements import PROJECT
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.clock import SystemClock
from watchword.settings import Settings
from watchword.wire.moderation import signature

SECRET = "a secret that the two share"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    environment = {**os.environ, "PORT": "0", "WATCHWORD_MODERATION_SECRET": SECRET}
    command = [sys.executable, str(PROJECT / "examples/moderator.py")]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def test_what_users_say_is_allowed_changed_or_refused(address: str) -> None:
    settings = Settings(
        moderation_url=address,
        moderation_secret=SECRET,
        moderation_timeout=30.0,
        outbound_networks=("127.0.0.1",),
        request_log=False,
        tls=False,
    )
    with running_server(settings) as server, SignedClient(server) as client:
        ada = new_user(client)
        thread = ada.new_thread()
        ada.send(thread, "Lunch at noon?")
        ada.send(thread, "Pay with 4111 1111 1111 1111.")
        refused = ada.ask("POST", f"{thread}/messages", {"content": "BUY NOW!"})
        shown = [each["content"].get("message") for each in ada.ask("GET", f"{thread}/messages").json["value"]]
    assert shown[:2] == ["Pay with [card number].", "Lunch at noon?"]
    assert refused.status == 403
    assert refused.json["error"]["message"].endswith("No advertisements, please.")


@pytest.mark.parametrize("age", [0, 150, 1_000, -1_000])
def test_question_that_is_too_old_or_signed_by_somebody_else_is_refused(address: str, age: int) -> None:
    body = b'{"content":"hello"}'
    seconds = SystemClock().micros() // 1_000_000 - age

    def ask(secret: str, sent: bytes = body) -> int:
        headers = {"Watchword-Signature": signature(secret.encode(), seconds, body)}
        return httpx2.post(address, content=sent, headers=headers).status_code

    assert ask(SECRET) == (200 if abs(age) < 300 else 401)
    assert ask("another secret") == 401
    assert ask(SECRET, b'{"content":"other"}') == 401


def test_question_without_a_signature_is_refused(address: str) -> None:
    for header in ({}, {"Watchword-Signature": ""}, {"Watchword-Signature": "t=x,v1=y"}):
        assert httpx2.post(address, content=b"{}", headers=header).status_code == 401
