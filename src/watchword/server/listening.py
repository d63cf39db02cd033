"""Where a server listens: its sockets, with the address and the certificate under which clients reach them."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from watchword.clock import SystemClock, to_datetime
from watchword.errors import InvalidConnectionString, OperatorError
from watchword.http.sockets import bind
from watchword.server.certificate import ServerCertificate, prepare_certificate
from watchword.settings import Settings
from watchword.wire.connection_string import parse_endpoint


@dataclass(frozen=True)
class Listening:
    """Where a server listens, and under which address clients reach it; `certificate` is None without TLS.

    Where operators have a port of their own, its sockets are among `sockets`, behind the others.
    """

    sockets: list[socket.socket]
    endpoint: str
    certificate: ServerCertificate | None
    operator_port: int | None = None
    operator_endpoint: str = ""

    @property
    def host(self) -> str:
        return str(self.sockets[0].getsockname()[0])

    @property
    def port(self) -> int:
        return int(self.sockets[0].getsockname()[1])


def listen(settings: Settings, certificates: Path, sockets: Sequence[socket.socket] = ()) -> Listening:
    """Listen, or take the sockets that listen already; who connects is answered as soon as the application runs.

    Raises:
        OperatorError: the port is taken, or a setting does not hold.
    """
    if settings.public_endpoint:
        try:
            parse_endpoint(settings.public_endpoint)
        except InvalidConnectionString as error:
            raise OperatorError(
                f"{settings.public_endpoint!r} is no public endpoint: {error}", "Write it like https://acs.example."
            ) from None
    sockets = list(sockets) or bind(settings.host, settings.port)
    if not sockets:
        raise OperatorError(
            f"None of these addresses is one of this machine's: {', '.join(settings.host)}.",
            "Name one with --host, such as 127.0.0.1.",
        )
    try:
        now = to_datetime(SystemClock().micros())
        certificate = prepare_certificate(settings, certificates, now) if settings.tls else None
        endpoint = (
            parse_endpoint(settings.public_endpoint) if settings.public_endpoint else _endpoint(settings, sockets)
        )
        operators = _bind_operators(settings)
        sockets += operators
        port = operators[0].getsockname()[1] if operators else None
        operator_endpoint = _endpoint(settings, operators) if operators else ""
        return Listening(sockets, endpoint, certificate, port, operator_endpoint)
    except BaseException:
        for each in sockets:
            each.close()
        raise


def _bind_operators(settings: Settings) -> list[socket.socket]:
    """The sockets of the operator's listener, if there is to be one.

    Raises:
        OperatorError: its port is taken, or is the one of the others.
    """
    if settings.operator_port is None:
        return []
    if settings.operator_port == settings.port != 0:
        raise OperatorError(
            f"Port {settings.port} cannot be the operator's alone: clients come to it.",
            "Choose another --operator-port, or leave it out to have everything on one port.",
        )
    sockets = bind(settings.operator_host, settings.operator_port)
    if not sockets:
        raise OperatorError(
            f"None of these addresses is one of this machine's: {', '.join(settings.operator_host)}.",
            "Name one with --operator-host, such as 127.0.0.1.",
        )
    return sockets


def _endpoint(settings: Settings, sockets: list[socket.socket]) -> str:
    host, port = sockets[0].getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_loopback or address.is_unspecified:
        name = "localhost"
    else:
        name = f"[{host}]" if address.version == 6 else host
    return f"{'https' if settings.tls else 'http'}://{name}:{port}"
