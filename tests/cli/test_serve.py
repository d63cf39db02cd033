"""`watchword serve`: keys of its own, shown on a terminal once and on request, and data that outlives it."""

import json
import os
import pty
import re
import shlex
import shutil
import signal
import ssl
import stat
import subprocess
import urllib.error
import urllib.request
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.commands import WATCHWORD, Home, answer, refusal, server
from tests.support.engines import CHOSEN, DATABASES
from watchword.certificates import issue_leaf, may_sign_for, prepare_authority
from watchword.client import IdentityClient


def ca(home: Home) -> Path:
    return home.folder / "data/certificates/ca.pem"


def told_on_a_terminal(home: Home, *arguments: str | Path) -> str:
    """What `watchword serve` says to whoever looks on, until it is told to stop."""
    control, terminal = pty.openpty()
    variables = home.environment(WATCHWORD_DATABASE=DATABASES.address(home.server_data))
    command = [*WATCHWORD, "serve", "--port", "0", "--no-tls", *map(str, arguments)]
    process = subprocess.Popen(command, env=variables, stdout=terminal, stderr=subprocess.DEVNULL)
    os.close(terminal)
    with process, os.fdopen(control, encoding="utf-8", errors="replace") as seen:
        lines = []
        for line in seen:
            lines.append(line)
            if line.startswith("Next,"):
                break
        process.terminate()
    assert process.returncode == 0
    return "".join(lines)


def shown_keys(home: Home) -> dict[str, str]:
    keys: dict[str, str] = json.loads(answer(home, "resource", "keys", "--json"))
    assert keys["resource"] == "watchword"
    return keys


@pytest.mark.skipif(os.name != "posix", reason="a terminal is made by a POSIX call")
def test_first_start_shows_new_keys_on_a_terminal_and_later_only_the_command_does(home: Home) -> None:
    first, second = told_on_a_terminal(home), told_on_a_terminal(home)
    keys = shown_keys(home)
    assert len(b64decode(keys["primary"])) == len(b64decode(keys["secondary"])) == 64
    assert keys["primary"] != keys["secondary"]
    for name in ("primary", "secondary"):
        assert re.search(rf"^  {name} key +{re.escape(keys[name])}(?!\S)", first, re.MULTILINE)
        assert keys[name] not in second
    assert f"accesskey={keys['primary']}" in first
    [operator] = json.loads(answer(home, "operator", "list", "--json"))
    assert f"wwo_{operator['id']}_" in first
    assert "wwo_" not in second


def test_where_nobody_looks_on_a_first_start_says_which_commands_show_its_keys(home: Home) -> None:
    with server(home, "serve", "--resource-suffix", "localhost") as running:
        assert running.data == home.server_data
        told = [running.fact(name) for name in ("access keys", "connection string", "operator token")]
        # Nobody could ever have used the token of one.
        assert answer(home, "operator", "list", "--json").strip() == "[]"
        by_command = []
        for command in (re.search(r"`(.*)`", line) for line in told):
            assert command is not None
            _, _, rest = command[1].partition(" -m watchword ")
            by_command.append(answer(home, *shlex.split(rest)))
        _, log = running.stop(signal.SIGTERM)
    keys = shown_keys(home)
    assert f"primary key    {keys['primary']}" in by_command[0]
    assert by_command[1] == f"endpoint=https://watchword.localhost:{running.port}/;accesskey={keys['primary']}\n"
    assert by_command[2].startswith("wwo_")
    said = running.start_up + "".join(log)
    assert [each for each in (keys["primary"], keys["secondary"], "wwo_", "accesskey=") if each in said] == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_keys_are_never_in_what_a_log_keeps(home: Home, tmp_path: Path, workers: str) -> None:
    data = tmp_path / "the data"
    flags = ("--data", data, "--encryption-key-file", tmp_path / "a key")
    with server(home, "serve", "--workers", workers, *flags) as running:
        shown = re.search(r"`(.*)`", running.fact("access keys"))
        assert shown is not None
        keys = answer(home, *shlex.split(shown[1].partition(" -m watchword ")[2]))
        _, log = running.stop(signal.SIGTERM)
    secrets = re.findall(r"[0-9A-Za-z+/]{86}==", keys)
    assert len(secrets) == 2
    assert [each for each in secrets if each in running.start_up + "".join(log)] == []


def test_both_connection_strings_open_the_running_server(home: Home) -> None:
    with server(home, "serve"):
        for key in ("primary", "secondary"):
            text = answer(home, "resource", "connection-string", "--key", key).strip()
            with IdentityClient.from_connection_string(text, verify=ca(home)) as client:
                client.create_user()


def test_connection_string_without_a_server_names_the_address_that_it_would_have(home: Home, tmp_path: Path) -> None:
    with server(home, "serve", "--data", tmp_path / "data"):
        pass
    text = answer(home, "resource", "connection-string", "--data", tmp_path / "data", "--port", "9000")
    assert text.startswith("endpoint=https://localhost:9000/;accesskey=")
    public = answer(
        home, "resource", "connection-string", "--data", tmp_path / "data", "--public-endpoint", "https://acs.example"
    )
    assert public.startswith("endpoint=https://acs.example/;accesskey=")


def test_identities_and_keys_survive_a_restart(home: Home) -> None:
    with server(home, "serve"):
        identity = answer(home, "identity", "create").strip()
    with server(home, "serve"):
        assert json.loads(answer(home, "identity", "show", "--user", identity, "--json"))["id"] == identity


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_what_it_makes_is_its_users_alone(home: Home) -> None:
    with server(home, "serve") as running:
        assert stat.S_IMODE(running.data.stat().st_mode) == 0o700
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in running.data.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    assert {"encryption.key", *(["watchword.sqlite"] if CHOSEN == "sqlite" else [])} <= set(modes)


@pytest.mark.sqlite("`watchword dev` refuses PostgreSQL, into which it would put keys that everybody knows")
def test_a_development_directory_is_never_served_to_others(home: Home, tmp_path: Path) -> None:
    with server(home, "dev", "--data", tmp_path):
        pass
    complaint = refusal(home, "serve", "--port", "0", "--data", tmp_path)
    assert "everybody knows its access keys" in complaint


def test_a_lost_key_file_is_not_replaced_by_a_new_one(home: Home) -> None:
    with server(home, "serve"):
        pass
    (home.server_data / "encryption.key").unlink()
    assert "The key file" in refusal(home, "serve", "--port", "0")
    assert not (home.server_data / "encryption.key").exists()


def test_without_tls_it_says_so(home: Home) -> None:
    with server(home, "serve", "--no-tls") as running:
        assert running.endpoint.startswith("http://localhost:")
        assert running.fact("certificate").startswith("none")
        with urllib.request.urlopen(f"{running.endpoint}/healthz", timeout=10) as reply:
            assert reply.status == 200


def test_own_certificate_is_shown_to_clients(home: Home, tmp_path: Path) -> None:
    authority, _ = prepare_authority(tmp_path / "company", datetime.now(UTC), "company.example")
    certificate, key = issue_leaf(authority, ["acs.company.example"], datetime.now(UTC))
    chain, key_path = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in (certificate, authority.intermediate)))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with server(home, "serve", "--certificate", chain, "--certificate-key", key_path) as running:
        assert "acs.company.example" in running.fact("certificate")
        shown = ssl.get_server_certificate(("127.0.0.1", running.port))
        assert x509.load_pem_x509_certificate(shown.encode()) == certificate
        assert not ca(home).exists()
    assert "belong together" in refusal(home, "serve", "--port", "0", "--certificate", chain)
    other = authority.key_path
    complaint = refusal(home, "serve", "--port", "0", "--certificate", chain, "--certificate-key", other)
    assert f"The key {other} is not that of the certificate" in complaint


def test_suffix_lets_the_local_ca_sign_for_the_public_name(home: Home) -> None:
    arguments = ("--public-endpoint", "https://acs.test.internal:8443", "--tls-suffix", "test.internal")
    with server(home, "serve", *arguments) as running:
        assert running.endpoint == "https://acs.test.internal:8443"
        names = running.fact("certificate").partition(";")[0].split(", ")
    assert {"localhost", "test.internal", "*.test.internal", "acs.test.internal"} <= set(names)


def test_certificate_that_does_not_hold_for_the_public_name_is_pointed_out(home: Home) -> None:
    with server(home, "serve", "--public-endpoint", "https://acs.example") as running:
        status, log = running.stop(signal.SIGTERM)
    assert status == 0
    assert any("does not hold for acs.example" in line and "--tls-names acs.example" in line for line in log)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WATCHWORD_PORT", "many"),
        ("WATCHWORD_PUBLIC_ENDPOINT", "ftp://example.com"),
        ("WATCHWORD_TLS_SUFFIX", "not a name"),
        ("WATCHWORD_TRUSTED_PROXIES", "proxy"),
        ("WATCHWORD_ENCRYPTION_KEY", "short"),
        ("WATCHWORD_HOST", "192.0.2.1"),
    ],
)
def test_setting_that_cannot_hold_is_told_in_a_sentence(home: Home, variable: str, value: str) -> None:
    complaint = refusal(home, "serve", environment={"WATCHWORD_PORT": "0", variable: value})
    assert value in complaint or "encryption key" in complaint


def test_key_by_setting_needs_no_file(home: Home) -> None:
    key = {"WATCHWORD_ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
    with server(home, "serve", environment=key) as running:
        assert not (running.data / "encryption.key").exists()
        with IdentityClient.from_connection_string(
            answer(home, "resource", "connection-string", environment=key).strip(), verify=ca(home)
        ) as client:
            client.create_user()
    assert "primary key" in answer(home, "resource", "keys", environment=key)
    assert "The key file" in refusal(home, "resource", "keys")


@pytest.mark.sqlite("its database is a file of the directory; an address of PostgreSQL always leads to one")
def test_keys_of_a_directory_without_a_database_are_not_invented(home: Home, tmp_path: Path) -> None:
    assert "There is no database" in refusal(home, "resource", "keys", "--data", tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_keys_encrypted_with_another_key_are_told_apart_from_damage(home: Home, tmp_path: Path) -> None:
    with server(home, "serve"), server(home, "serve", "--data", tmp_path / "other"):
        pass
    shutil.copy(tmp_path / "other" / "encryption.key", home.server_data / "encryption.key")
    assert "The encryption key does not fit the database" in refusal(home, "resource", "keys")


def test_operators_have_a_port_of_their_own_if_they_are_given_one(home: Home) -> None:
    with server(home, "serve", "--no-tls", "--operator-port", "0") as running:
        operators, _, note = running.fact("operators").partition(" ")
        assert note == "(metrics and the management API, which are nowhere else)"
        assert f"export WATCHWORD_OPERATOR_ENDPOINT='{operators}'" in answer(home, "env").splitlines()
        with urllib.request.urlopen(f"{operators}/metrics", timeout=10) as reply:
            assert b"watchword_database_up 1.0" in reply.read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{running.endpoint}/metrics", timeout=10)
        status, _ = running.stop(signal.SIGTERM)
    assert status == 0


def test_the_operators_port_is_theirs_alone_and_on_loopback_in_development(home: Home) -> None:
    assert "cannot be the operator's alone" in refusal(home, "serve", "--port", "8443", "--operator-port", "8443")
    assert "everybody knows its access keys" in refusal(
        home, "dev", "--operator-port", "0", "--operator-host", "0.0.0.0"
    )


def test_own_certificate_that_does_not_hold_for_the_endpoint_is_pointed_out(home: Home, tmp_path: Path) -> None:
    authority, _ = prepare_authority(tmp_path / "company", datetime.now(UTC), "company.example")
    certificate, key = issue_leaf(authority, ["acs.company.example"], datetime.now(UTC))
    chain, key_path = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in (certificate, authority.intermediate)))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    own = ("--certificate", chain, "--certificate-key", key_path, "--public-endpoint")
    for endpoint, is_told in (("https://acs.example", True), ("https://acs.company.example", False)):
        with server(home, "serve", *own, endpoint) as running:
            _, log = running.stop(signal.SIGTERM)
        assert any("The certificate does not hold for acs.example" in line for line in log) is is_told


def test_names_and_addresses_can_be_had_from_the_local_ca(home: Home) -> None:
    arguments = ("--public-endpoint", "https://acs.lab.internal:8443", "--tls-names", "acs.lab.internal,192.0.2.7")
    with server(home, "serve", *arguments) as running:
        names = running.fact("certificate").partition(";")[0].split(", ")
        status, log = running.stop(signal.SIGTERM)
    assert {"localhost", "acs.lab.internal", "192.0.2.7"} <= set(names)
    assert status == 0
    assert not any("does not hold" in line for line in log)


def test_commands_trust_the_local_ca_for_whatever_it_may_sign_for(home: Home) -> None:
    with server(home, "serve", "--host", "127.0.0.2", "--tls-names", "127.0.0.2") as running:
        elsewhere = running.connection_string.replace("localhost", "127.0.0.2")
        variables = {"COMMUNICATION_SERVICES_CONNECTION_STRING": elsewhere}
        assert answer(home, "identity", "create", environment=variables).startswith("8:acs:")
    certificate = home.folder / "data" / "certificates" / "ca.pem"
    assert may_sign_for(certificate, "127.0.0.3")
    assert not may_sign_for(certificate, "acs.example")
    assert not may_sign_for(certificate, "no name")
