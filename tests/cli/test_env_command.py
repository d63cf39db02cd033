"""`watchword env` finds the server by itself, and what it prints makes an unmodified SDK work."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import Home, Server, answer, refusal, server
from tests.support.shells import evaluate

# An unmodified program on the official client: it knows the connection string from its environment, and no more.
PROGRAM = """
import os
from azure.communication.identity import CommunicationIdentityClient
client = CommunicationIdentityClient.from_connection_string(os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"])
user = client.create_user()
print(len(client.get_token(user, ["voip"]).token) > 100)
client.revoke_tokens(user)
client.delete_user(user)
"""


def test_evaluated_lines_let_an_unmodified_program_work(
    shared_home: Home, shared_server: Server, tmp_path: Path
) -> None:
    (tmp_path / "lines").write_text(answer(shared_home, "env", "--shell", "sh"))
    environment = evaluate(["sh", "-c", f'eval "$(cat {tmp_path}/lines)"; env -0'], shared_home.environment())
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.stdout, result.returncode) == ("True\n", 0), result.stderr


def test_connection_string_is_that_of_the_running_server(shared_home: Home, shared_server: Server) -> None:
    line = f"export COMMUNICATION_SERVICES_CONNECTION_STRING='{shared_server.connection_string}'"
    assert line in answer(shared_home, "env").splitlines()


def test_shell_is_guessed_or_named(shared_home: Home, shared_server: Server) -> None:
    assert answer(shared_home, "env", environment={"SHELL": "/usr/bin/fish"}).startswith("set -gx COMM")
    assert answer(shared_home, "env", "--shell", "powershell").startswith("$env:COMM")


def test_without_a_server_nothing_is_printed_to_be_evaluated(home: Home) -> None:
    assert "watchword dev" in refusal(home, "env")


@pytest.mark.sqlite("one of the servers is a `watchword dev`, which refuses PostgreSQL")
def test_of_several_servers_none_is_chosen_but_all_are_listed(home: Home) -> None:
    with server(home, "dev") as first, server(home, "serve") as second:
        complaint = refusal(home, "env")
        assert f"--port {first.port} " in complaint
        assert f"--port {second.port} " in complaint
        assert f"--port {second.port})" in second.start_up
        assert first.endpoint in answer(home, "env", "--port", str(first.port))
        assert second.endpoint in answer(home, "env", "--data", second.data)
        assert "No running server matches" in refusal(home, "env", "--port", "1")


def test_server_without_tls_changes_no_trust(home: Home) -> None:
    with server(home, "serve", "--no-tls"):
        names = {line.split()[1].partition("=")[0] for line in answer(home, "env").splitlines()}
    assert names == {"COMMUNICATION_SERVICES_CONNECTION_STRING", "AZURE_COMMUNICATION_CONNECTION_STRING"}


def test_server_that_was_killed_is_not_found(home: Home) -> None:
    with server(home, "serve") as running:
        running.process.kill()
        running.process.wait(60)
        assert "No server is running" in refusal(home, "env")


def test_system_trust_is_shown_before_it_is_changed(shared_home: Home, shared_server: Server) -> None:
    for verb in ("install", "remove"):
        commands = answer(shared_home, "trust", verb, "--dry-run")
        assert "update-ca-" in commands or "security " in commands or "certutil" in commands
