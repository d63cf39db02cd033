"""A wire to PostgreSQL that is cut at the worst moment: the database has committed, and its answer never arrives."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

COMMITTED = b"Z\x00\x00\x00\x05I"
"""The end of an answer: ready for another query, and in no transaction any more."""


class CutWire:
    """Forwards everything, but for the answer to a transaction in which `marker` was sent: then the connection is cut
    instead, `cuts` times. What was taken away is in `taken`.
    """

    def __init__(self, target_port: int) -> None:
        self.marker = b""
        self.cuts = 0
        self.taken: list[bytes] = []
        self._target_port = target_port
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def cut(self, marker: str, times: int = 1) -> None:
        self.marker, self.cuts = marker.encode(), times

    def serve(self) -> None:
        """Until it is closed."""
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._target_port))
                is_marked = threading.Event()
                for work in (self._ask, self._answer):
                    threading.Thread(target=work, args=(near, far, is_marked), daemon=True).start()

    def close(self) -> None:
        # A thread that waits for somebody to connect is woken by this alone.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _ask(self, near: socket.socket, far: socket.socket, is_marked: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while chunk := near.recv(1 << 20):
                if self.cuts and self.marker in chunk:
                    is_marked.set()
                far.sendall(chunk)
        _end(near, far)

    def _answer(self, near: socket.socket, far: socket.socket, is_marked: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while chunk := far.recv(1 << 20):
                if is_marked.is_set() and COMMITTED in chunk and self._may_cut(chunk):
                    break
                near.sendall(chunk)
        _end(near, far)

    def _may_cut(self, chunk: bytes) -> bool:
        with self._lock:
            if not self.cuts:
                return False
            self.cuts -= 1
            self.taken.append(chunk)
            return True


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@contextmanager
def cut_wire(target_port: int) -> Iterator[CutWire]:
    wire = CutWire(target_port)
    thread = threading.Thread(target=wire.serve)
    thread.start()
    try:
        yield wire
    finally:
        wire.close()
        thread.join()
