"""Load on several nodes, by callers that are their own load balancer, and what it was answered.

Each request goes to the next node in turn. Where nobody takes the connection, or it ends before a word of an answer,
the request goes to the node after that, as every load balancer does it. Nothing else is forgiven.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import count
from typing import Any
from urllib.parse import urlencode

from tests.support.polling import until
from tests.support.signed import PREVIEW, Reply, sign

Address = tuple[str, int]

_MOST_TRIES = 500
_PAUSE_SECONDS = 0.01
_PATIENCE_SECONDS = 20.0


class Balanced:
    """One caller, with a connection to each node that stays open."""

    def __init__(self, addresses: Sequence[Address], key: bytes, turn: int = 0) -> None:
        self._addresses = addresses
        self._key = key
        self._turns = count(turn)
        self._connections: dict[Address, http.client.HTTPConnection] = {}
        self.moves: Counter[str] = Counter()
        """Why a request was sent on to another node."""

    def call(self, method: str, target: str, body: Any = b"") -> Reply:
        """The first answer that is not a refusal to be tried again; one such goes to the next node."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        for _ in range(_MOST_TRIES):
            address = self._addresses[next(self._turns) % len(self._addresses)]
            try:
                reply = self._send(address, method, target, content)
            except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError) as error:
                # A `RemoteDisconnected`, which is no answer at all, is a reset too. Half an answer is neither.
                self.moves[type(error).__name__] += 1
                self._connections.pop(address).close()
            else:
                if reply.status != 503 or not reply.headers.get("retry-after", "").isdigit():
                    return reply
                self.moves["503"] += 1
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError(f"no node answered {method} {target}: {self.moves}")

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    def _send(self, address: Address, method: str, target: str, body: bytes) -> Reply:
        connection = self._connections.get(address)
        if connection is None:
            connection = self._connections[address] = http.client.HTTPConnection(*address, timeout=_PATIENCE_SECONDS)
        request = sign(self._key, method, target, f"localhost:{address[1]}", formatdate(usegmt=True), body)
        kind = "application/x-www-form-urlencoded" if target in ("/revoke", "/introspect") else "application/json"
        connection.request(method, target, body, {"Content-Type": kind, **request.headers})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, found, answer.read())


@dataclass
class Caller:
    """Creates, issues, revokes and introspects until told to stop; remembers all that was acknowledged."""

    service: Balanced
    pause_seconds: float
    created: list[str] = field(default_factory=list)
    live: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    wrong: list[object] = field(default_factory=list)
    turns: int = 0

    def turn(self) -> None:
        created = self._acknowledged("POST", f"/identities?api-version={PREVIEW}", {"createTokenWithScopes": ["chat"]})
        identity, first = created["identity"]["id"], created["accessToken"]["token"]
        self.created.append(identity)
        second = self._issue(identity)
        self._require(first, active=True)
        self._acknowledged("POST", f"/identities/{identity}/:revokeAccessTokens?api-version={PREVIEW}")
        self.dead += [first, second]
        self._require(first, active=False)
        self._require(second, active=False)
        self.live.append(self._issue(identity))
        self._require(random.choice(self.live), active=True)
        self._require(random.choice(self.dead), active=False)
        self.turns += 1
        time.sleep(self.pause_seconds)

    def _issue(self, identity: str) -> str:
        target = f"/identities/{identity}/:issueAccessToken?api-version={PREVIEW}"
        token: str = self._acknowledged("POST", target, {"scopes": ["chat"]})["token"]
        return token

    def _require(self, token: str, *, active: bool) -> None:
        found = self._acknowledged("POST", "/introspect", urlencode({"token": token}).encode())
        if found["active"] is not active:
            self.wrong.append(("live" if active else "dead", token, found))

    def _acknowledged(self, method: str, target: str, body: Any = b"") -> Any:
        reply = self.service.call(method, target, body)
        if not 200 <= reply.status < 300:
            raise AssertionError(f"{method} {target.partition('?')[0]}: {reply}")
        return json.loads(reply.body or b"null")


@dataclass
class Load:
    """All callers, each in a thread."""

    callers: list[Caller]
    stopping: threading.Event = field(default_factory=threading.Event)

    def go_on(self, turns: int, seconds: float = 0.0) -> None:
        """Returns when every caller has made so many more turns, and so much time has passed."""
        goals = [(caller, caller.turns + turns) for caller in self.callers]
        end = time.monotonic() + seconds
        until(
            lambda: (self.wrong, [goal - caller.turns for caller, goal in goals if caller.turns < goal]),
            lambda found: bool(found[0]) or (not found[1] and time.monotonic() >= end),
            60.0 + seconds,
        )
        assert self.wrong == []

    @property
    def wrong(self) -> list[object]:
        return [each for caller in self.callers for each in caller.wrong]

    @property
    def moves(self) -> Counter[str]:
        return sum((caller.service.moves for caller in self.callers), Counter())

    def all_of(self, what: str) -> set[str]:
        return {each for caller in self.callers for each in getattr(caller, what)}

    def run(self, caller: Caller) -> None:
        try:
            while not self.stopping.is_set():
                caller.turn()
        except Exception as error:  # noqa: BLE001 - told by whoever waits.
            caller.wrong.append(error)
        finally:
            caller.service.close()


@contextmanager
def load_on(addresses: Sequence[Address], key: bytes, callers: int, pause_seconds: float) -> Iterator[Load]:
    """Until the block ends; each caller pauses after each turn."""
    load = Load([Caller(Balanced(addresses, key, turn), pause_seconds) for turn in range(callers)])
    threads = [threading.Thread(target=load.run, args=(caller,)) for caller in load.callers]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stopping.set()
        for thread in threads:
            thread.join()
