"""The processes that listen: each has a user's client of realtime, which connects through the nodes in turn.

It answers nearly every push; it leaves, is cut, or takes its own socket over with another one, and comes back at once.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.history.chatters import sign_in
from tests.history.events import Issued, Log, Refused, Tail
from tests.history.hearing_events import CUT, DUPLICATE, LEFT, LOST, UNAUTHORIZED, Closed, Listening, Opened, Pushed
from tests.history.plan import Plan
from tests.history.service import Answer, Service
from tests.support.polling import until
from tests.support.realtime_clients import Heard, RealtimeSocket

_STAY_SECONDS = ((0.2, 2.0), (2.0, 5.0), (12.0, 15.0))
"""The last is longer than a push may be without an answer."""

_NOT_ANSWERED = 0.02
_PATIENCE_SECONDS = 3.0
_RETRY_SECONDS = 0.03
_FAREWELL_SECONDS = 60.0


@dataclass
class Ear:
    """One socket, with the thread that hears it; `how` says how its listener ended it, if it did."""

    number: int
    socket: RealtimeSocket
    how: str = ""
    thread: threading.Thread = field(init=False)

    @property
    def end(self) -> str:
        """How it ended, once it did."""
        told = self.socket.events[-1:]
        if any(UNAUTHORIZED in each for each in told):
            return UNAUTHORIZED
        return DUPLICATE if told == ["0:::dup"] else self.how or LOST


class Listener:
    """One client of a user: its registration stays the same over all its sockets."""

    def __init__(self, plan: Plan, name: str, log: Log) -> None:
        self._name = name
        self._user = plan.listeners[name]
        self._addresses = plan.addresses
        self._rooms = {room.thread.rpartition("/")[2]: room.name for room in plan.rooms}
        self._log = log
        self._service = Service(plan.addresses, plan.keys[0], log, plan.clocks)
        self._epid = str(uuid.UUID(int=random.getrandbits(128)))
        self._numbers = itertools.count(1)
        self._token: Issued | None = None
        self._is_kept = False

    def live(self) -> None:
        """Until it is killed."""
        ear = self._open()
        while True:
            ear.thread.join(random.uniform(*random.choices(_STAY_SECONDS, (6, 3, 1))[0]))
            after = None
            if ear.thread.is_alive():
                # A client that was cut without noticing opens another one beside.
                after = self._try_to_open() if random.random() < 0.3 else None
                if after is not None:
                    ear.thread.join(_PATIENCE_SECONDS)
                self._end(ear)
            ear = after or self._open()

    def _end(self, ear: Ear) -> None:
        if ear.thread.is_alive():
            ear.how = random.choice((LEFT, CUT))
            connection = ear.socket.connection
            if ear.how == LEFT:
                connection.close()
            else:
                with contextlib.suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_RDWR)
        ear.thread.join()

    def _open(self) -> Ear:
        while (ear := self._try_to_open()) is None:
            time.sleep(_RETRY_SECONDS)
        return ear

    def _try_to_open(self) -> Ear | None:
        token = self._token = self._token or sign_in(self._service, self._user, self._log)
        if token is None:
            return None
        query = urlencode({"epid": self._epid, "cor_id": "c", "con_num": "1_0"})
        allocated = self._ask(token, "POST", f"/v4/a?{query}")
        if allocated is None:
            return None
        if not self._is_kept:
            self._is_kept = True
            self._log.write(Listening(time.monotonic_ns(), self._name, self._user))
        given = "&".join(f"{name}={value}" for name, value in allocated.json["connectparams"].items())
        query = f"{given}&v=v4&epid={self._epid}&ccid={allocated.json['ccid']}"
        begun = self._ask(token, "GET", f"/socket.io/1/?{query}")
        if begun is None:
            return None
        return self._connect(token, begun.body.decode().partition(":")[0], query)

    def _ask(self, token: Issued, method: str, target: str) -> Answer | None:
        """None where the token is dead, or nobody knows."""
        answer = self._service.ask_for_socket(token.token, method, target)
        if answer is None or answer.status == 200:
            return answer
        self._refused(answer.status, "")
        return None

    def _connect(self, token: Issued, sid: str, query: str) -> Ear | None:
        host, port = random.choice(self._addresses)
        url = f"ws://{host}:{port}/socket.io/1/websocket/{quote(sid)}?{query}"
        began = time.monotonic_ns()
        try:
            connection = connect(
                url,
                open_timeout=_PATIENCE_SECONDS,
                close_timeout=_PATIENCE_SECONDS,
                # With a queue that can be full, whoever answers on a socket that is closing waits in vain for its end.
                max_queue=None,
                proxy=None,
            )
        except InvalidStatus as error:
            self._refused(error.response.status_code, error.response.headers.get("retry-after", ""))
            return None
        except (OSError, WebSocketException):
            return None
        return self._begin(connection, began, token)

    def _refused(self, status: int, retry_after: str) -> None:
        if status == 401:
            self._token = None
        else:
            self._log.write(Refused(time.monotonic_ns(), status, retry_after))

    def _begin(self, connection: ClientConnection, began: int, token: Issued) -> Ear | None:
        ear = Ear(next(self._numbers), RealtimeSocket(connection, answers=False))
        try:
            said = [ear.socket.frame(_PATIENCE_SECONDS) for _ in range(2)]
        except (TimeoutError, ConnectionClosed):
            connection.close()
            return None
        assert said[0] == "1::", said
        self._log.write(Opened(began, time.monotonic_ns(), self._name, ear.number, token.jti))
        ear.thread = threading.Thread(target=self._hear, args=(ear,), daemon=True)
        ear.thread.start()
        return ear

    def _hear(self, ear: Ear) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                with contextlib.suppress(TimeoutError):
                    self._take(ear, ear.socket.push())
        self._log.write(Closed(time.monotonic_ns(), self._name, ear.number, ear.end))
        if ear.end == UNAUTHORIZED:
            self._token = None

    def _take(self, ear: Ear, heard: Heard) -> None:
        told, is_answered = heard.body, random.random() >= _NOT_ANSWERED
        room = self._rooms.get(told.get("groupId") or told.get("threadId", ""), "")
        id, text = told.get("messageId") or told["version"], told.get("messageBody", "")
        self._log.write(Pushed(time.monotonic_ns(), self._name, ear.number, heard.name, room, id, text, is_answered))
        if is_answered:
            # Where it ends meanwhile, what has arrived is still heard, and how it ended.
            with contextlib.suppress(ConnectionClosed):
                ear.socket.answer(heard.id)


def listen(plan: Plan, name: str) -> None:
    random.seed(f"{plan.seed} {name}")
    Listener(plan, name, Log(plan.log(name))).live()


def await_farewell(plan: Plan, texts: Iterable[str]) -> None:
    """Returns once every listener has heard these, or will not: the checker says what else it lacks."""
    missing = {name: set(texts) for name in plan.listeners}
    tails = {name: Tail(plan.log(name)) for name in missing}

    def lack() -> int:
        for name, tail in tails.items():
            missing[name].difference_update(each.text for each in tail.read() if isinstance(each, Pushed))
        return sum(map(len, missing.values()))

    with contextlib.suppress(AssertionError):
        until(lack, lambda number: number == 0, _FAREWELL_SECONDS)
