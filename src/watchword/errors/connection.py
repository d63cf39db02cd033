"""What a client does wrong before its request is one, while it sends it, or with its offer of a WebSocket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from watchword.errors.common import CallerError


@dataclass(eq=False)
class HttpsRequired(CallerError):
    """The request came without TLS to a port that speaks it."""


@dataclass(eq=False)
class UpgradeRequired(CallerError):
    """The operation is a WebSocket; `reason` says what a request has to do to be given one, without a full stop."""

    reason: str


@dataclass(eq=False)
class InvalidHandshake(CallerError):
    """`reason` says what is wrong with an offer of a WebSocket, without a full stop, and repeats nothing of it."""

    reason: str


@dataclass(eq=False)
class TooLarge(CallerError):
    """`part` is `body`, `head` or `signed head`."""

    part: str
    maximum_bytes: int


@dataclass(eq=False)
class TooSlow(CallerError):
    """`part`, which is `body` or `head`, was not complete within `deadline`."""

    part: str
    deadline: timedelta
