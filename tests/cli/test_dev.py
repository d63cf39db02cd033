"""`watchword dev`: for this machine only, with keys that everybody knows, and gone without a trace when it ends."""

import contextlib
import http.client
import json
import os
import pty
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.commands import WATCHWORD, Home, Server, answer, refusal, server
from tests.support.processes import Process
from tests.support.signed import NEWEST, SignedClient, one_status, raw_exchange, to_bytes
from watchword.client import IdentityClient
from watchword.server import development
from watchword.settings import Settings
from watchword.wire.connection_string import parse_connection_string

pytestmark = pytest.mark.sqlite("`watchword dev` refuses PostgreSQL, into which it would put keys that everybody knows")


def client_of(home: Home, connection_string: str) -> IdentityClient:
    return IdentityClient.from_connection_string(connection_string, verify=home.folder / "data/certificates/ca.pem")


def test_start_up_says_what_is_in_force_and_what_to_copy(shared_home: Home, shared_server: Server) -> None:
    assert shared_server.fact("resource") == f"dev ({development.RESOURCE_ID})"
    assert shared_server.endpoint == f"https://localhost:{shared_server.port}"
    assert shared_server.data.parent == shared_home.temporary
    assert shared_server.fact("certificate").startswith("localhost, 127.0.0.1, ::1; until ")
    assert shared_server.start_up.rstrip().endswith(f'eval "$({sys.executable} -m watchword env)"')


def test_connection_string_at_start_up_is_the_well_known_one_and_works(
    shared_home: Home, shared_server: Server
) -> None:
    text = shared_server.fact("connection string")
    assert parse_connection_string(text).access_key == development.PRIMARY_KEY
    with client_of(shared_home, text) as client:
        assert client.create_user().id.startswith(f"8:acs:{development.RESOURCE_ID}_")


def test_it_puts_no_keys_that_everybody_knows_into_a_real_database(home: Home) -> None:
    told = refusal(home, "dev", environment={"WATCHWORD_DATABASE": "postgresql://user:a-password@127.0.0.1:1/name"})
    assert "`watchword dev` does not run on PostgreSQL" in told
    assert "a-password" not in told


def test_both_loopback_addresses_answer_on_one_port(shared_server: Server) -> None:
    hosts = ["127.0.0.1", *(["::1"] if socket.has_ipv6 and Path("/proc/net/if_inet6").exists() else [])]
    for host in hosts:
        socket.create_connection((host, shared_server.port), timeout=10).close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_signal_stops_it_gracefully_and_nothing_is_left(home: Home, number: signal.Signals) -> None:
    # Under nohup a hang-up is ignored, by us and by what we start; then there would be nothing to test.
    inherited = signal.getsignal(number)
    if inherited == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
    try:
        with server(home, "dev") as running:
            assert running.data.is_dir()
            assert home.announcements
            assert running.stop(number) == (0, [])
    finally:
        signal.signal(number, inherited)
    assert list(home.temporary.iterdir()) == []
    assert home.announcements == []


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1,::", "localhost"])
def test_it_listens_nowhere_but_on_loopback(home: Home, host: str) -> None:
    assert "listens on 127.0.0.1 and ::1 only" in refusal(home, "dev", "--port", "0", "--host", host)


def test_environment_cannot_open_it_to_the_network_either(home: Home) -> None:
    complaint = refusal(home, "dev", "--port", "0", environment={"WATCHWORD_HOST": "0.0.0.0"})
    assert "watchword serve" in complaint


def test_without_tls_no_page_of_another_site_is_served(home: Home) -> None:
    # DNS rebinding: the page's own name leads to this machine, and everybody knows the keys. Workers are told as well.
    allowed = ("--host-names", "host.docker.internal")
    with server(home, "dev", "--no-tls", "--no-request-log", "--workers", "2", *allowed) as running:
        process = Process(running)
        with SignedClient(process) as client:
            for host, status in (
                (f"localhost:{process.port}", 201),
                (f"127.0.0.1:{process.port}", 201),
                (f"[::1]:{process.port}", 201),
                (f"host.docker.internal:{process.port}", 201),
                (f"evil.example:{process.port}", 421),
                ("localhost.evil.example", 421),
            ):
                # A connection each, so that either worker is asked.
                for _ in range(3):
                    request = client.sign("POST", f"/identities?api-version={NEWEST}", host=host)
                    assert one_status(raw_exchange(process.port, to_bytes(request))) == status, host
        assert answer(home, "identity", "create").startswith("8:acs:")


def test_with_tls_the_certificate_says_which_names_hold(shared_home: Home, shared_server: Server) -> None:
    trusted = ssl.create_default_context(cafile=shared_home.folder / "data/certificates/ca.pem")
    connection = http.client.HTTPSConnection("localhost", shared_server.port, context=trusted, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/healthz", headers={"Host": "host.docker.internal"})
        assert connection.getresponse().status == 200
    with (
        socket.create_connection(("127.0.0.1", shared_server.port), timeout=10) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        trusted.wrap_socket(plain, server_hostname="evil.example")


def test_second_server_on_a_port_is_told_which_port_and_what_to_do(shared_home: Home, shared_server: Server) -> None:
    complaint = refusal(shared_home, "dev", "--port", str(shared_server.port))
    assert f"Port {shared_server.port} of 127.0.0.1 cannot be listened on" in complaint
    assert "--port" in complaint
    assert [path for path in shared_home.temporary.iterdir() if path != shared_server.data] == []


def test_data_directory_is_kept_where_one_is_given(home: Home, tmp_path: Path) -> None:
    data = tmp_path / "kept"
    with server(home, "dev", "--data", data) as running, client_of(home, running.fact("connection string")) as client:
        identity = client.create_user()
        assert running.stop(signal.SIGINT)[0] == 0
    with server(home, "dev", "--data", data) as running, client_of(home, running.fact("connection string")) as client:
        assert client.get_user(identity).id == identity.id


def test_every_request_is_one_json_line_without_secrets(home: Home) -> None:
    with server(home, "dev") as running:
        token = json.loads(answer(home, "token", "issue", "--scope", "chat", "--json"))["token"]
        status, log = running.stop(signal.SIGTERM)
    assert status == 0
    [line] = [json.loads(line) for line in log]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/identities", 201)
    text = "".join(log)
    assert token not in text
    assert running.fact("connection string").partition("accesskey=")[2] not in text


def test_request_log_can_be_short_and_can_be_off(home: Home) -> None:
    with server(home, "dev", "--log-format", "text") as running, client_of(home, _wrong_key(running)) as client:
        with pytest.raises(Exception, match="Denied"):
            client.create_user()
        assert running.stop(signal.SIGTERM)[1][0].startswith("POST /identities 401 Denied: ")
    with server(home, "dev", "--no-request-log") as running:
        answer(home, "identity", "create")
        assert running.stop(signal.SIGTERM) == (0, [])


def test_on_a_terminal_requests_are_told_in_words(home: Home) -> None:
    control, terminal = pty.openpty()
    command = [*WATCHWORD, "dev", "--port", "0", "--no-tls"]
    process = subprocess.Popen(command, env=home.environment(), stdout=subprocess.PIPE, stderr=terminal, text=True)
    os.close(terminal)
    with process:
        assert process.stdout is not None
        endpoint = next(line.split()[1] for line in process.stdout if line.startswith("  endpoint"))
        with urllib.request.urlopen(f"{endpoint}/healthz", timeout=10) as reply:
            assert reply.status == 200
        assert os.read(control, 1000) == b"GET /healthz 200\r\n"
        process.terminate()
    os.close(control)
    assert process.returncode == 0


def test_unusable_data_directory_is_told_in_a_sentence(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    assert str(tmp_path / "file") in refusal(home, "dev", "--port", "0", "--data", tmp_path / "file")


def test_start_loads_nothing_that_a_server_does_not_need() -> None:
    program = "import sys, watchword.cli.commands, watchword.server.foreground; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert {"rich", "httpx2", "pydantic", "typer", "requests"}.isdisjoint(loaded.stdout.split())


def test_local_ca_survives_the_server(home: Home) -> None:
    with server(home, "dev"):
        before = (home.folder / "data/certificates/ca.pem").read_bytes()
    with server(home, "dev"):
        assert (home.folder / "data/certificates/ca.pem").read_bytes() == before


def test_well_known_keys_say_what_they_are_worth() -> None:
    assert {len(development.PRIMARY_KEY), len(development.SECONDARY_KEY)} == {64}
    assert b"everyone knows it" in development.PRIMARY_KEY
    assert development.PRIMARY_KEY != development.SECONDARY_KEY


def _wrong_key(running: Server) -> str:
    return f"endpoint={running.endpoint};accesskey=d3Jvbmc="


def test_tests_run_beside_a_server_on_the_port_of_the_readme(home: Home) -> None:
    with contextlib.ExitStack() as held:
        # Where one is there already, that is as good.
        with contextlib.suppress(OSError):
            held.enter_context(socket.create_server(("127.0.0.1", Settings().port)))
        held.enter_context(server(home, "serve"))
        # It would complain of the port first, if it asked for that one.
        assert "A server runs on the data directory" in refusal(home, "serve")
