"""What a server answers by itself, to a request that never reaches the application."""

from __future__ import annotations

import http
from collections.abc import Callable
from dataclasses import dataclass

from watchword.http.exchange import Headers


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` is for whoever counts refusals, and `request_id` names this one in the log."""

    status: int
    code: str
    headers: Headers
    body: bytes
    request_id: str

    def to_bytes(self) -> bytes:
        """The last answer on a connection, where there is no exchange to give it."""
        status = http.HTTPStatus(self.status)
        headers = (*self.headers, ("content-length", str(len(self.body))), ("connection", "close"))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"HTTP/1.1 {status.value} {status.phrase}\r\n{lines}\r\n".encode("latin-1") + self.body


Wording = Callable[[Exception, str], Refusal]
"""Words a `NotHttp`, `TooLarge` or `TooSlow`, or whatever else the application did not tell by itself.

It is given the path that was asked for, as far as that has arrived: an empty text where nothing is known of it.
"""
