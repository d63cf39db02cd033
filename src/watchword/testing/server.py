"""A server in a thread of this process, on a free port of loopback, with TLS."""

from __future__ import annotations

import ssl
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from watchword.app import open_watchword
from watchword.certificates import ensure_leaf, prepare_authority
from watchword.clock import SystemClock, to_datetime
from watchword.files import Process
from watchword.ground import Ground
from watchword.http.server import HttpServer
from watchword.http.sockets import bind
from watchword.http.tls import tls_context
from watchword.resources.access_keys import open_access_keys
from watchword.resources.first_resource import FirstResource
from watchword.resources.store import list_resources
from watchword.rest.service import OpenService
from watchword.server.event_loop import run_event_loop
from watchword.server.host_certificates import HostCertificates
from watchword.settings import Settings
from watchword.storage import Transaction
from watchword.testing.clock import MovableClock
from watchword.wire.connection_string import ConnectionString


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where it listens, and what a client needs."""

    port: int
    endpoint: str
    data: Path
    ca_file: Path | None
    clock: MovableClock
    keys: tuple[bytes, bytes] = field(repr=False)
    """Of the first resource; empty where the data has none left."""

    settings: Settings = field(default_factory=Settings, repr=False)
    operator_token: str = field(default="", repr=False)
    """Of the operator that the first start made; empty on the data of an earlier run."""

    operator_endpoint: str = ""
    """Where operators have a port of their own."""

    @property
    def connection_string(self) -> str:
        return str(ConnectionString(self.endpoint, self.keys[0]))

    @property
    def secondary_connection_string(self) -> str:
        return str(ConnectionString(self.endpoint, self.keys[1]))

    def client_tls(self) -> ssl.SSLContext:
        """A context that trusts the server's certificate and nothing else."""
        return ssl.create_default_context(cafile=self.ca_file)


@contextmanager
def running_server(
    settings: Settings | None = None,
    *,
    data: Path | None = None,
    clock: MovableClock | None = None,
    process: Process | None = None,
    services: Sequence[OpenService] = (),
) -> Iterator[RunningServer]:
    """A server that is listening, until the block ends; `data` is a temporary folder where none is given.

    On the data of an earlier run the access keys are those of that run. A `process` is one of several on the same data;
    `services` are served beside Watchword's own.
    """
    settings = settings or Settings(request_log=False)
    with tempfile.TemporaryDirectory() as temporary:
        folder = data or Path(temporary) / "data"
        clock = clock or MovableClock()
        tls, ca_file = _local_tls(Path(temporary), settings.resource_suffix) if settings.tls else (None, None)
        [listening, *others] = bind(("127.0.0.1", "::1"), 0)
        port = listening.getsockname()[1]
        scheme = "https" if settings.tls else "http"
        endpoint, operator_port, operator_endpoint = f"{scheme}://localhost:{port}", None, ""
        if settings.operator_port is not None:
            operators = bind(settings.operator_host, settings.operator_port)
            others += operators
            operator_port = operators[0].getsockname()[1]
            operator_endpoint = f"{scheme}://localhost:{operator_port}"
        first = FirstResource(settings.resource_name, settings.data_location)

        async def serve() -> None:
            application = await open_watchword(
                settings,
                folder,
                first,
                clock=clock,
                endpoint=endpoint,
                operator_port=operator_port,
                process=process,
                services=services,
            )
            try:
                keys.extend(await _read_keys(application.ground))
                made = application.ground.first_start
                tokens.append(str(made.operator or "") if made else "")
                http.append(
                    HttpServer(
                        application.answer,
                        [listening, *others],
                        tls,
                        head_deadline=timedelta(seconds=settings.head_deadline),
                        body_deadline=timedelta(seconds=settings.body_deadline),
                        answer_deadline=timedelta(seconds=settings.answer_deadline),
                        keep_alive=timedelta(seconds=settings.keep_alive),
                        stop_deadline=timedelta(seconds=settings.stop_deadline),
                        on_stop=application.stop_waiting,
                        word_refusal=application.word_refusal,
                        most_body_bytes=application.most_body_bytes,
                    )
                )
                application.metrics.watch(http[0])
                await http[0].run()
            finally:
                await application.close()

        http: list[HttpServer] = []
        keys: list[bytes] = []
        tokens: list[str] = []
        failures: list[BaseException] = []

        def run() -> None:
            try:
                run_event_loop(serve())
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits.
                failures.append(error)

        thread = threading.Thread(target=run, name="watchword-server", daemon=True)
        thread.start()
        while not (http and http[0].is_listening) and thread.is_alive():
            thread.join(0.005)
        try:
            if failures:
                raise failures[0]
            primary, secondary = keys or (b"", b"")
            both, token = (primary, secondary), tokens[0]
            yield RunningServer(port, endpoint, folder, ca_file, clock, both, settings, token, operator_endpoint)
        finally:
            if http:
                http[0].stop()
            thread.join()
            for each in (listening, *others):
                each.close()


async def _read_keys(ground: Ground) -> list[bytes]:
    async def read(transaction: Transaction) -> list[bytes]:
        resources = await list_resources(transaction)
        return (
            [key.secret for key in await open_access_keys(transaction, resources[0], ground.encryption)]
            if resources
            else []
        )

    return await ground.database.transact(read)


def _local_tls(folder: Path, suffix: str) -> tuple[ssl.SSLContext, Path]:
    clock = SystemClock()
    now = to_datetime(clock.micros())
    authority, _ = prepare_authority(folder / "ca", now, suffix or None)
    leaf, _ = ensure_leaf(authority, folder / "tls", (), now=now)
    context = tls_context(leaf.certificate_path, leaf.key_path)
    if suffix:
        context.sni_callback = HostCertificates(authority, suffix, clock).choose
    return context, authority.certificate_path
