"""Clients of realtime, thousands in one process, and lean enough that their own time hardly counts.

Run as `python -m benchmarks.listeners`. Each line of its input is an order, answered by one line: `Crowd` gives them.
Moments are those of CLOCK_MONOTONIC, which all processes share.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from array import array
from collections.abc import Callable, Sequence
from time import perf_counter, process_time
from typing import Any

import uvloop

_AT_ONCE = 200
_PAUSE_SECONDS = 0.2
_LOOK_SECONDS = 0.02
_UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
)
_OPENED = b'5:::{"name":"trouter.connected"'
_MESSAGE = b'/chatMessageReceived"'
_BUFFER = memoryview(bytearray(262_144))


def _masked(text: bytes) -> bytes:
    """A frame of a client, whose mask of zeros changes nothing."""
    return bytes((0x81, 0x80 | len(text))) + bytes(4) + text


_PING = _masked(b'5:1+::{"name":"ping"}')
_BEAT = _masked(b"2::")


class Listener(asyncio.BufferedProtocol):
    """One client's socket: it takes the steps of the handshake, answers each push and heartbeat, and notes when a
    message came.
    """

    def __init__(self, token: str, epid: str, heard: array[float]) -> None:
        self._token = token
        self._epid = epid
        self._heard = heard
        self._kept = b""
        self._is_open = False
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport
        self.is_lost = True

    async def open(self, port: int, tls: ssl.SSLContext | None) -> None:
        """The whole handshake, up to the first frame.

        Raises:
            OSError: the connection, or a step of the handshake, was refused.
        """
        self._kept, self._is_open = b"", False
        named = "localhost" if tls else None
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", port, ssl=tls, server_hostname=named)
        allocated = json.loads(await self._ask("POST", f"/v4/a?epid={self._epid}", port))
        query = "&".join(f"{name}={value}" for name, value in allocated["connectparams"].items())
        query += f"&epid={self._epid}"
        sid = (await self._ask("GET", f"/socket.io/1/?{query}", port)).partition(b":")[0].decode()
        await self._ask("GET", f"/socket.io/1/websocket/{sid}?{query}", port, _UPGRADE)

    async def _ask(self, method: str, target: str, port: int, more: str = "") -> bytes:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(
            f"{method} {target} HTTP/1.1\r\nHost: localhost:{port}\r\nX-Skypetoken: {self._token}\r\n"
            f"Content-Length: 0\r\n{more}\r\n".encode()
        )
        return await self._answer

    def close(self) -> None:
        if not self.is_lost:
            self._transport.abort()

    # -- What the event loop says.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self.is_lost = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self._tell(exc or ConnectionResetError("the server has closed it"))

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(_BUFFER[:nbytes])
        if self._kept:
            data, self._kept = self._kept + data, b""
        if self._is_open:
            self._read_frames(data, 0)
        else:
            self._read_answer(data)

    def _read_answer(self, data: bytes) -> None:
        head, end, body = data.partition(b"\r\n\r\n")
        if not end:
            self._kept = data
        elif head.startswith(b"HTTP/1.1 101"):
            self._is_open = True
            self._read_frames(body, 0)
        else:
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(body) < length:
                self._kept = data
            elif head.startswith(b"HTTP/1.1 200"):
                self._tell(body)
            else:
                self._tell(ConnectionRefusedError(body.decode()))
                self._transport.abort()

    def _tell(self, answer: bytes | Exception) -> None:
        told, self._answer = self._answer, None
        if told is None or told.done():
            return
        if isinstance(answer, Exception):
            told.set_exception(answer)
        else:
            told.set_result(answer)

    def _read_frames(self, data: bytes, at: int) -> None:
        said = []
        while len(data) - at >= 4:
            size, start = data[at + 1], at + 2
            if size == 126:
                size, start = data[at + 2] << 8 | data[at + 3], at + 4
            if start + size > len(data):
                break
            at = start + size
            if data.startswith(b"3:::", start):
                if data.find(_MESSAGE, start, at) > 0:
                    self._heard.append(perf_counter())
                id = data[start + 10 : data.index(b",", start)]
                said += [_masked(b'3:::{"id":%b,"status":200,"headers":{},"body":""}' % id), _PING]
            elif data.startswith(b"2::", start):
                said.append(_BEAT)
            elif data.startswith(_OPENED, start):
                self._tell(b"")
        self._kept = data[at:]
        if said:
            self._transport.write(b"".join(said))


class _Crowd:
    """Carries out the orders."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._heard: array[float] = array("d")
        self._port = 0
        self._tls: ssl.SSLContext | None = None

    async def know(self, port: int, is_tls: bool, whose: Sequence[tuple[str, str]]) -> int:
        """More of them, by token and endpoint id."""
        self._port = port
        if is_tls:
            # Loopback only, and who answers is known.
            self._tls = ssl.create_default_context()
            self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        self._listeners += [Listener(token, epid, self._heard) for token, epid in whose]
        return len(self._listeners)

    async def open(self) -> tuple[float, int]:
        turns, refused, began = asyncio.Semaphore(_AT_ONCE), 0, perf_counter()

        async def one(listener: Listener) -> None:
            nonlocal refused
            async with turns:
                while True:
                    try:
                        await listener.open(self._port, self._tls)
                        return
                    except OSError:
                        refused += 1
                        listener.close()
                        await asyncio.sleep(_PAUSE_SECONDS)

        await asyncio.gather(*(one(each) for each in self._listeners if each.is_lost))
        return perf_counter() - began, refused

    async def hear(self, count: int) -> list[float]:
        """When so many messages were heard, over all sockets; they are forgotten then."""
        while len(self._heard) < count:
            await asyncio.sleep(_LOOK_SECONDS)
        heard = self._heard.tolist()
        del self._heard[:]
        return heard

    async def spent(self) -> tuple[float, int]:
        """CPU-seconds so far, and how many sockets were lost."""
        return process_time(), sum(each.is_lost for each in self._listeners)

    async def forget(self) -> int:
        for each in self._listeners:
            each.close()
        self._listeners.clear()
        del self._heard[:]
        return 0


async def _main() -> None:
    crowd, loop = _Crowd(), asyncio.get_running_loop()
    orders: dict[str, Callable[..., Any]] = {
        "know": crowd.know,
        "open": crowd.open,
        "hear": crowd.hear,
        "spent": crowd.spent,
        "forget": crowd.forget,
    }
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        name, *arguments = json.loads(line)
        print(json.dumps(await orders[name](*arguments)), flush=True)


if __name__ == "__main__":
    uvloop.run(_main())
