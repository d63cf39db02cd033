"""The certificate of a running server changes with its files: no connection drops, and a bad one stays out."""

from __future__ import annotations

import http.client
import logging
import os
import signal
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from tests.support.commands import Home, server
from tests.support.polling import until
from watchword.certificates import LocalAuthority, ensure_leaf, issue_leaf, prepare_authority
from watchword.server.certificate import ServerCertificate, prepare_certificate
from watchword.server.live_certificate import LiveCertificate
from watchword.settings import Settings
from watchword.testing import MovableClock


@dataclass(frozen=True)
class Pair:
    """The files of an operator's certificate."""

    authority: LocalAuthority
    certificate: Path
    key: Path

    def replace(self) -> x509.Certificate:
        """With a new pair, file after file, as an operator's tool does."""
        certificate, key = issue_leaf(self.authority, [], datetime.now(UTC))
        self.write_key(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        chain = [certificate, self.authority.intermediate]
        self.write_certificate(b"".join(each.public_bytes(Encoding.PEM) for each in chain))
        return certificate

    def write_certificate(self, content: bytes) -> None:
        _replace(self.certificate, content)

    def write_key(self, content: bytes) -> None:
        _replace(self.key, content)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    authority, _ = prepare_authority(tmp_path / "company", datetime.now(UTC))
    made = Pair(authority, tmp_path / "chain.pem", tmp_path / "key.pem")
    made.replace()
    return made


def live_certificate(pair: Pair) -> LiveCertificate:
    settings = Settings(certificate=pair.certificate, certificate_key=pair.key)

    def prepare(now: datetime) -> ServerCertificate:
        return prepare_certificate(settings, pair.certificate.parent, now)

    clock = MovableClock()
    return LiveCertificate(prepare(clock.now()), prepare, clock)


def shown(context: ssl.SSLContext) -> x509.Certificate:
    """What a handshake with a server of this context shows, without a network between them."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, serving = trusting.wrap_bio(to_client, to_server), context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, serving, client, serving):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    encoded = client.getpeercert(binary_form=True)
    assert encoded is not None
    return x509.load_der_x509_certificate(encoded)


def test_a_new_pair_is_shown_by_the_very_same_context(pair: Pair) -> None:
    live = live_certificate(pair)
    before = shown(live.context)
    live.look()
    assert shown(live.context) == before
    new = pair.replace()
    live.look()
    assert shown(live.context) == new != before


def test_half_of_a_pair_is_waited_for_without_a_word(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    live = live_certificate(pair)
    before, old_key = shown(live.context), pair.key.read_bytes()
    new = pair.replace()
    new_key = pair.key.read_bytes()
    pair.write_key(old_key)
    live.look()
    assert shown(live.context) == before
    pair.write_key(new_key)
    live.look()
    assert shown(live.context) == new
    assert caplog.records == []


@pytest.mark.parametrize("broken", ["certificate", "key", "encrypted key", "missing key"])
def test_a_pair_that_does_not_hold_stays_out_and_is_told_once(
    pair: Pair, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    live = live_certificate(pair)
    before = shown(live.context)
    pair.replace()
    if broken == "certificate":
        pair.write_certificate(b"no certificate")
    elif broken == "key":
        pair.write_key(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    elif broken == "missing key":
        pair.key.unlink()
    else:
        secret = pair.authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
        pair.write_key(secret)
    for _ in range(5):
        live.look()
    assert shown(live.context) == before
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert f"the certificate {pair.certificate} with the key {pair.key} was not loaded" in record.getMessage()
    new = pair.replace()
    live.look()
    assert shown(live.context) == new


def test_the_local_cas_own_is_renewed_while_the_server_runs(tmp_path: Path) -> None:
    clock = MovableClock()

    def prepare(now: datetime) -> ServerCertificate:
        return prepare_certificate(Settings(), tmp_path, now)

    # The CA lives for years; a leaf that was made long ago has a year of its own.
    live = LiveCertificate(prepare(clock.now()), prepare, clock)
    before = shown(live.context)
    clock.move(timedelta(days=350))
    live.look()
    assert shown(live.context) == before
    clock.move(timedelta(days=20))
    live.look()
    renewed = shown(live.context)
    assert renewed.not_valid_after_utc > before.not_valid_after_utc + timedelta(days=300)


def test_a_renewal_that_fails_keeps_the_one_in_force(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = MovableClock()
    authority, _ = prepare_authority(tmp_path, clock.now())
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", (), now=clock.now())

    def prepare(now: datetime) -> ServerCertificate:
        return prepare_certificate(Settings(), tmp_path, now)

    live = LiveCertificate(prepare(clock.now()), prepare, clock)
    before = shown(live.context)
    authority.intermediate_path.unlink()
    clock.move(timedelta(days=390))
    for _ in range(5):
        live.look()
    assert shown(live.context) == before
    assert leaf.certificate_path.exists()
    assert ["the certificate was not renewed" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.skipif(os.name != "posix", reason="a hang-up is POSIX's")
def test_an_open_connection_outlives_the_change(home: Home, pair: Pair) -> None:
    arguments = ("--certificate", pair.certificate, "--certificate-key", pair.key, "--host", "127.0.0.1")
    trust = ssl.create_default_context(cafile=pair.authority.certificate_path)
    with server(home, "serve", *arguments) as running:
        address = ("127.0.0.1", running.port)
        connection = http.client.HTTPSConnection(*address, timeout=20, context=trust)
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
        before = connection.sock.getpeername(), _peer(connection.sock)
        new = pair.replace()
        running.process.send_signal(signal.SIGHUP)
        found = until(
            lambda: ssl.get_server_certificate(address), lambda pem: x509.load_pem_x509_certificate(pem.encode()) == new
        )
        assert found
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
        assert (connection.sock.getpeername(), _peer(connection.sock)) == before
        connection.close()
        status, log = running.stop(signal.SIGTERM)
    assert status == 0
    assert any("loaded the certificate" in line for line in log)


def _peer(connection: socket.socket) -> bytes | None:
    assert isinstance(connection, ssl.SSLSocket)
    return connection.getpeercert(binary_form=True)


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(path)
