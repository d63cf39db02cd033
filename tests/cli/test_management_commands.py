"""`watchword group`, `resource` and `operator`, beside a running server and without one."""

from __future__ import annotations

import base64
import json
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.management.support import Manager
from tests.support.chat_users import new_user
from tests.support.commands import Home, Server, answer, refusal, run, server
from tests.support.data import Located, all_rows
from tests.support.signed import SignedClient
from watchword.testing import MovableClock
from watchword.wire.connection_string import parse_connection_string


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that a server has made and left."""
    home = Home(tmp_path_factory.mktemp("home"))
    with server(home, "serve", "--no-tls", "--no-request-log") as running:
        return running.data


def test_groups_and_resources_are_made_shown_and_deleted(home: Home, data: Path) -> None:
    def told(*arguments: str) -> str:
        return answer(home, *arguments, "--data", data)

    told("group", "create", "--name", "chatting")
    told("resource", "create", "--name", "contoso", "--group", "chatting", "--data-location", "Europe")
    told("resource", "create", "--name", "fabrikam", "--group", "Chatting")
    shown = json.loads(told("resource", "show", "--name", "CONTOSO", "--json"))
    assert (shown["name"], shown["group"], shown["data_location"]) == ("contoso", "chatting", "Europe")
    assert "contoso" in told("resource", "show", "--name", "contoso")
    listed = json.loads(told("resource", "list", "--json"))
    assert [each["name"] for each in listed] == ["watchword", "contoso", "fabrikam"]
    assert "fabrikam" in told("resource", "list")
    assert [each["name"] for each in json.loads(told("group", "list", "--json"))] == ["chatting", "default"]
    assert "chatting" in told("group", "list")

    keys = json.loads(told("resource", "keys", "--name", "contoso", "--json"))
    text = told(
        "resource", "connection-string", "--name", "contoso", "--resource-suffix", "acs.test", "--port", "8443"
    ).strip()
    parsed = parse_connection_string(text)
    assert parsed.endpoint == "https://contoso.acs.test:8443"
    assert base64.b64encode(parsed.access_key).decode() == keys["primary"]
    assert "--yes" in refusal(home, "resource", "regenerate-key", "--name", "contoso", "--data", data)
    fresh = told("resource", "regenerate-key", "--name", "contoso", "--yes").strip()
    after = json.loads(told("resource", "keys", "--name", "contoso", "--json"))
    assert (after["primary"], after["secondary"]) == (fresh, keys["secondary"])
    assert fresh != keys["primary"]

    assert "--yes" in refusal(home, "group", "delete", "--name", "chatting", "--data", data)
    deleted = run(home, "resource", "delete", "--name", "fabrikam", "--data", data, "--yes")
    assert "0 identities" in deleted.stderr
    gone = run(home, "group", "delete", "--name", "chatting", "--data", data, "--yes")
    assert "1 resource, 0 identities" in gone.stderr
    assert [each["name"] for each in json.loads(told("resource", "list", "--json"))] == ["watchword"]


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("resource create --name contoso --group nowhere", "could not be found.\n`watchword group list` shows"),
        ("resource create --name -x-", "cannot be used"),
        ("resource create --name watchword", "is taken"),
        ("resource show --name nobody", "was not found.\n`watchword resource list` shows"),
        ("resource delete --name nobody --yes", "was not found"),
        ("resource keys --name nobody", "no resource nobody"),
        ("group delete --name nobody --yes", "could not be found"),
        ("operator delete --id nobody --yes", "no operator"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(home: Home, data: Path, command: str, complaint: str) -> None:
    assert complaint in refusal(home, *command.split(), "--data", data)


def test_operators_are_made_listed_and_deleted(home: Home, data: Path) -> None:
    token = answer(home, "operator", "create", "--name", "ada", "--data", data).strip()
    assert re.fullmatch(r"wwo_[0-9a-f]{16}_[0-9A-Za-z_-]{43}", token)
    made = json.loads(answer(home, "operator", "create", "--name", "b", "--role", "reader", "--json", "--data", data))
    listed = answer(home, "operator", "list", "--data", data)
    assert token.split("_")[1] in listed
    assert token.split("_", 2)[2] not in listed
    assert "--yes" in refusal(home, "operator", "delete", "--id", token, "--data", data)
    answer(home, "operator", "delete", "--id", token, "--data", data, "--yes")
    left = json.loads(answer(home, "operator", "list", "--json", "--data", data))
    assert [(each["name"], each["role"]) for each in left] == [("b", "reader")]
    assert made["id"] == left[0]["id"]


def test_commands_act_beside_a_running_server(home: Home) -> None:
    with server(home, "serve", "--no-tls", "--resource-name", "dev") as running:
        manager = Manager.of_process(running.endpoint, running.new_operator())
        answer(home, "resource", "create", "--name", "beside", "--data", running.data)
        path = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/default"
        listed = manager.call("GET", f"{path}/resources").json()["value"]
        assert [each["name"] for each in listed] == ["dev", "beside"]
        answer(home, "group", "delete", "--name", "default", "--data", running.data, "--yes")
        assert manager.call("HEAD", path).status_code == 404


@pytest.mark.parametrize("what", ["resource", "group"])
def test_of_what_is_deleted_by_command_nothing_is_left_in_any_table(home: Home, what: str) -> None:
    with server(home, "serve", "--no-tls", "--no-request-log", "--resource-name", "first") as running:
        data, settings = running.data, running.settings
        with chatting_with(running) as client:
            ada, bob = new_user(client), new_user(client)
            thread, gone = ada.new_thread(bob), ada.new_thread(bob)
            ada.send(thread, "Hello")
            assert bob.ask("POST", f"{thread}/readReceipts", {"chatMessageId": ada.send(thread)}).status == 200
            assert ada.ask("DELETE", gone).status == 204
    before = {
        table for table, rows in all_rows(Located(settings, data)).items() if any("resource" in row for row in rows)
    }
    assert {"identities", "threads", "participants", "journal"} <= before
    name = "first" if what == "resource" else "default"
    answer(home, what, "delete", "--name", name, "--data", data, "--yes")
    left = all_rows(Located(settings, data))
    # The revocation stays, so that verifiers refuse its tokens.
    assert {table for table, rows in left.items() if any("resource" in row for row in rows)} == {"revocations"}
    assert [left[table] for table in ("threads", "participants", "messages", "departures", "journal")] == [[]] * 5
    assert [row["name"] for row in left["resources"]] == []


@contextmanager
def chatting_with(running: Server) -> Iterator[SignedClient]:
    """A client of the server's oldest resource."""
    parsed = parse_connection_string(running.connection_string)
    reached = Reached(running.port, running.endpoint, (parsed.access_key, b""))
    with SignedClient(reached) as client:
        yield client


@dataclass(frozen=True)
class Reached:
    """A server in a process of its own, without TLS."""

    port: int
    endpoint: str
    keys: tuple[bytes, bytes]
    clock: MovableClock = field(default_factory=MovableClock)
    ca_file: Path | None = None

    def client_tls(self) -> ssl.SSLContext:
        raise AssertionError("it has no TLS")


def test_a_server_starts_without_any_resource(home: Home) -> None:
    with server(home, "serve", "--no-tls", "--no-request-log") as first:
        data = first.data
        assert "operator create --name NAME` makes one" in first.fact("operator token")
    answer(home, "group", "delete", "--name", "default", "--data", data, "--yes")
    with server(home, "serve", "--no-tls", "--no-request-log") as second:
        assert second.fact("resource").startswith("none")
        assert "operator token" not in second.start_up
    answer(home, "resource", "create", "--name", "again", "--data", data)
    with server(home, "serve", "--no-tls", "--no-request-log") as third:
        assert third.fact("resource").startswith("again ")


def test_with_a_suffix_the_connection_string_names_the_resources_own_host(home: Home) -> None:
    with server(home, "serve", "--resource-name", "dev", "--resource-suffix", "localhost") as running:
        suffix = ("--resource-suffix", "localhost")
        parsed = parse_connection_string(answer(home, "resource", "connection-string", *suffix).strip())
        assert parsed.endpoint == f"https://dev.localhost:{running.port}"
        assert "*.localhost" in running.fact("certificate")
