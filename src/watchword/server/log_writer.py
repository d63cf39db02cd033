"""Writes the log to standard error, and never lets who does not read it stop the server.

What fits at once is written at once. What does not waits in a bounded queue for a thread that may block; beyond the
bound it is dropped, counted, and told once there is room again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from watchword.measurements import DROPPED_LOG_LINES

MOST_WAITING_BYTES = 4 * 1024 * 1024

_WRITTEN_WHOLE_BYTES = 4_096
"""PIPE_BUF, as Linux has it: so many bytes a pipe that can be written takes together, and at once."""

_LAST_WORDS_SECONDS = 1.0


class LogWriter:
    """Takes text from any thread; `close` waits for a reader for a second at the most.

    `word_dropped` makes the line that tells how many were dropped.
    """

    def __init__(
        self,
        descriptor: int,
        most_waiting_bytes: int = MOST_WAITING_BYTES,
        word_dropped: Callable[[str], str] = lambda message: f"watchword: WARNING: {message}",
    ) -> None:
        self._descriptor = descriptor
        self._word_dropped = word_dropped
        self._most_waiting = most_waiting_bytes
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(descriptor, select.POLLOUT)
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._written = 0
        self._dropped = 0
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> None:
        """The lines of a text, to which the end of the last one is added."""
        with self._changed:
            for piece in pieces(text):
                self._take(piece)

    def close(self) -> None:
        """Returns when everything is written, or nobody has read for a second."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            while self._waiting:
                written, end = self._written, time.monotonic() + _LAST_WORDS_SECONDS
                while self._waiting and self._written == written and (left := end - time.monotonic()) > 0:
                    self._changed.wait(left)
                if self._written == written:
                    return

    def _take(self, piece: bytes) -> None:
        if not self._waiting and len(piece) <= _WRITTEN_WHOLE_BYTES and self._takes_more():
            # The other end may be gone; then nobody misses anything.
            with contextlib.suppress(OSError):
                os.write(self._descriptor, piece)
            return
        if self._waiting_bytes + len(piece) > self._most_waiting:
            lines = piece.count(b"\n")
            self._dropped += lines
            DROPPED_LOG_LINES.value += lines
            return
        self._waiting.append(piece)
        self._waiting_bytes += len(piece)
        if self._thread is None:
            # Not waited for at the end: it may hang in a write for as long as the other end exists.
            self._thread = threading.Thread(target=self._write_on, name="watchword-log", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _takes_more(self) -> bool:
        return self._poll is not None and any(event & select.POLLOUT for _, event in self._poll.poll(0))

    def _write_on(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._is_closed:
                        return
                    self._changed.wait()
                piece = self._waiting[0]
            self._write_whole(piece)
            with self._changed:
                self._waiting.popleft()
                self._waiting_bytes -= len(piece)
                self._written += 1
                dropped, self._dropped = self._dropped, 0
                if dropped:
                    message = f"{dropped:,} lines of the log were dropped: nobody read it."
                    told = f"{self._word_dropped(message)}\n".encode()
                    self._waiting.append(told)
                    self._waiting_bytes += len(told)
                self._changed.notify_all()

    def _write_whole(self, piece: bytes) -> None:
        with contextlib.suppress(OSError):
            while piece:
                piece = piece[os.write(self._descriptor, piece) :]


class LogHandler(logging.Handler):
    """Hands records to a `LogWriter`."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.write(self.format(record))
        except Exception:  # noqa: BLE001 - as every handler does: what cannot be logged must not end a request.
            self.handleError(record)

    def close(self) -> None:
        """Is called at the end of the process, by `logging.shutdown`."""
        self._writer.close()
        super().close()


def pieces(text: str) -> Iterator[bytes]:
    """The lines of a text, ended and joined to as many bytes as a write leaves together; a longer line stays alone."""
    waiting = b""
    for line in text.split("\n"):
        encoded = f"{line}\n".encode(errors="backslashreplace")
        if waiting and len(waiting) + len(encoded) > _WRITTEN_WHOLE_BYTES:
            yield waiting
            waiting = b""
        waiting += encoded
    yield waiting
