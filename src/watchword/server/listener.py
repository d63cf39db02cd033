"""A server of this process, put together: sockets, certificate, application; then run until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from watchword.app import open_watchword
from watchword.clock import SystemClock
from watchword.files import Process
from watchword.http.server import HttpServer
from watchword.resources.first_resource import FirstResource
from watchword.rest.application import Watchword
from watchword.server.certificate import ServerCertificate, prepare_certificate
from watchword.server.data_lock import unusable
from watchword.server.host_certificates import HostCertificates
from watchword.server.listening import Listening
from watchword.server.live_certificate import LiveCertificate
from watchword.settings import Settings


@asynccontextmanager
async def opened_application(
    settings: Settings,
    data: Path,
    first: FirstResource,
    *,
    endpoint: str,
    operator_port: int | None = None,
    process: Process | None = None,
) -> AsyncIterator[Watchword]:
    """The application over its data directory.

    Raises:
        OperatorError: the data directory is not usable.
    """
    try:
        application = await open_watchword(
            settings, data, first, endpoint=endpoint, operator_port=operator_port, process=process
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
        listening: Listening,
        *,
        certificates: Path,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        def stop_waiting() -> None:
            on_stop()
            application.stop_waiting()

        self._certificate = _live_certificate(settings, listening, certificates)
        self._http = HttpServer(
            application.answer,
            listening.sockets,
            self._certificate.context if self._certificate else None,
            head_deadline=timedelta(seconds=settings.head_deadline),
            body_deadline=timedelta(seconds=settings.body_deadline),
            answer_deadline=timedelta(seconds=settings.answer_deadline),
            keep_alive=timedelta(seconds=settings.keep_alive),
            stop_deadline=timedelta(seconds=settings.stop_deadline),
            on_stop=stop_waiting,
            word_refusal=application.word_refusal,
            most_body_bytes=application.most_body_bytes,
            shares_sockets=settings.workers > 1,
            on_signal=self.stop,
        )
        self._metrics = application.metrics
        self._metrics.watch(self._http)
        self._on_stop = on_stop
        self._drain_delay_seconds = settings.drain_delay
        self._leaving: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

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
        """Stop, after the delay for balancers if there is one; asked again, at once. Safe in a signal's handler."""
        self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        if self._drain_delay_seconds and self._leaving is None:
            self._on_stop()
            self.leave()
            self._leaving = self._loop.call_later(self._drain_delay_seconds, self._http.stop)
        else:
            self._http.stop()

    def leave(self) -> None:
        """Go on as before, but call itself not ready."""
        self._metrics.say_leaving()

    def reload(self) -> None:
        if self._certificate is not None:
            self._certificate.look()


def _live_certificate(settings: Settings, listening: Listening, certificates: Path) -> LiveCertificate | None:
    """Each resource's host has a certificate of its own, where the local CA signs."""
    if listening.certificate is None:
        return None

    def prepare(now: datetime) -> ServerCertificate:
        return prepare_certificate(settings, certificates, now)

    live = LiveCertificate(listening.certificate, prepare, SystemClock())
    if listening.certificate.authority and settings.resource_suffix:
        hosts = HostCertificates(listening.certificate.authority, settings.resource_suffix, SystemClock())
        live.context.sni_callback = hosts.choose
    return live
