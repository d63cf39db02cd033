"""The least that realtime can cost in this interpreter: sockets written by hand, which check nothing and keep nothing.

Run as `python -m benchmarks.by_hand [FOLDER]`; with a folder, in which it makes certificates, it speaks TLS. It takes
every step of the handshake, and a message to any thread is pushed to everybody: in chunks with a turn of the loop
between, a frame of its own for each. It reads each answer, and answers each ping.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import ClassVar

import uvloop

from watchword.certificates import ensure_leaf, prepare_authority
from watchword.http.frames import find_payload, text_frame, unmask
from watchword.http.tls import tls_context
from watchword.testing import MovableClock

_CHUNK = 250
_PATH = b"/v4/f/Q0du9A4hdNgQ0du9A4hd/"
_PUSH = (
    b'3:::{"id":%%d,"method":"POST","url":"%%b%%b","headers":{"MS-CV":"QUJDREVGR0hJSktMTU5P.0","trouter-request":"{}"},'
    b'"body":"{\\"messageBody\\":\\"%b\\",\\"recipientId\\":\\"8:%%b\\"}"}' % (b"x" * 850)
)
_BUFFER = memoryview(bytearray(65_536))
_OPENED = text_frame(b"1::") + text_frame(b'5:::{"name":"trouter.connected","args":[{"dur":"0","ttl":600}]}')
_HEAD = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b"


class Connection(asyncio.BufferedProtocol):
    """A connection, and the socket that it becomes; `everybody` are those."""

    __slots__ = ("_is_open", "_name", "_next", "_transport", "unanswered")

    everybody: ClassVar[set[Connection]] = set()

    def __init__(self) -> None:
        self._is_open = False
        self._next = self.unanswered = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._name = b"acs:0e1f2a3b-0000-0000-0000-000000000000_%x" % id(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.everybody.discard(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        if self._is_open:
            self._hear(_BUFFER[:nbytes])
        else:
            self._answer(bytes(_BUFFER[:nbytes]))

    def push(self) -> None:
        self._next += 1
        self.unanswered += 1
        self._transport.write(text_frame(_PUSH % (self._next, _PATH, b"chatMessageReceived", self._name)))

    def _hear(self, data: memoryview) -> None:
        at = 0
        while at < len(data):
            found = find_payload(data, at)
            assert found is not None, "a client of the benchmark writes whole frames"
            start, at = found
            text = unmask(data, start, at)
            if text.startswith(b"3:::"):
                self.unanswered -= 1
            else:
                self._transport.write(text_frame(b"6:::" + text[2 : text.index(b"+")]))

    def _answer(self, request: bytes) -> None:
        if b"\r\nUpgrade:" in request:
            self._is_open = True
            self.everybody.add(self)
            self._transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + _OPENED)
        elif b'"content"' in request:
            self._transport.write(_HEAD % (b"201 Created", 10, b'{"id":"1"}'))
            task = asyncio.get_running_loop().create_task(_push_to_everybody())
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)
        elif b"/messages" in request:
            # Head and body came apart.
            return
        elif request.startswith(b"POST"):
            self._transport.write(_HEAD % (b"200 OK", 31, b'{"connectparams":{"sig":"any"}}'))
        else:
            self._transport.write(_HEAD % (b"200 OK", 4, b"any:"))


_tasks: set[asyncio.Task[None]] = set()


async def _push_to_everybody() -> None:
    for number, each in enumerate(list(Connection.everybody), 1):
        each.push()
        if number % _CHUNK == 0:
            await asyncio.sleep(0)


async def _serve(folder: Path | None) -> None:
    tls = None
    if folder is not None:
        now = MovableClock().now()
        authority, _ = prepare_authority(folder, now)
        leaf, _ = ensure_leaf(authority, folder / "leaf", (), now=now)
        tls = tls_context(leaf.certificate_path, leaf.key_path)
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, ssl=tls, backlog=1_024)
    print(f"{'https' if tls else 'http'}://localhost:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]) if sys.argv[1:] else None))
