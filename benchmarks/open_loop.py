"""Load at a constant rate, whether the server keeps up or not: what latency is at half load.

A latency counts from the moment at which the request was due, so that a server that stalls is not spared the requests
that it kept from being sent. Requests that are due within a millisecond leave together.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter, process_time

import uvloop

from benchmarks.closed_loop import LoadFailed

_PATIENCE_SECONDS = 30
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Latency:
    """`generator_share` is the part of its core that the generator took."""

    per_second: float
    p50_millis: float
    p99_millis: float
    largest_millis: float
    generator_share: float


def open_loop(port: int, requests: Sequence[bytes], *, rate: float, seconds: float, connections: int = 64) -> Latency:
    """Send requests at a steady rate, however late the answers come.

    Raises:
        LoadFailed: the server refused a request, or kept one for too long, so the figures would mean nothing.
    """
    return uvloop.run(_Generator(requests, rate, seconds).run(port, connections))


class _Generator:
    def __init__(self, requests: Sequence[bytes], rate: float, seconds: float) -> None:
        self._requests = requests
        self._count = int(rate * seconds)
        self._interval = 1 / rate
        self._sent = 0
        self._started = 0.0
        self._free: deque[_Connection] = deque()
        self._millis: list[float] = []
        self._finished: asyncio.Future[None]

    async def run(self, port: int, connections: int) -> Latency:
        loop = asyncio.get_running_loop()
        self._finished = loop.create_future()
        opened = [
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port) for _ in range(connections)
        ]
        self._free.extend(protocol for _, protocol in opened)
        self._started, cpu = perf_counter(), process_time()
        try:
            async with asyncio.timeout(self._count * self._interval + _PATIENCE_SECONDS):
                while self._sent < self._count and not self._finished.done():
                    self.send_what_is_due()
                    await asyncio.sleep(0.001)
                await self._finished
        except TimeoutError:
            raise LoadFailed(f"{self._count - len(self._millis)} of {self._count} requests were not answered") from None
        elapsed, cpu = perf_counter() - self._started, process_time() - cpu
        for transport, _ in opened:
            transport.close()
        ordered = sorted(self._millis)
        return Latency(
            per_second=self._count / elapsed,
            p50_millis=ordered[len(ordered) // 2],
            p99_millis=ordered[len(ordered) * 99 // 100],
            largest_millis=ordered[-1],
            generator_share=cpu / elapsed,
        )

    def send_what_is_due(self) -> None:
        due_by_now = min(self._count, 1 + int((perf_counter() - self._started) / self._interval))
        while self._sent < due_by_now and self._free:
            due = self._started + self._sent * self._interval
            self._free.popleft().send(self._requests[self._sent % len(self._requests)], due)
            self._sent += 1

    def answered(self, connection: _Connection, due: float, answer: bytes) -> None:
        if not answer.startswith(b"HTTP/1.1 2") and not self._finished.done():
            self._finished.set_exception(LoadFailed(f"a request failed: {answer[:400]!r}"))
        self._millis.append((perf_counter() - due) * 1_000)
        self._free.append(connection)
        if len(self._millis) == self._count and not self._finished.done():
            self._finished.set_result(None)
        self.send_what_is_due()


class _Connection(asyncio.Protocol):
    def __init__(self, generator: _Generator) -> None:
        self._generator = generator
        self._received = b""
        self._due = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def send(self, request: bytes, due: float) -> None:
        assert self._transport is not None
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if end and len(body) == (int(length[1]) if length else 0):
            self._received = b""
            self._generator.answered(self, self._due, head)
