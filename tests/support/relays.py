"""A relay of TCP connections between a client and one of several servers in turn, which a test cuts."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Relay:
    """Each connection goes to the next of the ports, which may be changed."""

    ports: Sequence[int]
    listening: socket.socket
    open: set[socket.socket] = field(default_factory=set)
    accepted: int = 0
    is_up: bool = True

    @property
    def port(self) -> int:
        port: int = self.listening.getsockname()[1]
        return port

    def cut(self) -> None:
        """Every connection ends without a word."""
        for each in list(self.open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        turns = itertools.count()
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                self.accepted += 1
                if not self.is_up:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.ports[next(turns) % len(self.ports)]))
                self.open |= {client, server}
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
        for each in (one, other):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.open -= {one, other}
        with contextlib.suppress(OSError):
            one.close()


@contextmanager
def relay(*ports: int) -> Iterator[Relay]:
    listening = socket.create_server(("127.0.0.1", 0))
    running = Relay(ports, listening)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        # On Linux a close does not wake whoever waits for a connection.
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        running.cut()
        thread.join(10)
