"""What is to be told on one socket, in the order of each thread, and never more at once than its client can take."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

from watchword.realtime.window import Window
from watchword.wire.realtime_events import Push

MOST_UNANSWERED = 256
"""Pushes that a client is sent before it has answered any; what follows waits."""

MOST_WAITING = 2_000
"""What may wait for a client, beside that; one that lets more gather is closed, and told from its position on."""

MOST_PENDING = 20_000
"""What may happen while a client is told what it has missed."""

OWN_MESSAGE_SECONDS = 0.15
"""How long a sender's own message waits, so that its answer comes first. Source: chat.md section 8.5."""


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of the journal, spelled; `author` is whose own message it is. Typing has no entry.

    `message` is the id of the message that it tells of, if it does, and `is_deletion`: that it was deleted.
    """

    entry: int
    thread: int
    push: Push
    author: str = ""
    message: int = 0
    is_deletion: bool = False

    def without_text(self, deletion: Told) -> Told:
        """The same, as it is to be told once its message is known to be deleted."""
        if not self.message or (self.thread, self.message) != (deletion.thread, deletion.message):
            return self
        return replace(self, push=deletion.push, is_deletion=True)


class Client(Protocol):
    """Whose outbox it is."""

    subject: str

    @property
    def is_full(self) -> bool:
        """Whether its socket takes no push at present."""
        ...

    def write(self, id: int, told: Told) -> None:
        """Send a push under a number."""
        ...

    def overflow(self) -> None:
        """Too much waits for it."""
        ...


class Outbox:
    """It begins while its client is told what was missed: what happens meanwhile is kept, until `go_live`."""

    __slots__ = (
        "_base", "_client", "_deletions", "_held", "_is_suspended", "_last", "_pending", "_room", "_waiting", "turn",
        "window",
    )  # fmt: skip

    def __init__(self, client: Client) -> None:
        self.window = Window(0)
        self._client = client
        self._base = 0
        self.turn = 0
        """How often it went back: whoever told it what it missed before that, stops."""
        self._last: dict[int, int] = {}
        self._pending: list[Told] | None = []
        self._deletions: list[Told] | None = None
        # Lists, for an empty queue is ten times as large, and there are two for each socket.
        self._held: dict[int, list[tuple[float, Told]]] = {}
        self._waiting: list[Told] = []
        self._room: asyncio.Event | None = None
        self._is_suspended = False

    @property
    def base(self) -> int:
        """The position from which on it is told what it has missed."""
        return self._base

    def resume(self, position: int, ahead: Sequence[int]) -> None:
        self._base = position
        self.window = Window(position, ahead)

    def reach(self, low: int) -> tuple[int, Sequence[int]]:
        """See `Window.reach`; while it is told what it has missed, nobody has told it of everything up to `low`."""
        return self.window.reach(low if self._pending is None else self._base)

    # -- What was missed.

    def repeat(self, told: Told) -> None:
        """Tell it before anything that happens now."""
        for deletion in self._deletions or ():
            told = told.without_text(deletion)
        self._last[told.thread] = max(told.entry, self._last.get(told.thread, 0))
        self.window.owe(told.entry)
        self._send_behind(told)

    def come_to(self, position: int) -> None:
        """Everything up to here that was missed is told, or waits to be: a cut goes back no further."""
        self._base = max(self._base, position)

    async def room(self, turn: int) -> None:
        """Returns once what waits is little enough for more, it was suspended, or it is not this turn any more."""
        while len(self._waiting) > MOST_UNANSWERED and not self._is_suspended and self.turn == turn:
            self._room = self._room or asyncio.Event()
            await self._room.wait()

    def go_live(self) -> None:
        """Everything that was missed is told, or waits to be."""
        pending, self._pending, self._deletions = self._pending or [], None, None
        for told in pending:
            self.tell(told)

    def go_back(self, position: int | None) -> None:
        """What happens is to be read again: above what the client has answered, or in another history from there."""
        self.turn += 1
        self._let_in()
        self._pending = self._pending or []
        if position is None:
            self._base, _ = self.window.reach(self._base)
            return
        self._base = position
        self.window.restart(position)
        self._pending.clear()
        self._last.clear()
        self._held.clear()
        self._waiting.clear()

    # -- What happens now.

    def tell(self, told: Told) -> None:
        if told.is_deletion:
            self._take_back(told)
        if self._pending is not None:
            self._pending.append(told)
            if len(self._pending) > MOST_PENDING:
                self._client.overflow()
            return
        if told.entry:
            if told.entry <= self._last.get(told.thread, 0):
                return
            if self.window.is_known(told.entry):
                return
            self.window.owe(told.entry)
        held = self._held.get(told.thread)
        if told.author == self._client.subject:
            due = monotonic() + OWN_MESSAGE_SECONDS
            if held is None:
                self._held[told.thread] = [(due, told)]
                asyncio.get_running_loop().call_later(OWN_MESSAGE_SECONDS, self._let_go, told.thread)
            else:
                held.append((due, told))
        else:
            self._send_behind(told)

    def _send_behind(self, told: Told) -> None:
        """Behind what is held of its thread."""
        held = self._held.get(told.thread)
        if held is not None:
            held.append((0.0, told))
        else:
            self._send(told)

    def _take_back(self, deletion: Told) -> None:
        """No text of it leaves any more: what has not left yet says that it was deleted."""
        if self._pending is not None:
            self._pending[:] = [each.without_text(deletion) for each in self._pending]
            # What was read before is still to be repeated.
            self._deletions = [*(self._deletions or ()), deletion]
        self._waiting[:] = [each.without_text(deletion) for each in self._waiting]
        for held in self._held.values():
            held[:] = [(due, each.without_text(deletion)) for due, each in held]

    def _let_go(self, thread: int) -> None:
        """The sender's answer has left by now; what came behind it in the thread goes with it, up to the next own."""
        held = self._held.get(thread)
        while held and held[0][0] <= monotonic():
            self._send(held.pop(0)[1])
        if held:
            asyncio.get_running_loop().call_later(max(0.0, held[0][0] - monotonic()), self._let_go, thread)
        else:
            self._held.pop(thread, None)

    # -- The way out.

    def send_waiting(self) -> None:
        """There is room again, or an answer has come."""
        while self._waiting and not self._must_wait():
            self._send_now(self._waiting.pop(0))
        if len(self._waiting) <= MOST_UNANSWERED:
            self._let_in()

    def suspend(self) -> None:
        """Send nothing more; answers to what was sent are still heard."""
        self._is_suspended = True
        self._let_in()

    def clear(self) -> None:
        """What was not sent is still owed, and told on another socket."""
        self.suspend()
        self._held.clear()
        self._waiting.clear()
        if self._pending is not None:
            self._pending.clear()

    def _let_in(self) -> None:
        """Whoever waits for room looks again; there may be several, of whom all but one have lost their turn."""
        if self._room is not None:
            self._room.set()
            self._room = None

    def _send(self, told: Told) -> None:
        if self._waiting or self._must_wait():
            self._waiting.append(told)
            if len(self._waiting) > MOST_WAITING:
                self._client.overflow()
        else:
            self._send_now(told)

    def _must_wait(self) -> bool:
        return self._is_suspended or self.window.unanswered >= MOST_UNANSWERED or self._client.is_full

    def _send_now(self, told: Told) -> None:
        self._client.write(self.window.send(told.entry, monotonic()), told)
