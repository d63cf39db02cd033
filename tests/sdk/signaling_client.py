"""The official signaling client, in Node: what it hears, while a test goes on."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.support.requirements import require

_FOLDER = Path(__file__).parent / "js"
_PATIENCE_SECONDS = 60.0
CONNECTED, DISCONNECTED = 2, 3


class SignalingClient:
    """Started, and connected before long."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stdin is not None
        self._said: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._orders = process.stdin
        self.tokens_asked = 0
        self.states: list[int] = [CONNECTED]
        self.last_message = ""
        self.frames: queue.Queue[str] = queue.Queue()
        """What goes over the wire, where that was asked for: `@ address`, `> sent`, `< received`."""
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()

    def next(self, seconds: float = _PATIENCE_SECONDS) -> tuple[str, Any]:
        """The event's name, and what the application is given."""
        return self._said.get(timeout=seconds)

    def hears(self, *names: str) -> list[Any]:
        """Exactly these events, in this order; what the application is given of each."""
        found = [self.next() for _ in names]
        assert [name for name, _ in found] == list(names), found
        return [payload for _, payload in found]

    def message(self) -> str:
        """The text of the next event, which is a message.

        Changes of the connection before it are only noted in `states`, and a thread that was made a moment before the
        allocation is passed over.
        """
        while True:
            name, payload = self.next()
            if name == "chatMessageReceived":
                self.last_message = str(payload["message"])
                return self.last_message
            assert name in ("connectionChanged", "chatThreadCreated"), name
            if name == "connectionChanged":
                self.states.append(payload)

    def is_connected(self, *states: int) -> None:
        """Changes of its connection, one after the other."""
        assert self.hears(*["connectionChanged"] * len(states)) == list(states)

    def hears_nothing(self, seconds: float = 1.0) -> None:
        try:
            found = self.next(seconds)
        except queue.Empty:
            return
        raise AssertionError(found)

    def frame(self, beginning: str) -> str:
        """The next frame that begins so."""
        while not (found := self.frames.get(timeout=_PATIENCE_SECONDS)).startswith(beginning):
            pass
        return found

    def use(self, token: str) -> None:
        """Give out this one from now on."""
        self._order(token)

    def stop(self) -> None:
        self._order("stop")
        self.hears("stopped")

    def _order(self, line: str) -> None:
        self._orders.write(line + "\n")
        self._orders.flush()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            told = json.loads(line)
            if told["event"] == "tokenAsked":
                self.tokens_asked += 1
            elif told["event"] == "frame":
                self.frames.put(told["payload"])
            else:
                self._said.put((told["event"], told["payload"]))


@contextmanager
def signaling_client(
    endpoint: str, token: str, environment: Mapping[str, str], *, tells_frames: bool = False
) -> Iterator[SignalingClient]:
    require("node", "Node.js runs the official JavaScript client")
    require((_FOLDER / "node_modules" / ".ready").is_file(), "`make test` installs the JavaScript clients")
    process = subprocess.Popen(
        ["node", "--experimental-websocket", "--no-warnings", str(_FOLDER / "realtime.mjs")],
        env={
            **environment,
            "CHAT_ENDPOINT": endpoint,
            "CHAT_TOKEN": token,
            "SIGNALING_FRAMES": "1" if tells_frames else "",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        client = SignalingClient(process)
        client.hears("started")
        client.is_connected(CONNECTED)
        yield client
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=_PATIENCE_SECONDS)
        assert process.stdout is not None
        process.stdout.close()
