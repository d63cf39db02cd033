"""An official chat client in whatever language: a program that carries out one order after another."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

ANSWER_SECONDS = 60


@dataclass(frozen=True)
class Client:
    """A client in one of its ways of use; `errors` are the names of its own errors by status."""

    name: str
    command: Callable[[], Sequence[str]] = field(repr=False)
    errors: Mapping[int, frozenset[str]] = field(repr=False, hash=False)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Refusal:
    """An error as the client saw it."""

    error: str
    status: int
    code: str | None
    message: str | None


class Program:
    """The running client."""

    def __init__(self, client: Client, process: subprocess.Popen[str]) -> None:
        self.client = client
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        assert process.stdout is not None
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()

    def ask(self, token: str, operation: str, **arguments: Any) -> Any:
        """What the operation gave; a `Refusal` where the service refused."""
        assert self._process.stdin is not None
        order = {"token": token, "operation": operation, "arguments": arguments}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._lines.get(timeout=ANSWER_SECONDS))
        return Refusal(**told) if "error" in told else told["value"]

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            self._lines.put(line)
        self._lines.put('{"error": "the program ended", "status": 0, "code": null, "message": null}')


@contextmanager
def running_client(client: Client, endpoint: str, environment: Mapping[str, str]) -> Iterator[Program]:
    """The client's program against a server, until the block ends."""
    process = subprocess.Popen(
        [*client.command()],
        env={**environment, "CHAT_ENDPOINT": endpoint},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Program(client, process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.wait(timeout=ANSWER_SECONDS)
        process.stdout.close()
