"""The example of an app's own token server, as a process of its own beside a running service."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from tests.support.requirements import PROJECT
from tests.support.servers import running_server
from watchword.clock import SystemClock
from watchword.testing import RunningServer
from watchword.tokens import KeySet, NothingRevoked, Verifier
from watchword.wire.connection_string import ConnectionString
from watchword.wire.signature import signed_headers

ADA = {"Cookie": "session=session-of-ada"}
GRACE = {"Cookie": "session=session-of-grace"}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def address(server: RunningServer) -> Iterator[str]:
    with token_server(server, server.connection_string) as (address, _):
        yield address


@contextmanager
def token_server(server: RunningServer, connection_string: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    environment = {
        **os.environ,
        "PORT": "0",
        "COMMUNICATION_SERVICES_CONNECTION_STRING": connection_string,
        "SSL_CERT_FILE": str(server.ca_file),
    }
    command = [sys.executable, str(PROJECT / "examples/token_server.py")]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process
        finally:
            process.terminate()


def introspect(server: RunningServer, token: str) -> dict[str, Any]:
    body = urlencode({"token": token}).encode()
    headers = signed_headers(
        server.keys[0], "POST", "/introspect", host=f"localhost:{server.port}", date=formatdate(usegmt=True), body=body
    )
    answer = httpx2.post(f"{server.endpoint}/introspect", content=body, headers=headers, verify=server.client_tls())
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_whoever_is_not_logged_in_gets_no_token(address: str) -> None:
    for cookies in ({}, {"Cookie": "session=made-up"}, {"Cookie": "other=session-of-ada"}):
        for method in ("POST", "DELETE"):
            assert httpx2.request(method, address, headers=cookies).status_code == 401


def test_a_user_gets_tokens_of_one_identity_with_the_scopes_that_the_app_chose(
    address: str, server: RunningServer
) -> None:
    first, second = (httpx2.post(address, headers=ADA) for _ in range(2))
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-store"
    assert first.json()["identity"] == second.json()["identity"]
    assert first.json()["identity"] != httpx2.post(address, headers=GRACE).json()["identity"]
    keys = httpx2.get(f"{server.endpoint}/.well-known/jwks.json", verify=server.client_tls()).content
    proved = Verifier(KeySet.from_json(keys), NothingRevoked(), SystemClock()).verify(first.json()["token"])
    assert proved.identity == first.json()["identity"]
    assert proved.scopes == {"chat", "voip.join"}


def test_signing_out_ends_the_users_tokens_and_nobody_elses(address: str, server: RunningServer) -> None:
    ada, grace = (httpx2.post(address, headers=who).json()["token"] for who in (ADA, GRACE))
    assert introspect(server, ada)["active"]
    assert httpx2.delete(address, headers=ADA).status_code == 204
    assert not introspect(server, ada)["active"]
    assert introspect(server, grace)["active"]
    assert introspect(server, httpx2.post(address, headers=ADA).json()["token"])["active"]


def test_a_service_that_refuses_is_told_to_the_log_and_not_to_the_user(server: RunningServer) -> None:
    foreign = str(ConnectionString(server.endpoint, bytes(64)))
    with token_server(server, foreign) as (address, process):
        answer = httpx2.post(address, headers=ADA)
        assert (answer.status_code, answer.json()) == (503, {"error": "Try again later."})
        assert process.stderr is not None
        assert "Denied by the resource provider." in process.stderr.readline()
