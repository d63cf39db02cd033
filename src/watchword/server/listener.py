"""A server of this process, put together: sockets, certificate, application; then run until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from watchword.app import Watchword, open_watchword
from watchword.clock import SystemClock, to_datetime
from watchword.errors import InvalidConnectionString, OperatorError
from watchword.files import Worker
from watchword.http.server import HttpServer
from watchword.http.sockets import bind
from watchword.resources.first_resource import FirstResource
from watchword.rest.refusals import word_refusal
from watchword.server.certificate import ServerCertificate, prepare_certificate
from watchword.server.data_lock import unusable
from watchword.server.host_certificates import HostCertificates
from watchword.server.live_certificate import LiveCertificate
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
    operator_port: int | None = None
    operator_endpoint: str = ""

    @property
    def host(self) -> str:
        return str(self.sockets[0].getsockname()[0])

    @property
    def port(self) -> int:
        return int(self.sockets[0].getsockname()[1])


def open_door(settings: Settings, certificates: Path, sockets: Sequence[socket.socket] = ()) -> Door:
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
        return Door(sockets, endpoint, certificate, port, operator_endpoint)
    except BaseException:
        for each in sockets:
            each.close()
        raise


@asynccontextmanager
async def opened_application(
    settings: Settings,
    data: Path,
    first: FirstResource,
    endpoint: str,
    operator_port: int | None = None,
    worker: Worker | None = None,
) -> AsyncIterator[Watchword]:
    """The application over its data directory.

    Raises:
        OperatorError: the data directory is not usable.
    """
    try:
        application = await open_watchword(
            settings, data, first, endpoint=endpoint, operator_port=operator_port, worker=worker
        )
    except OSError as error:
        raise unusable(data, error) from None
    try:
        yield application
    finally:
        await application.close()


class Listener:
    """The application on its sockets, ready to run; its certificate follows the files that it comes from.

    Raises:
        OperatorError: the certificate is not usable.
    """

    def __init__(
        self,
        settings: Settings,
        application: Watchword,
        door: Door,
        certificates: Path,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        def stop_waiting() -> None:
            on_stop()
            application.stop_waiting()

        self._certificate = _live_certificate(settings, door, certificates)
        self._http = HttpServer(
            application.answer,
            door.sockets,
            self._certificate.context if self._certificate else None,
            head_deadline=timedelta(seconds=settings.head_deadline),
            body_deadline=timedelta(seconds=settings.body_deadline),
            answer_deadline=timedelta(seconds=settings.answer_deadline),
            stop_deadline=timedelta(seconds=settings.stop_deadline),
            on_stop=stop_waiting,
            word_refusal=word_refusal,
            shares_sockets=settings.workers > 1,
        )
        application.metrics.watch(self._http)

    async def run(self, on_listening: Callable[[], None] = lambda: None) -> None:
        """Returns after a graceful stop."""
        # What was loaded stays: the collector need not look at it again, and from here on it works as usual.
        gc.freeze()
        # A request in progress holds some hundred objects, and nothing of it outlives its answer.
        gc.set_threshold(10_000)
        gc.enable()
        watching = asyncio.create_task(self._certificate.keep_fresh()) if self._certificate else None
        try:
            await self._http.run(on_listening)
        finally:
            if watching is not None:
                watching.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watching

    def stop(self) -> None:
        self._http.stop()

    def reload(self) -> None:
        if self._certificate is not None:
            self._certificate.look()


def _live_certificate(settings: Settings, door: Door, certificates: Path) -> LiveCertificate | None:
    """With a certificate of its own for each resource's host, where the local CA signs."""
    if door.certificate is None:
        return None

    def prepare(now: datetime) -> ServerCertificate:
        return prepare_certificate(settings, certificates, now)

    live = LiveCertificate(door.certificate, prepare, SystemClock())
    if door.certificate.authority and settings.resource_suffix:
        hosts = HostCertificates(door.certificate.authority, settings.resource_suffix, SystemClock())
        live.context.sni_callback = hosts.choose
    return live


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
