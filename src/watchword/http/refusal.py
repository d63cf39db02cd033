"""What a server answers by itself, to a request that never reaches the application."""

from __future__ import annotations

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


Wording = Callable[[Exception], Refusal]
"""Words a `NotHttp`, `TooLarge` or `TooSlow`, or whatever else the application did not tell by itself."""
