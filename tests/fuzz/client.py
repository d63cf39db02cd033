"""One process that holds hostile conversations, several at once, and counts what comes back.

python -m tests.fuzz.client    reads a `Task` as JSON from standard input, and writes a `Count`

SIGTERM tells it that it is enough: it ends the conversations that it holds, and writes what it has counted.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from tests.fuzz.hostile import Conversation, Hostile
from watchword.http.request_reader import MAXIMUM_BODY_BYTES
from watchword.server.event_loop import run_event_loop

CONVERSATIONS_AT_ONCE = 16
MOST_EXAMPLES = 20
LATE_SECONDS = 0.3
SECONDS_TO_READ = 120
_STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d) ")
_IDENTITY = re.compile(rb'"id":"(8:acs:[0-9a-f_-]+)"')
_THREAD = re.compile(rb'"id":"(19:[^"]+)"')
_MESSAGE = re.compile(rb'"id":"([0-9]{13})"')
_CHAT = re.compile(rb"[A-Z]+ /chat/threads[^ ?]*")
_PART = re.compile(rb"(threads/|messages/)[^/?]+")
_NEXT = re.compile(rb'"nextLink":"[^"?]+([?][^"]+)"')
_HEAD_OF_STATUS = 12


class Task(msgspec.Struct, frozen=True):
    """`unread_seconds` is how long answers are left that nobody reads."""

    seed: int
    requests: int
    port: int
    keys: list[bytes]
    operator: str
    users: list[str]
    members: list[str]
    threads: list[str]
    operations: list[tuple[str, str]]
    unread_seconds: float


class Count(msgspec.Struct):
    """`wrong` has conversations that were not answered as often as they asked (a body that is too large ends one), and
    `faults` those with a 5xx but 501, which is the answer to a method that nobody knows.

    `served` counts what of chat was answered with success.
    """

    requests: int = 0
    conversations: int = 0
    statuses: dict[str, int] = {}
    served: dict[str, int] = {}
    wrong: list[str] = []
    faults: list[str] = []


class _Client:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._hostile = Hostile(
            task.seed,
            task.port,
            task.keys,
            task.operator,
            task.users,
            task.members,
            task.threads,
            task.operations,
        )
        self._statuses: Counter[str] = Counter()
        self._served: Counter[str] = Counter()
        self._count = Count()
        self._is_enough = False

    async def run(self) -> Count:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._end)
        await asyncio.gather(*(self._converse() for _ in range(CONVERSATIONS_AT_ONCE)))
        self._count.statuses = dict(sorted(self._statuses.items()))
        self._count.served = dict(sorted(self._served.items()))
        return self._count

    def _end(self) -> None:
        self._is_enough = True

    async def _converse(self) -> None:
        count = self._count
        while count.requests < self._task.requests and not self._is_enough:
            conversation = self._hostile.conversation()
            count.requests += len(conversation.requests)
            count.conversations += 1
            answer, end = await self._hold(conversation)
            statuses = [found for each in _STATUS.findall(answer) if (found := each.decode()) != "100"]
            self._statuses.update(statuses)
            for id in _IDENTITY.findall(answer)[:3]:
                self._hostile.learn(id.decode())
            self._hostile.chat.learn(*(_some(each, answer) for each in (_THREAD, _MESSAGE, _NEXT)))
            if conversation.is_sound and not _is_answered(conversation.requests, statuses):
                _note(count.wrong, _told(conversation, statuses, end))
            for request, status in zip(conversation.requests, statuses, strict=False):
                if status.startswith("2") and (asked := _CHAT.match(request)):
                    self._served[_PART.sub(rb"\1{}", asked[0]).decode()] += 1
                if status.startswith("5") and status != "501":
                    _note(count.faults, f"{status}: {request!r:.5000}")

    async def _hold(self, conversation: Conversation) -> tuple[bytes, str]:
        """All that came back, and how it ended."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._task.port, limit=2**20)
        answer, end = b"", "unread"
        # Whoever is refused may be reset before everything was sent; the event loop has an error of its own for that.
        with suppress(ConnectionError, RuntimeError):
            if conversation.reading == "never":
                writer.transport.pause_reading()  # type: ignore[attr-defined]
            for piece in conversation.pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            match conversation.reading:
                case "at once":
                    answer, end = await _read_to_end(reader)
                case "late":
                    writer.transport.pause_reading()  # type: ignore[attr-defined]
                    await asyncio.sleep(LATE_SECONDS)
                    writer.transport.resume_reading()  # type: ignore[attr-defined]
                    answer, end = await _read_to_end(reader)
                case "never":
                    await asyncio.sleep(self._task.unread_seconds)
                case "leaves":
                    await asyncio.sleep(0.01)
        writer.transport.abort()
        return answer, end


async def _read_to_end(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    found, end = bytearray(), "closed"
    try:
        async with asyncio.timeout(SECONDS_TO_READ):
            while chunk := await reader.read(2**18):
                found += chunk
    except (ConnectionError, TimeoutError) as error:
        end = type(error).__name__
        # What had arrived before a reset is there, and a reader does not give it out any more.
        found += reader._buffer  # type: ignore[attr-defined]
    return bytes(found), end


def _is_answered(requests: Sequence[bytes], statuses: Sequence[str]) -> bool:
    """Each was, or all up to one whose body is larger than most may be, which ended the conversation."""
    if len(statuses) == len(requests):
        return True
    # Whoever may not ask at all, or not so, is told that first.
    return bool(statuses) and len(requests[len(statuses) - 1]) > MAXIMUM_BODY_BYTES


def _told(conversation: Conversation, statuses: Sequence[str], end: str) -> str:
    requests, pieces = conversation.requests, [len(each) for each in conversation.pieces]
    where = f"{len(statuses)} answers to {len(requests)}, read {conversation.reading}, {end}, in pieces of {pieces}"
    last = [*map(len, requests)], *requests[max(0, len(statuses) - 1) : len(statuses) + 1]
    return f"{where}: {statuses[-3:]}; {last!r:.20000}"


def _some(pattern: re.Pattern[bytes], answer: bytes) -> list[str]:
    return [found.decode() for found in pattern.findall(answer)[:5]]


def _note(examples: list[str], example: str) -> None:
    if len(examples) < MOST_EXAMPLES:
        examples.append(example)


if __name__ == "__main__":
    done = run_event_loop(_Client(msgspec.json.decode(sys.stdin.buffer.read(), type=Task)).run())
    sys.stdout.buffer.write(msgspec.json.encode(done))
