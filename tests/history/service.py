"""Signed requests to one of several nodes. What nobody knows the outcome of is told apart from what failed."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from tests.history.events import Log, Refused
from tests.support.faked_clock import micros_ahead
from tests.support.signed import EARLY, NEWEST, sign
from watchword.clock import SystemClock

Address = tuple[str, int]

CHAT_VERSION = "2025-03-15"

_PATIENCE_SECONDS = 3.0

UNTIL_IT_ENDS_SECONDS = 60.0
"""For whoever must know that a request is not carried out later: by then it has an answer, or its node has ended."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Service:
    """Each request goes to a node that is drawn anew, and bears the date that this one takes for right.

    Answers of 5xx are logged. `clocks` are those of nodes whose clock may be wrong.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        key: bytes,
        log: Log,
        clocks: Mapping[Address, Path] = MappingProxyType({}),
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._patience_seconds = patience_seconds
        self._log = log
        self._clocks = clocks
        self._addresses = addresses
        self._key = key
        self._connections: dict[Address, http.client.HTTPConnection] = {}

    def create(self) -> Answer | None:
        return self._call("POST", f"/identities?api-version={NEWEST}")

    def list(self, continuation: str) -> Answer | None:
        return self._call("GET", f"/identities?maxPageSize=1000{continuation}")

    def issue(self, identity: str) -> Answer | None:
        target = f"{_of(identity)}/:issueAccessToken?api-version={NEWEST}"
        return self._call("POST", target, b'{"scopes":["chat"]}')

    def revoke_identity(self, identity: str) -> Answer | None:
        return self._call("POST", f"{_of(identity)}/:revokeAccessTokens?api-version={NEWEST}")

    def delete_identity(self, identity: str) -> Answer | None:
        return self._call("DELETE", f"{_of(identity)}?api-version={NEWEST}")

    def cut_off_identity(self, identity: str, valid_from: str) -> Answer | None:
        body = json.dumps({"tokensValidFrom": valid_from}).encode()
        return self._call("PATCH", f"{_of(identity)}?api-version={EARLY}", body)

    def revoke_token(self, token_id: str) -> Answer | None:
        return self._call("POST", "/revoke", urlencode({"token_id": token_id}).encode())

    def introspect(self, token: str) -> Answer | None:
        return self._call("POST", "/introspect", urlencode({"token": token}).encode())

    def ask_as_user(self, token: str, method: str, target: str, body: bytes = b"") -> Answer | None:
        """With a user's access token; None as everywhere."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        return self._exchange(random.choice(self._addresses), method, target, headers, body)

    def ask_for_socket(self, token: str, method: str, target: str) -> Answer | None:
        """A step of realtime's handshake; None as everywhere."""
        return self._exchange(random.choice(self._addresses), method, target, {"X-Skypetoken": token}, b"")

    def _call(self, method: str, target: str, body: bytes = b"") -> Answer | None:
        address = random.choice(self._addresses)
        request = sign(self._key, method, target, f"localhost:{address[1]}", self._date(address), body)
        kind = "application/x-www-form-urlencoded" if target in ("/revoke", "/introspect") else "application/json"
        answer = self._exchange(address, method, request.target, {"Content-Type": kind, **request.headers}, body)
        # Its clock was set while the request was on its way.
        return None if answer is not None and answer.status == 401 and address in self._clocks else answer

    def _exchange(
        self, address: Address, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Answer | None:
        """None where no whole answer came: the request may have been carried out, or not. So is an answer of 5xx."""
        connection = self._connections.get(address)
        if connection is None:
            connection = self._connections[address] = http.client.HTTPConnection(
                *address, timeout=self._patience_seconds
            )
        try:
            connection.request(method, target, body, dict(headers))
            reply = connection.getresponse()
            answer = Answer(reply.status, reply.read())
        except (OSError, http.client.HTTPException):
            with contextlib.suppress(OSError):
                self._connections.pop(address).close()
            return None
        if answer.status < 500:
            return answer
        self._log.write(Refused(time.monotonic_ns(), answer.status, reply.headers.get("retry-after", "")))
        return None

    def _date(self, address: Address) -> str:
        ahead = micros_ahead(self._clocks[address]) if address in self._clocks else 0
        return formatdate((SystemClock().micros() + ahead) / 1e6, usegmt=True)


def _of(identity: str) -> str:
    return f"/identities/{quote(identity, safe='')}"
