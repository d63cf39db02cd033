"""The listening sockets, and the HTTP server on them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn

from watchword.errors import OperatorError
from watchword.rest.accepting import FairAcceptor
from watchword.rest.exchange import Exchange
from watchword.rest.http_protocol import STOP_LINGER, HttpProtocol

_log = logging.getLogger(__name__)

_BACKLOG = 1_024
_MOST_UNSENT_BYTES = 131_072
_TRIES_FOR_A_SHARED_PORT = 20
_LOOK_SECONDS = 0.02
_LAST_WORDS_SECONDS = 0.5


def bind(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """One listening socket for each address, all on one port; 0 finds a port that is free on all of them.

    An IPv6 address is left out where the machine has no IPv6.

    Raises:
        OperatorError: the port is taken, or an address is not this machine's.
    """
    for _ in range(_TRIES_FOR_A_SHARED_PORT if port == 0 else 1):
        sockets: list[socket.socket] = []
        chosen = port
        try:
            for host in hosts:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                if family == socket.AF_INET6 and not _has_ipv6():
                    continue
                sockets.append(_listen(family, host, chosen))
                chosen = chosen or sockets[0].getsockname()[1]
            return sockets
        except OSError as error:
            for opened in sockets:
                opened.close()
            failure = error
    raise OperatorError(
        f"Port {port} of {host} cannot be listened on: {failure.strerror}.",
        "Stop what uses it, or choose another --port (0 picks a free one); --host takes this machine's own addresses.",
    )


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's context: TLS 1.2 and newer, HTTP/1.1.

    Raises:
        OperatorError: the files are no certificate chain and its key.
    """
    try:
        return tls_context_of(certificate.read_bytes(), key.read_bytes())
    except (OSError, ssl.SSLError) as error:
        raise OperatorError(
            f"The certificate {certificate} with the key {key} cannot be used: {error}.",
            "Give a PEM file with the chain, the server's own certificate first, and one with its unencrypted key.",
        ) from None


def tls_context_of(chain: bytes, key: bytes) -> ssl.SSLContext:
    """The same from what is in such files.

    Raises:
        ssl.SSLError: they are no certificate chain and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    load_pair(context, chain, key)
    return context


def load_pair(context: ssl.SSLContext, chain: bytes, key: bytes) -> None:
    """What handshakes from now on show. A pair that does not fit together spoils the context: try it on another first.

    Raises:
        ssl.SSLError: it is no certificate chain and its key.
    """
    # The ssl module reads certificates from files only; these are gone when it has.
    with tempfile.TemporaryDirectory(prefix="watchword-tls-") as folder:
        certificate_path, key_path = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        certificate_path.write_bytes(chain)
        key_path.touch(0o600)
        key_path.write_bytes(key)
        # A password is given, though there is none, so that OpenSSL does not ask for it on the terminal.
        context.load_cert_chain(certificate_path, key_path, password="")


class HttpServer:
    """Hands every exchange to an application until it is told to stop; then finishes what is in flight.

    A TLS handshake has as long as a head: it is what comes before the first one, and costs a stranger nothing either.
    `shares_sockets` says that other processes accept on them too.
    """

    def __init__(
        self,
        application: Callable[[Exchange], Coroutine[Any, Any, None]],
        sockets: list[socket.socket],
        tls: ssl.SSLContext | None,
        *,
        head_deadline: timedelta,
        body_deadline: timedelta,
        answer_deadline: timedelta,
        stop_deadline: timedelta,
        on_stop: Callable[[], None],
        shares_sockets: bool = False,
    ) -> None:
        deadlines = {
            "head_deadline": head_deadline,
            "body_deadline": body_deadline,
            "answer_deadline": answer_deadline,
        }
        protocol: type[HttpProtocol] = type("Protocol", (HttpProtocol,), deadlines)
        self._protocol = protocol
        config = uvicorn.Config(
            application,
            http=protocol,
            interface="asgi3",  # Which it is not; but so uvicorn leaves it alone.
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        config.load()
        config.ssl = tls
        self._server = _Server(config, protocol, stop_deadline, on_stop, shares_sockets=shares_sockets)
        self._sockets = sockets

    async def run(self, on_listening: Callable[[], None] = lambda: None) -> None:
        """Returns after a stop, or after SIGINT or SIGTERM where it runs in the main thread."""
        self._server.on_listening = on_listening
        await self._server.serve(sockets=self._sockets)

    @property
    def is_listening(self) -> bool:
        return self._server.started

    @property
    def open_connections(self) -> int:
        return len(self._server.server_state.connections)

    @property
    def requests_in_flight(self) -> int:
        connections: Any = self._server.server_state.connections
        return sum(each.is_busy for each in connections)

    def tell_refusals(self, tell: Callable[[int, str], None]) -> None:
        """From now on `tell` is given status and error code of what never reaches the application."""
        self._protocol.tell_refusal = staticmethod(tell)

    def stop(self) -> None:
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Stops without losing a request: those in flight are answered, and so are those that come on a connection that
    was open already, until each client has been told that its connection ends.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        protocol: type[HttpProtocol],
        stop_deadline: timedelta,
        on_stop: Callable[[], None],
        *,
        shares_sockets: bool,
    ) -> None:
        super().__init__(config)
        self._protocol = protocol
        self._stop_deadline = stop_deadline
        self._on_stop = on_stop
        self._shares_sockets = shares_sockets
        self.on_listening: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # As uvicorn does it, but with a deadline for the TLS handshake, for which the event loop allows a minute.
        tls, deadline = self.config.ssl, self._protocol.head_deadline
        if self._shares_sockets:
            acceptor = FairAcceptor(sockets or [], self._new_connection, tls, handshake_deadline=deadline)
            self.servers = [acceptor]  # type: ignore[list-item]
        else:
            loop, seconds = asyncio.get_running_loop(), deadline.total_seconds() if tls else None
            self.servers = [
                await loop.create_server(
                    self._new_connection, sock=each, ssl=tls, backlog=_BACKLOG, ssl_handshake_timeout=seconds
                )
                for each in sockets or []
            ]
        self.started = True
        self.on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        self._protocol.is_stopping = True
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self._stop_deadline.total_seconds()):
                await self._all_gone()
                # A TLS handshake that was under way becomes a connection only when it is done.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_LINGER.total_seconds()):
                        await asyncio.gather(*(server.wait_closed() for server in self.servers))
                await self._all_gone()
        except TimeoutError:
            _log.warning("%d connections were cut off at the stop deadline", len(self.server_state.connections))
        await self._cut_off()

    def _new_connection(self) -> HttpProtocol:
        return self._protocol(self.config, self.server_state, self.lifespan.state)

    async def _all_gone(self) -> None:
        # The HTTP library keeps sets, which nobody can wait for.
        while (self.server_state.connections or self.server_state.tasks) and not self.force_exit:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)

    async def _cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if tasks := set(self.server_state.tasks):
            _, tasks = await asyncio.wait(tasks, timeout=_LAST_WORDS_SECONDS)
        for task in tasks:
            task.cancel()


def adopt(descriptor: int) -> socket.socket:
    """A listening socket that another process has bound for us."""
    found = socket.socket(fileno=descriptor)
    found.setblocking(False)
    if found.family not in (socket.AF_INET, socket.AF_INET6):
        return found
    # Not every system can say that it is TCP, see `_listen`.
    return socket.socket(found.family, found.type, socket.IPPROTO_TCP, fileno=found.detach())


def _listen(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # The protocol must be named: asyncio sets TCP_NODELAY only where it sees TCP, and without it an answer waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            # Its connections inherit it. Else the system takes megabytes for a client that reads nothing, and for one
            # that reads slowly lets nobody see for long that it does.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _MOST_UNSENT_BYTES)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
