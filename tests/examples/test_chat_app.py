"""The example of an app with a chat: its server, as a process of its own, beside a service and with one of its own."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.chat_app import chat_app, signed_in
from tests.support.requirements import PROJECT
from tests.support.servers import running_server
from watchword.cli.connection import VARIABLES
from watchword.testing import RunningServer
from watchword.wire.connection_string import ConnectionString


@pytest.fixture(scope="module")
def service() -> Iterator[RunningServer]:
    with running_server() as running:
        yield running


@pytest.fixture(scope="module")
def app(service: RunningServer) -> Iterator[str]:
    with chat_app(service) as address:
        yield address


def test_whoever_is_not_logged_in_gets_no_token(app: str) -> None:
    with signed_in(app, "grace") as grace:
        of_another = {"Cookie": f"session={grace.cookies['session']}"}
    for cookies in ({}, {"Cookie": "session=made-up"}, {"Cookie": "other=ada"}, of_another):
        for method in ("POST", "DELETE"):
            assert httpx2.request(method, f"{app}ada/token", headers=cookies).status_code == 401
    for path in ("session", "nobody/session", "nobody/token"):
        assert httpx2.post(f"{app}{path}", headers=of_another).status_code == 404


def test_users_meet_in_one_thread_and_talk_to_the_service_by_themselves(app: str, service: RunningServer) -> None:
    with signed_in(app, "ada") as ada, signed_in(app, "grace") as grace:
        first, second = (each.post("token").json() for each in (ada, grace))
    assert first["thread"] == second["thread"]
    assert first["identity"] != second["identity"]
    assert (first["name"], second["name"]) == ("Ada Lovelace", "Grace Hopper")
    with httpx2.Client(base_url=service.endpoint, verify=service.client_tls()) as http:
        path, version = f"/chat/threads/{first['thread']}", {"api-version": "2025-03-15"}

        def ask(user: dict[str, str], method: str, target: str, body: object = None) -> httpx2.Response:
            headers = {"Authorization": f"Bearer {user['token']}"}
            return http.request(method, path + target, params=version, headers=headers, json=body)

        assert ask(first, "POST", "/messages", {"content": "Hello"}).status_code == 201
        [newest, *_] = ask(second, "GET", "/messages").json()["value"]
        assert newest["content"]["message"] == "Hello"
        # Only the app makes and deletes threads.
        assert ask(first, "DELETE", "").status_code == 403


def test_signing_out_ends_what_the_page_may_at_once(app: str, service: RunningServer) -> None:
    with signed_in(app, "hedy") as hedy:
        said = hedy.post("token").json()
        url = f"{service.endpoint}/chat/threads?api-version=2025-03-15"
        headers = {"Authorization": f"Bearer {said['token']}"}
        assert httpx2.get(url, headers=headers, verify=service.client_tls()).status_code == 200
        assert hedy.delete("token").status_code == 204
        assert httpx2.get(url, headers=headers, verify=service.client_tls()).status_code == 401
        assert hedy.post("token").status_code == 401


def test_the_lobby_is_found_again_after_a_restart(app: str, service: RunningServer) -> None:
    with signed_in(app, "ada") as ada, chat_app(service) as again, signed_in(again, "ada") as later:
        assert ada.post("token").json()["thread"] == later.post("token").json()["thread"]


def test_a_service_that_refuses_is_told_to_the_log_and_not_to_the_user(service: RunningServer) -> None:
    foreign = str(ConnectionString(service.endpoint, bytes(64)))
    with chat_app(service, foreign) as app, signed_in(app, "ada") as ada:
        answer = ada.post("token")
        assert (answer.status_code, answer.json()) == (503, {"error": "Try again later."})


def test_without_a_connection_string_one_command_is_enough() -> None:
    with chat_app(None) as app, signed_in(app, "ada") as ada:
        said = ada.post("token").json()
        assert re.fullmatch(r"https://localhost:\d+", said["endpoint"])
        page = ada.get("")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        policy = page.headers["content-security-policy"].split()
        assert {said["endpoint"], said["endpoint"].replace("https", "wss")} < set(policy)
        both = httpx2.get(app).text
        linked = re.findall(r'(?:src|href)="/([\w./]+)"', page.text + both)
        assert set(linked) == {"page.css", "page.js", "ada/", "grace/"}
        for name in set(linked) - {"page.js"}:
            assert httpx2.get(f"{app}{name}").status_code == 200
        assert httpx2.get(f"{app}server.py").status_code == 404


def test_a_service_that_runs_on_this_machine_is_taken(tmp_path: Path) -> None:
    home = {"WATCHWORD_HOME": str(tmp_path)}
    command = [str(Path(sys.executable).with_name("watchword")), "dev", "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES} | home
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as dev:
        try:
            assert dev.stdout is not None
            [endpoint] = [line.split()[1].decode() for line in until_next(dev.stdout) if b"endpoint  " in line]
            with chat_app(None, home=tmp_path) as app, signed_in(app, "ada") as ada:
                assert ada.post("token").json()["endpoint"] == endpoint
        finally:
            dev.terminate()


def until_next(lines: Iterable[bytes]) -> Iterator[bytes]:
    return itertools.takewhile(lambda line: not line.startswith(b"Next, "), lines)


def test_the_command_of_the_page_is_one_of_make() -> None:
    page = (PROJECT / "examples/chat/README.md").read_text(encoding="utf-8")
    assert "\nmake example-chat\n" in page
    planned = subprocess.run(
        ["make", "--dry-run", "example-chat"], cwd=PROJECT, capture_output=True, text=True, check=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
    ).stdout  # fmt: skip
    assert planned.splitlines()[-1].endswith("python examples/chat/server.py")
