"""The log of a run: one file for each process, one JSON line for each event, in nanoseconds of CLOCK_MONOTONIC.

    ["decided",81234567890123,81234567891456,"0123456789abcdef0123456789abcdef","revoked"]

The clock is the same in every process of a Linux machine. A line is appended in one call before what it tells is acted
on, so that neither a kill nor a stop can make the log say less than what a caller was told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.history.event import Event
from tests.history.hearing_events import Closed, Listening, Opened, Pushed
from tests.history.room_events import Deleted, Deleting, Entered, Heard, Moved, Moving, Sending, Sent, Transcript

ACCEPTED = "accepted"
"""The outcome of a decision that is no refusal; a refusal's is the name of the check that failed."""


class Issued(Event, frozen=True, tag="issued"):
    """A token that the service answered with, to a request that began and was replied to."""

    began: int
    replied: int
    jti: str
    identity: str
    kid: str
    access_key: str
    iat_micros: int
    token: str


class Revoking(Event, frozen=True, tag="revoking"):
    """An attempt begins. Further ones with the same number follow where nobody knows what became of it."""

    began: int
    number: str
    kind: str
    subject: str
    valid_from_micros: int = 0


class Acknowledged(Event, frozen=True, tag="acknowledged"):
    """The last attempt of that number was answered: it is durable."""

    at: int
    number: str


class Decided(Event, frozen=True, tag="decided"):
    """A verifier judged a token: it read its local set at some instant between `before` and `after`."""

    before: int
    after: int
    jti: str
    outcome: str


class Applied(Event, frozen=True, tag="applied"):
    """A verifier's set is complete as of the instant at which the page was asked for."""

    sent: int
    at: int


class Introspected(Event, frozen=True, tag="introspected"):
    """The service's own door said whether the token is active."""

    began: int
    ended: int
    jti: str
    active: bool


class Created(Event, frozen=True, tag="created"):
    """The service answered that this identity is there."""

    at: int
    identity: str


class Listed(Event, frozen=True, tag="listed"):
    """At the end of the run the service was asked for all identities, and listed these."""

    began: int
    identities: list[str]


class Refused(Event, frozen=True, tag="refused"):
    """An answer that is none of success, and none of what was asked for either; `retry_after` as it was sent."""

    at: int
    status: int
    retry_after: str


class Outage(Event, frozen=True, tag="outage"):
    """What was done to whom; `verifiers` are those that it cuts off."""

    began: int
    ended: int
    what: str
    verifiers: list[str]


class Pulse(Event, frozen=True, tag="pulse"):
    """A process that only sleeps was to wake up at `due`: how busy the machine itself is."""

    due: int
    came: int


class Missing(Event, frozen=True, tag="missing"):
    """The service answered that this identity is not there; `number` is the revocation that was attempted, if any."""

    at: int
    identity: str
    number: str = ""


class Dated(Event, frozen=True, tag="dated"):
    """What the wall clock said, right as it was, in microseconds since 1970."""

    at: int
    micros: int


class WrongClock(Event, frozen=True, tag="wrong clock"):
    """From when until when one of the service's clocks was wrong, or its processes had not yet noticed its end."""

    began: int
    ended: int
    what: str


class Marked(Event, frozen=True, tag="marked"):
    """Since this instant at the earliest the resource has this mark of purged revocations."""

    since: int
    valid_from_micros: int


class Presented(Event, frozen=True, tag="presented"):
    """A token was shown `where`, at a door or to a verifier, on the occasion `when`, and accepted or not."""

    at: int
    when: str
    where: str
    jti: str
    accepted: bool


class Occasion(Event, frozen=True, tag="occasion"):
    """Tokens are presented once more; whoever logs it too has judged all of them."""

    at: int
    when: str


Any = (
    Issued
    | Revoking
    | Acknowledged
    | Decided
    | Applied
    | Introspected
    | Created
    | Listed
    | Refused
    | Outage
    | Pulse
    | Missing
    | Dated
    | WrongClock
    | Marked
    | Presented
    | Occasion
    | Entered
    | Sending
    | Sent
    | Deleting
    | Deleted
    | Heard
    | Moving
    | Moved
    | Transcript
    | Listening
    | Opened
    | Pushed
    | Closed
)

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Any)
_encoder = msgspec.json.Encoder()


class Log:
    """Appends to a file of its own; several threads of one process may."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, event: Any) -> None:
        os.write(self._file, _encoder.encode(event) + b"\n")


class Tail:
    """What another process has written since it was last looked at."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def read(self) -> Iterator[Any]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._position)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._position += len(line)
                yield _decoder.decode(line)


def events(path: Path) -> Iterator[Any]:
    """All of a finished log. A process that was killed may have left half a line at its end, which tells nothing."""
    return Tail(path).read()
