"""The listening sockets, and the HTTP server on them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn

from watchword.errors import OperatorError
from watchword.rest.http_protocol import HttpProtocol

_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 1_024
_TRIES_FOR_A_SHARED_PORT = 20


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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise OperatorError(
            f"The certificate {certificate} with the key {key} cannot be used: {error}.",
            "Give a PEM file with the chain, the server's own certificate first, and one with its unencrypted key.",
        ) from None
    return context


def run_event_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run until `main` returns, on uvloop where there is one (not on Windows)."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)


class HttpServer:
    """Runs an ASGI application until it is told to stop; then finishes what is in flight."""

    def __init__(
        self,
        application: Any,
        sockets: list[socket.socket],
        tls: ssl.SSLContext | None,
        *,
        head_deadline: timedelta,
        body_deadline: timedelta,
        stop_deadline: timedelta,
        on_stop: Callable[[], None],
    ) -> None:
        deadlines = {"head_deadline": head_deadline, "body_deadline": body_deadline}
        self._protocol: type[HttpProtocol] = type("Protocol", (HttpProtocol,), deadlines)
        config = uvicorn.Config(
            application,
            http=self._protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=round(stop_deadline.total_seconds()),
        )
        config.load()
        config.ssl = tls
        self._server = _Server(config, on_stop)
        self._sockets = sockets

    async def run(self) -> None:
        """Returns after a stop, or after SIGINT or SIGTERM where it runs in the main thread."""
        await self._server.serve(sockets=self._sockets)

    @property
    def is_listening(self) -> bool:
        return self._server.started

    @property
    def open_connections(self) -> int:
        return len(self._server.server_state.connections)

    @property
    def requests_in_flight(self) -> int:
        return len(self._server.server_state.tasks)

    def tell_refusals(self, tell: Callable[[int, str], None]) -> None:
        """From now on `tell` is given status and error code of what never reaches the application."""
        self._protocol.tell_refusal = staticmethod(tell)

    def stop(self) -> None:
        self._server.should_exit = True


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        await super().shutdown(sockets)


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
        listening.bind((host, port))
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
