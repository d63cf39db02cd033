"""Commands find the server that runs, whichever kind of command it is, and can choose where several run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.commands import WATCHWORD, Home, Server, answer, refusal, run, server
from tests.support.requirements import require

pytestmark = pytest.mark.sqlite("a server on PostgreSQL is found by its database's address")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = Home(tmp_path_factory.mktemp("one"))
    with server(home, "dev", "--no-request-log", "--no-tls") as running:
        yield running


@pytest.mark.parametrize(
    "command",
    ["verifier create", "group list", "resource list", "keys list", "operator list", "role list", "resource keys"],
)
def test_what_looks_into_a_data_directory_finds_the_running_server(one: Server, command: str) -> None:
    found = run(one.home, *command.split())
    assert found.returncode == 0, found.stderr
    assert f"On the server that runs: watchword dev  {one.endpoint}" in found.stderr
    assert not one.home.server_data.exists()


def test_doctor_looks_at_the_running_server(one: Server) -> None:
    said = run(one.home, "doctor")
    assert said.returncode == 0, said.stdout
    assert f"Port {one.port} is that of watchword dev" in said.stdout
    assert str(one.data) in said.stdout


def test_connection_string_is_that_of_the_running_server(one: Server) -> None:
    assert answer(one.home, "resource", "connection-string").startswith(f"endpoint={one.endpoint}/;accesskey=")


def test_what_is_for_a_stopped_server_leaves_the_running_one_alone(one: Server, tmp_path: Path) -> None:
    exported = tmp_path / "export"
    answer(one.home, "export", exported)
    assert "no such" not in refusal(one.home, "clock", "lower")
    assert str(one.home.server_data) in refusal(one.home, "migrate", "plan")


def test_an_export_goes_to_standard_output_and_all_else_to_standard_error(one: Server, tmp_path: Path) -> None:
    done = subprocess.run(
        [*WATCHWORD, "export", "-"], env=one.home.environment(), capture_output=True, timeout=60, check=True
    )
    exported = tmp_path / "export"
    exported.write_bytes(done.stdout)
    assert b"rows to standard output" in done.stderr
    answer(one.home, "export", "--verify", exported)
    assert not [each for each in one.home.temporary.iterdir() if each.name.startswith("watchword-export")]


def test_identity_and_token_choose_between_two_servers(home: Home) -> None:
    with ExitStack() as running:
        first, second = (
            running.enter_context(server(home, "dev", "--no-request-log", "--no-tls", "--data", home.folder / name))
            for name in ("first", "second")
        )
        told = refusal(home, "identity", "create")
        assert "Several servers are running" in told
        assert "Name one with --port or --data. Or give a connection string" in told
        assert "Start `watchword dev`" not in told
        assert first.endpoint in told
        assert second.endpoint in told
        user = answer(home, "identity", "create", "--port", str(first.port)).strip()
        assert user in answer(home, "identity", "list", "--data", home.folder / "first")
        assert user not in answer(home, "identity", "list", "--port", str(second.port))
        issued = json.loads(answer(home, "token", "issue", "--scope", "chat", "--port", str(second.port), "--json"))
        assert issued["user_id"] in answer(home, "identity", "list", "--port", str(second.port))
        assert "Several servers are running" in refusal(home, "keys", "list")
        assert answer(home, "keys", "list", "--data", home.folder / "second")


def test_where_no_server_runs_the_next_step_is_to_start_one(home: Home) -> None:
    assert refusal(home, "identity", "create") == (
        "watchword: No server is running.\n"
        "Start one with `watchword dev`. Or give a connection string with --connection-string-file or"
        " COMMUNICATION_SERVICES_CONNECTION_STRING.\n"
    )


def test_a_connection_string_and_a_choice_are_one_too_many(one: Server) -> None:
    text = answer(one.home, "resource", "connection-string").strip()
    both = run(one.home, "identity", "list", "--port", str(one.port), "--connection-string", text)
    assert (both.returncode, both.stdout) == (2, "")
    assert "not both" in both.stderr


def test_names_and_ids_are_completed_out_of_the_running_server(one: Server) -> None:
    def completed(words: str) -> list[str]:
        return _completed(one.home, words)

    key_id = json.loads(answer(one.home, "keys", "list", "--json"))[0]["key_id"]
    assert completed("resource show --name d") == ["dev"]
    assert key_id in completed(f"keys retire --key-id {key_id[:3]}")
    assert completed("token issue --scope chat.j") == ["chat.join", "chat.join.limited"]
    assert completed("dev --signing-algorithm E") == ["ES256", "EdDSA"]
    assert completed("operator delete --id dede") == ["dededededededede"]
    verifier = json.loads(answer(one.home, "verifier", "create", "--json"))["id"]
    assert completed(f"verifier delete --id {verifier[:4]}") == [verifier]
    assert completed("verifier create --resource d") == ["dev"]
    answer(one.home, "role", "assign", "--principal", "ada")
    assert completed("role remove --principal a") == ["ada"]
    assert completed("group delete --name def") == ["default"]


def test_identities_are_completed_though_bash_ends_words_at_colons(one: Server) -> None:
    first, second = (answer(one.home, "identity", "create").strip() for _ in range(2))
    rest = first.removeprefix("8:acs:")
    for command in ("identity show --user", "token revoke --user", "chat list --as"):
        assert {first, second} <= set(_completed(one.home, f"{command} 8"))
        # What bash makes of `8:acs:`, and of all of the id but its end.
        assert {rest, second.removeprefix("8:acs:")} <= set(_completed(one.home, f"{command} 8 : acs :"))
        assert rest in _completed(one.home, f"{command} 8 : acs : {rest[:-2]}")
        assert _completed(one.home, f"{command} 8 : acs : f") == []
    assert _completed(one.home, f"identity show --port 1 --user 8 : acs : {rest}") == []


def test_bash_completes_an_identity_in_place(one: Server, tmp_path: Path) -> None:
    require("bash", "bash is not here")
    user = answer(one.home, "identity", "create").strip()
    program = tmp_path / "watchword"
    program.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c \'import sys; sys.argv[0] = "watchword";'
        ' from watchword.cli import main; main()\' "$@"\n'
    )
    program.chmod(0o755)
    script = f"""
        source <(_WATCHWORD_COMPLETE=bash_source {program})
        COMP_WORDS=({program} identity show --user 8 : acs : dede) COMP_CWORD=8
        _watchword_completion {program}
        printf '%s\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script], env=one.home.environment(), capture_output=True, text=True, timeout=60, check=True
    )
    assert user.removeprefix("8:acs:") in done.stdout.splitlines(), done.stderr


def _completed(home: Home, words: str) -> list[str]:
    variables = {
        "_WATCHWORD_COMPLETE": "bash_complete",
        "COMP_WORDS": f"watchword {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    return [line.partition(",")[2] for line in _complete(home, variables).splitlines() if line]


def _complete(home: Home, variables: dict[str, str]) -> str:
    # By the name that completion is for.
    program = "import sys; sys.argv[0] = 'watchword'; from watchword.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=home.environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout
