"""Running servers find each other's files: only the living are listed, and never another user's."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchword.errors import OperatorError
from watchword.server.folders import find_folders, make_private
from watchword.server.running import RunningServer, announced, describe_this, find_one, running_servers

# A server of another process: it announces itself, says so, and lives until its input ends or it is killed.
PROGRAM = """
import socket, sys
from pathlib import Path
from watchword.server.running import announced, describe_this
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
server = describe_this("serve", f"https://localhost:{port}/", "127.0.0.1", port=port, data=Path(sys.argv[2]), ca=None)
with announced(server, Path(sys.argv[1])):
    print(port, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "servers"


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def server_on(port: int, data: Path, host: str = "127.0.0.1") -> RunningServer:
    return describe_this("dev", f"https://localhost:{port}/", host, port=port, data=data, ca=data / "ca.pem")


def start(folder: Path, data: Path) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-c", PROGRAM, str(folder), str(data)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def stop(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)


def test_server_is_found_while_it_runs_and_gone_afterwards(folder: Path, tmp_path: Path, listening: int) -> None:
    server = server_on(listening, tmp_path)
    with announced(server, folder):
        assert running_servers(folder) == [server]
        assert find_one(folder) == server
    assert list(folder.iterdir()) == []
    with pytest.raises(OperatorError, match="No server is running") as raised:
        find_one(folder)
    assert "watchword dev" in raised.value.remedy


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_file_is_for_its_user_alone_and_holds_no_key(folder: Path, tmp_path: Path, listening: int) -> None:
    with announced(server_on(listening, tmp_path), folder):
        (record,) = folder.glob("*.json")
        assert record.name == f"{os.getpid()}-{listening}.json"
        assert stat.S_IMODE(record.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert "accesskey" not in record.read_text()


def test_one_of_several_is_named_by_port_or_data(folder: Path, tmp_path: Path) -> None:
    first, first_port = start(folder, tmp_path / "first")
    second, second_port = start(folder, tmp_path / "second")
    try:
        assert {server.pid for server in running_servers(folder)} == {first.pid, second.pid}
        assert find_one(folder, port=first_port).pid == first.pid
        assert find_one(folder, data=tmp_path / "x" / ".." / "second").pid == second.pid
        with pytest.raises(OperatorError, match="Several servers are running") as raised:
            find_one(folder)
        assert f"--port {first_port}" in raised.value.message
        assert f"--port {second_port}" in raised.value.message
        with pytest.raises(OperatorError, match="No running server matches") as raised:
            find_one(folder, port=first_port, data=tmp_path / "second")
        assert f"--port {second_port}" in raised.value.message
    finally:
        stop(first)
        stop(second)
    assert running_servers(folder) == []


def test_what_a_killed_server_left_behind_is_removed(folder: Path, tmp_path: Path) -> None:
    process, port = start(folder, tmp_path)
    process.kill()
    stop(process)
    assert len(list(folder.glob("*.json"))) == 1
    # Somebody else took the port meanwhile: an answer there is no proof that it is our server.
    with socket.create_server(("127.0.0.1", port)):
        assert running_servers(folder) == []
    assert list(folder.iterdir()) == []


def test_file_of_a_dead_process_whose_number_lives_again_is_removed(
    folder: Path, tmp_path: Path, listening: int
) -> None:
    server = server_on(listening, tmp_path)
    with announced(server, folder):
        (record,) = folder.glob("*.json")
        content = record.read_bytes()
    # The same process number and port, both alive, but nobody holds the lock.
    record.write_bytes(content)
    assert running_servers(folder) == []
    assert not record.exists()


def test_server_that_does_not_accept_yet_is_not_listed_but_stays_announced(folder: Path, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with announced(server_on(port, tmp_path), folder):
            assert running_servers(folder) == []
            closed.listen()
            assert [server.port for server in running_servers(folder)] == [port]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "localhost"])
def test_server_on_all_addresses_is_asked_on_loopback(folder: Path, tmp_path: Path, listening: int, host: str) -> None:
    with announced(server_on(listening, tmp_path, host), folder):
        assert len(running_servers(folder)) == 1


def test_two_servers_with_one_name_are_both_announced(folder: Path, tmp_path: Path, listening: int) -> None:
    server = server_on(listening, tmp_path)
    with announced(server, folder), announced(server, folder):
        assert len(running_servers(folder)) == 2


def test_unreadable_record_of_a_living_server_is_passed_over(folder: Path, tmp_path: Path, listening: int) -> None:
    with announced(server_on(listening, tmp_path), folder):
        (record,) = folder.glob("*.json")
        record.write_text('{"mode": "future"}')
        assert running_servers(folder) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_folder_that_others_can_write_to_is_refused(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with pytest.raises(OperatorError, match="not this user's alone"):
        running_servers(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links take a privilege on Windows")
def test_folder_that_is_a_link_elsewhere_is_refused(folder: Path, tmp_path: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tmp_path)
    with pytest.raises(OperatorError, match="not this user's alone"):
        make_private(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owner of that kind")
def test_folder_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True, mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(OperatorError, match="not this user's alone"):
        find_one(folder)


def test_folders_lie_below_the_one_home_that_is_set(tmp_path: Path) -> None:
    folders = find_folders({"WATCHWORD_HOME": str(tmp_path)})
    every = (folders.certificates, folders.bundles, folders.server, folders.running)
    assert all(tmp_path in folder.parents for folder in every)
    assert len(set(every)) == len(every)


@pytest.mark.parametrize("environment", [{}, {"WATCHWORD_HOME": ""}])
def test_folders_lie_in_the_usual_places_otherwise(environment: dict[str, str]) -> None:
    folders = find_folders(environment)
    assert folders.data.is_absolute()
    assert folders.data.name == "watchword"
    assert folders.state.is_absolute()
