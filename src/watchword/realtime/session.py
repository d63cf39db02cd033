"""One socket: what its client says and is told, and how it ends."""

from __future__ import annotations

import asyncio
import sys
from time import monotonic
from typing import Protocol

from watchword.http.conversation import NORMAL
from watchword.http.frames import text_frame
from watchword.http.websocket import SocketOwner, WebSocket
from watchword.measurements import RealtimeCounts
from watchword.realtime.outbox import Outbox, Told
from watchword.realtime.seals import Ticket
from watchword.realtime.store import Claim, Reached
from watchword.storage import Row
from watchword.wire import realtime as wire
from watchword.wire import socket_io

UNANSWERED_SECONDS = 10.0
"""After which a push without an answer ends the socket. Source: chat.md section 8.3."""

MOST_TRIES = 3
"""Of one push; then it is passed over."""

_ALLOWANCE = 400
"""Frames that a client may say between two heartbeats, besides what it says for each push."""

_FRAMES_A_PUSH = 4
_TOO_MANY, _NO_FRAME = 1008, 1002
_TIMED_OUT = 504
_BEAT = text_frame(socket_io.BEAT)
_PLAIN_ANSWER = "3:::"


class Host(Protocol):
    """What a session asks of whoever keeps all of them."""

    counts: RealtimeCounts

    def begin(self, session: Session) -> None: ...

    def leave(self, session: Session) -> asyncio.Future[list[Row]] | None:
        """Its position is being written, if it had one."""
        ...

    def note_answer(self, session: Session) -> None:
        """Its position has moved, and is to be written before long."""
        ...

    def await_answers(self, session: Session, are_due: bool) -> None:
        """Whether it has pushes that wait for an answer."""
        ...


class Session(SocketOwner):
    """`subject` is whose it is; it `has_ended` once nothing more is told on it, and `is_moving` once its client was
    asked to build another connection. It `holds` its registration once that was taken over: then `stuck` is the entry
    whose push was never answered, `tries` times in a row; 0 where there is none.

    There are many, and most are idle: of the ticket it keeps only what is asked for later.
    """

    __slots__ = (
        "_allowance", "_host", "_path", "_socket", "claim", "claims", "has_ended", "holds", "is_moving", "kid",
        "outbox", "resource", "stuck", "subject", "tries",
    )  # fmt: skip

    def __init__(self, host: Host, ticket: Ticket, claim: Claim) -> None:
        self.claim = claim
        self.claims = ticket.claims
        self.kid = sys.intern(ticket.kid)
        self.resource = ticket.resource
        self.subject = ticket.claims.skypeid
        self.has_ended = self.is_moving = self.holds = False
        self.stuck = self.tries = 0
        self.outbox = Outbox(self)
        self._host = host
        self._path = wire.connection_path(ticket.ccid).encode()
        self._allowance = _ALLOWANCE
        self._socket: WebSocket

    def open(self, socket: WebSocket) -> Session:
        """Both frames at once: a connection that ended between them would not be noticed. Observed: chat.md 8.1."""
        self._socket = socket
        connected = socket_io.connected(0, wire.LIFETIME_SECONDS)
        socket.send_frames(text_frame(socket_io.CONNECTED) + text_frame(connected))
        self._host.begin(self)
        return self

    # -- What it is told.

    def resume(self, reached: Reached, position: int) -> None:
        """It owes what the registration was not told from here on; `position` is in the history of today."""
        self.holds = True
        self.stuck, self.tries = reached.stuck, reached.tries
        self.outbox.resume(position, reached.ahead if position == reached.position else ())

    def tell(self, told: Told) -> None:
        if not self.has_ended:
            self.outbox.tell(told)

    def reach(self, epoch: str, low: int) -> Reached:
        """How far it has come, where whoever tells has heard of everything up to `low`."""
        position, ahead = self.outbox.reach(low)
        return Reached(epoch, position, ahead, self.stuck, self.tries)

    def beat(self) -> None:
        """Also the turn at which a client may say as much again as one that behaves."""
        self._allowance = max(self._allowance, _ALLOWANCE)
        self._socket.send_frames(_BEAT)

    def write(self, id: int, told: Told) -> None:
        if self.outbox.window.unanswered == 1:
            self._host.await_answers(self, True)
        self._allowance += _FRAMES_A_PUSH
        self._host.counts.pushes.value += 1
        self._socket.send_frames(text_frame(told.push.frame(id, self._path, self.subject.encode())))

    @property
    def is_full(self) -> bool:
        return self._socket.is_full

    def overflow(self) -> None:
        self._host.counts.slow_readers.value += 1
        self.end()

    # -- What the client says.

    def on_text(self, text: str) -> None:
        self._allowance -= 1
        if self._allowance < 0:
            self.end(code=_TOO_MANY)
            return
        if text.startswith(_PLAIN_ANSWER):
            self._hear_answer(text[len(_PLAIN_ANSWER) :])
            return
        ping = socket_io.find_ping(text)
        if ping is not None:
            self._socket.send(socket_io.pong(ping))
            return
        frame = socket_io.parse_frame(text)
        if frame is None:
            self.end(code=_NO_FRAME)
        elif frame.kind == socket_io.DISCONNECT:
            self.end()
        elif frame.kind == socket_io.MESSAGE:
            self._hear_answer(frame.data)
        elif frame.kind == socket_io.EVENT and frame.id:
            self._socket.send(socket_io.ack(frame))

    def _hear_answer(self, data: str) -> None:
        answer = socket_io.parse_answer(data)
        if answer is None:
            return
        if answer.status == _TIMED_OUT:
            self.end_unanswered()
            return
        window = self.outbox.window
        if window.answer(answer.id):
            if answer.status != 200:
                self._host.counts.not_taken.value += 1
            if not window.unanswered:
                self._host.await_answers(self, False)
            self._host.note_answer(self)
            self.outbox.send_waiting()

    def on_room(self) -> None:
        self.outbox.send_waiting()

    # -- Ends.

    @property
    def unanswered(self) -> int:
        return self.outbox.window.unanswered

    @property
    def waited_seconds(self) -> float:
        """Since the first push without an answer was sent."""
        oldest = self.outbox.window.oldest_seconds
        return 0.0 if oldest is None else monotonic() - oldest

    def end_unanswered(self) -> None:
        """A push had no answer in time, and a late one would break the order: close, and tell again from there on."""
        if self.has_ended:
            return
        self._host.counts.unanswered.value += 1
        stuck = self.outbox.window.first_unanswered
        if stuck:
            self.tries = self.tries + 1 if self.stuck == stuck else 1
            self.stuck = stuck
        self.end()

    def end(self, frame: bytes | None = None, code: int = NORMAL) -> None:
        """Nothing more is told; `frame` says why."""
        self.retire()
        if frame is not None:
            self._socket.send(frame)
        self._socket.close(code)

    def retire(self) -> asyncio.Future[list[Row]] | None:
        """Nothing more is told on it, while the socket stays as it is; its position is being written, if it had one."""
        if self.has_ended:
            return None
        self.has_ended = True
        self._host.counts.cut_off.value += self.unanswered
        self.outbox.clear()
        return self._host.leave(self)

    def on_stop(self) -> bool:
        """The server stops: let the client build another connection, wherever that lands, and switch to it."""
        if not self.is_moving:
            self.is_moving = True
            self._socket.send(socket_io.MOVE)
        return True

    def on_closed(self, code: int, reason: str) -> None:
        del code, reason
        if self._socket.was_too_slow:
            self._host.counts.slow_readers.value += 1
        self.retire()
