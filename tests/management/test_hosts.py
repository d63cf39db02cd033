"""Each resource's host is shown a certificate of exactly its name, which clients of the local CA accept."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.support.servers import running_server
from watchword.certificates import prepare_authority
from watchword.clock import to_datetime
from watchword.server.host_certificates import HostCertificates
from watchword.settings import Settings
from watchword.testing import MovableClock, RunningServer

SUFFIX = "acs.test"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, resource_suffix=SUFFIX)) as running:
        yield running


def _names(server: RunningServer, host: str, *, checked: bool = True) -> list[str]:
    """The DNS names of the certificate that is shown to who asks for the host."""
    context = server.client_tls()
    context.check_hostname = checked
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        shown = connection.getpeercert(binary_form=True)
    assert shown is not None
    names = x509.load_der_x509_certificate(shown).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)


def test_a_host_is_shown_a_certificate_of_its_own_name(server: RunningServer) -> None:
    for name in ("contoso", "fabrikam"):
        assert f"{name}.{SUFFIX}" in _names(server, f"{name}.{SUFFIX}")
        assert f"{name}.{SUFFIX}" in _names(server, f"{name.upper()}.{SUFFIX}")
    assert f"fabrikam.{SUFFIX}" not in _names(server, f"contoso.{SUFFIX}")


@pytest.mark.parametrize("host", ["localhost", f"a.b.{SUFFIX}", SUFFIX, "contoso.example.com"])
def test_any_other_name_is_shown_the_servers_own_certificate(server: RunningServer, host: str) -> None:
    assert _names(server, host, checked=False) == ["localhost"]


def test_strangers_cannot_have_certificates_made_without_end(tmp_path: Path) -> None:
    clock = MovableClock()
    now = to_datetime(clock.micros())
    authority, _ = prepare_authority(tmp_path, now, SUFFIX)
    default = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    hosts = HostCertificates(authority, SUFFIX, clock)

    class Connection:
        context = default

    def is_shown_its_own(name: str) -> bool:
        connection = Connection()
        hosts.choose(connection, name, default)  # type: ignore[arg-type]
        return connection.context is not default

    made = sum(is_shown_its_own(f"n{n}.{SUFFIX}") for n in range(70))
    assert made == 60
    assert is_shown_its_own(f"n1.{SUFFIX}"), "what was made is kept"
