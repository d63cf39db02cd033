"""A server of this process, put together: sockets, certificate, application; then run until it is told to stop."""

from __future__ import annotations

import gc
import ipaddress
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from watchword.app import FirstResource, Watchword, open_watchword
from watchword.cli.server_certificate import ServerCertificate, prepare_certificate
from watchword.clock import SystemClock, to_datetime
from watchword.errors import InvalidConnectionString, OperatorError
from watchword.rest.host_certificates import HostCertificates
from watchword.rest.serving import HttpServer, bind, tls_context
from watchword.settings import Settings
from watchword.wire.connection_string import parse_endpoint


@dataclass(frozen=True)
class Door:
    """Where a server listens, and under which address clients reach it; `certificate` is None without TLS.

    Where operators have a port of their own, its sockets are among `sockets`, behind the others.
    """

    sockets: list[socket.socket]
    endpoint: str
    certificate: ServerCertificate | None
    resource_suffix: str = ""
    operator_port: int | None = None
    operator_endpoint: str = ""

    @property
    def host(self) -> str:
        return str(self.sockets[0].getsockname()[0])

    @property
    def port(self) -> int:
        return int(self.sockets[0].getsockname()[1])

    def tls(self) -> ssl.SSLContext | None:
        """With a certificate of its own for each resource's host, where the local CA signs."""
        if self.certificate is None:
            return None
        context = tls_context(self.certificate.certificate, self.certificate.key)
        if self.certificate.authority and self.resource_suffix:
            hosts = HostCertificates(self.certificate.authority, self.resource_suffix, SystemClock())
            context.sni_callback = hosts.choose
        return context


def open_door(settings: Settings, certificates: Path) -> Door:
    """Listen; who connects from now on is answered as soon as the application runs.

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
    sockets = bind(settings.host, settings.port)
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
        return Door(sockets, endpoint, certificate, settings.resource_suffix, port, operator_endpoint)
    except BaseException:
        for each in sockets:
            each.close()
        raise


@asynccontextmanager
async def opened(
    settings: Settings, data: Path, first: FirstResource, door: Door
) -> AsyncIterator[tuple[Watchword, HttpServer]]:
    """The application over its data directory, and the HTTP server that is ready to run it.

    Raises:
        OperatorError: the data directory is not usable.
    """
    try:
        application = await open_watchword(
            settings, data, first, endpoint=door.endpoint, operator_port=door.operator_port
        )
    except OSError as error:
        raise OperatorError(
            f"The data directory {data} cannot be used: {error}.",
            "Name one with --data that this user may write to, on a disk that has room.",
        ) from None
    try:
        http = HttpServer(
            application,
            door.sockets,
            door.tls(),
            head_deadline=timedelta(seconds=settings.head_deadline),
            body_deadline=timedelta(seconds=settings.body_deadline),
            stop_deadline=timedelta(seconds=settings.stop_deadline),
            on_stop=application.stop_waiting,
        )
        application.metrics.watch(http)
        # What was loaded stays: the collector need not look at it again, and from here on it works as usual.
        gc.freeze()
        gc.enable()
        yield application, http
    finally:
        await application.close()


class Stopping:
    """Turns the signals that end a process into a graceful stop, from entering the block until leaving it.

    The HTTP library handles them while it runs, and sends them once more when it has stopped; without a handler that
    second signal would end the process before the database is closed.
    """

    def __init__(self) -> None:
        self._http: HttpServer | None = None
        self._asked = False
        self._before: dict[int, Any] = {}

    def stops(self, http: HttpServer) -> None:
        """From now on a signal stops this server; one that came before stops it at once."""
        self._http = http
        if self._asked:
            http.stop()

    def __enter__(self) -> Self:
        for number in _stop_signals():
            self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, *_: object) -> None:
        self._asked = True
        if self._http is not None:
            self._http.stop()


def _stop_signals() -> list[signal.Signals]:
    names = ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP")
    there: list[signal.Signals] = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # Under nohup a hang-up is ignored, and has to stay so.
    return [each for each in there if signal.getsignal(each) is not signal.SIG_IGN]


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
