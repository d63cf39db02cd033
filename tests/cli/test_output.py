"""What commands print: on a narrow terminal, into a small code page, into a pipe that closes, and of very many."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import sqlite3
import struct
import subprocess
import termios
from contextlib import closing

import pytest

from tests.support.commands import WATCHWORD, Home, Server, answer, refusal, run
from watchword.identifiers import FlakeMinter
from watchword.testing import MovableClock

IDENTITY = re.compile(r"8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}")
MANY = 5_000


def on_terminal(server: Server, columns: int, *arguments: str) -> str:
    """What a command prints on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    reached = server.home.environment(AZURE_COMMUNICATION_CONNECTION_STRING=server.connection_string)
    environment = {name: value for name, value in reached.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        [*WATCHWORD, *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=theirs
    ) as process:
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65_536):
                said += piece
        except OSError:
            # Linux says so when the last program on the terminal is gone.
            pass
        finally:
            os.close(ours)
        assert process.wait(60) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", said.decode().replace("\r\n", "\n"))


@pytest.fixture
def many(shared_home: Home, shared_server: Server) -> int:
    """Identities that are there without having been created one by one."""
    first = answer(shared_home, "identity", "create").strip()
    minter = FlakeMinter(MovableClock(), b"")
    with closing(sqlite3.connect(shared_server.data / "watchword.sqlite")) as connection, connection:
        [(resource,)] = connection.execute("select number from resources")
        connection.executemany(
            "insert into identities (resource, flake, generation, created_micros) values (?, ?, 1, 0)",
            [(resource, minter.mint()) for _ in range(MANY)],
        )
    assert first
    return MANY


def test_no_id_is_broken_on_a_terminal_of_80_columns(shared_home: Home, shared_server: Server) -> None:
    user = answer(shared_home, "identity", "create", "--custom-id", "ada").strip()
    lines = on_terminal(shared_server, 80, "identity", "list", "--custom-id", "ada").splitlines()
    assert lines[0] == user
    assert lines[1].split() == ["custom", "id", "ada"]
    assert max(map(len, lines)) <= 80
    wide = on_terminal(shared_server, 200, "identity", "list", "--custom-id", "ada").splitlines()
    assert re.fullmatch(rf"{user}  ada +\S+ \S+  -", wide[1])


@pytest.mark.sqlite("it writes into the database's file")
def test_very_many_are_listed_a_page_at_a_time(shared_home: Home, many: int) -> None:
    listed = answer(shared_home, "identity", "list").splitlines()
    assert len([line for line in listed if IDENTITY.match(line)]) > many
    assert len(json.loads(answer(shared_home, "identity", "list", "--json"))) > many
    assert len(json.loads(answer(shared_home, "identity", "list", "--json", "--limit", "1500"))) == 1_500
    assert len(answer(shared_home, "identity", "list", "--limit", "2").splitlines()) == 3


@pytest.mark.sqlite("it writes into the database's file")
@pytest.mark.usefixtures("many")
def test_whoever_reads_the_first_lines_only_gets_no_complaint(shared_home: Home) -> None:
    command = subprocess.Popen(
        [*WATCHWORD, "identity", "list"],
        env=shared_home.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with command:
        assert command.stdout is not None
        assert command.stderr is not None
        assert command.stdout.readline().startswith("identity ")
        command.stdout.close()
        assert "Traceback" not in command.stderr.read()


@pytest.mark.parametrize("custom_id", ["\u540d\u524d", "\U0001f600"])
def test_what_the_output_cannot_encode_is_escaped(shared_home: Home, shared_server: Server, custom_id: str) -> None:
    user = answer(shared_home, "identity", "create", "--custom-id", custom_id).strip()
    escaped = custom_id.encode("ascii", "backslashreplace").decode()
    narrow = shared_home.environment(
        PYTHONUTF8="0",
        PYTHONIOENCODING="cp1252",
        AZURE_COMMUNICATION_CONNECTION_STRING=shared_server.connection_string,
    )

    def said(*arguments: str) -> str:
        command = [*WATCHWORD, "identity", *arguments]
        done = subprocess.run(command, env=narrow, capture_output=True, encoding="cp1252", timeout=60, check=True)
        return done.stdout

    assert escaped in said("show", "--user", user)
    assert json.loads(said("show", "--user", user, "--json"))["custom_id"] == custom_id


def test_the_token_alone_goes_to_standard_output(shared_home: Home, shared_server: Server) -> None:
    assert shared_server.port
    issued = run(shared_home, "token", "issue", "--scope", "chat")
    assert re.fullmatch(r"eyJ[\w-]+\.[\w-]+\.[\w-]+\n", issued.stdout)
    assert "8:acs:" in issued.stderr


def test_a_denial_says_where_the_connection_string_comes_from(shared_home: Home, shared_server: Server) -> None:
    wrong = f"endpoint={shared_server.endpoint}/;accesskey=d3Jvbmc="
    told = refusal(shared_home, "identity", "list", environment={"AZURE_COMMUNICATION_CONNECTION_STRING": wrong})
    assert "comes from the variable AZURE_COMMUNICATION_CONNECTION_STRING" in told
    assert shared_server.endpoint in told
    assert "d3Jvbmc=" not in told


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_with_a_byte_order_mark_is_read(shared_home: Home, shared_server: Server, encoding: str) -> None:
    file = shared_home.folder / f"connection.{encoding}"
    file.write_text(shared_server.connection_string + "\n", encoding=encoding)
    answer(shared_home, "identity", "list", "--connection-string-file", file)
    answer(
        shared_home,
        "identity",
        "list",
        "--connection-string-file",
        "-",
        given="\ufeff" + shared_server.connection_string,
    )


def test_a_file_that_is_no_text_is_told_in_a_sentence(shared_home: Home) -> None:
    file = shared_home.folder / "no-text"
    file.write_bytes(b"\x80\x81")
    told = refusal(shared_home, "identity", "list", "--connection-string-file", file)
    assert "is not text in UTF-8" in told
