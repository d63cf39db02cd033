"""What had become of each token by when, as its issuers and revokers logged it: the truth that verifiers are held to.

A revocation takes effect at some instant between its first attempt and its acknowledgement. So a token is dead for
certain from the first acknowledgement on of a revocation that covers it for certain; and nobody may call it revoked
before the first attempt of one that covers it perhaps. In between either answer is right.

A mark of purged revocations may kill what was issued below it, and need not: the revocations that it stands for do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from tests.history.events import Acknowledged, Any, Dated, Issued, Marked, Revoking, WrongClock
from tests.history.windows import Windows
from watchword.tokens import Claims
from watchword.tokens.jwks import decode_base64url

_TOLERATED_SECONDS = 2.0
"""How far ahead a stamp may be that a cut-off by time spares; one second, and what a busy machine takes to answer."""

_LINGERING_NANOS = 30_000_000_000
"""So long an attempt that was given up may wait for a node that is starting, and be carried out after another one."""


@dataclass(slots=True)
class Revocation:
    number: str
    kind: str
    subject: str
    valid_from_micros: int
    first_began: int
    last_began: int
    acknowledged: int | None = None
    by_wrong_clocks: bool = False
    cuts_off_before: int | None = None
    """The instant that a cut-off names, where the clocks were right when it was made."""

    def covers_for_certain(self, token: Issued, *, drifted: bool = False) -> bool:
        """Whether the token is dead once the revocation is acknowledged."""
        if self.kind in ("identity", "resource"):
            # Only the last attempt is known to have been carried out.
            return token.replied < self.last_began
        if self.kind != "cut off" or not self.by_wrong_clocks:
            return self._came_before(token)
        if token.replied >= self.last_began:
            # It was stamped with a time that had passed already when it was issued.
            return False
        # Whatever its stamp says, if it is not one of a clock that was a moment ahead.
        before = not drifted and self.cuts_off_before is not None and token.replied < self.cuts_off_before
        return before or self._came_before(token)

    def covers_perhaps(self, token: Issued) -> bool:
        """Whether the token may be dead once the revocation has begun. Of the same subject it is already."""
        by_order = self.kind in ("identity", "resource")
        # Where issue times do not tell what came first, all that was issued goes.
        if by_order or (self.kind == "cut off" and self.by_wrong_clocks):
            lingering = _LINGERING_NANOS if self.last_began > self.first_began else 0
            return self.acknowledged is None or token.began < self.acknowledged + lingering
        return self._came_before(token)

    def _came_before(self, token: Issued) -> bool:
        return self.kind not in ("cut off", "mark") or token.iat_micros < self.valid_from_micros


@dataclass(frozen=True, slots=True)
class Fate:
    """`dead_from` is the acknowledgement of the revocation of that number; None where there is none."""

    token: Issued
    dead_from: int | None
    number: str
    suspect_from: int | None
    key_suspect_from: int | None


@dataclass
class Truth:
    fates: dict[str, Fate] = field(default_factory=dict)
    revocations: dict[str, Revocation] = field(default_factory=dict)
    first_signed: dict[str, int] = field(default_factory=dict)
    """When each signing key was first seen to sign."""

    dated: Dated | None = None

    def seconds_ahead(self, token: Issued) -> float:
        """How far the clock was ahead that stamped the token with the time which doors and verifiers look at."""
        if self.dated is None:
            return 0.0
        stamped = msgspec.json.decode(decode_base64url(token.token.split(".")[1]), type=Claims).iat
        return stamped - self.dated.micros / 1e6 - (token.replied - self.dated.at) / 1e9


def read_truth(events: Iterable[Any]) -> Truth:
    """From everything that issuers and revokers logged, in any order of processes."""
    truth = Truth()
    tokens: list[Issued] = []
    wrong_clocks: list[WrongClock] = []
    for event in events:
        match event:
            case Issued():
                tokens.append(event)
                known = truth.first_signed.setdefault(event.kid, event.replied)
                truth.first_signed[event.kid] = min(known, event.replied)
            case Revoking():
                _note_attempt(truth, event)
            case Acknowledged():
                truth.revocations[event.number].acknowledged = event.at
            case Marked():
                number = f"mark-{event.valid_from_micros}"
                truth.revocations[number] = Revocation(
                    number, "mark", "", event.valid_from_micros, event.since, event.since
                )
            case Dated():
                truth.dated = event
            case WrongClock():
                wrong_clocks.append(event)
            case _:
                pass
    concerned: dict[str, list[Revocation]] = defaultdict(list)
    for revocation in truth.revocations.values():
        _date(revocation, truth.dated, wrong_clocks)
        concerned["" if revocation.kind == "resource" else revocation.subject].append(revocation)
    truth.fates = {token.jti: _fate(truth, token, concerned) for token in tokens}
    return truth


def _date(revocation: Revocation, dated: Dated | None, wrong_clocks: list[WrongClock]) -> None:
    if not wrong_clocks:
        return
    revocation.by_wrong_clocks = True
    if revocation.kind != "cut off" or revocation.acknowledged is None or dated is None:
        return
    span = revocation.first_began, revocation.acknowledged
    if not Windows((each.began, each.ended) for each in wrong_clocks).overlap(*span):
        named = dated.at + (revocation.valid_from_micros - dated.micros) * 1_000
        # A time that has not come yet means now.
        revocation.cuts_off_before = min(named, revocation.first_began)


def _note_attempt(truth: Truth, event: Revoking) -> None:
    known = truth.revocations.get(event.number)
    if known is not None:
        known.last_began = event.began
        return
    truth.revocations[event.number] = Revocation(
        event.number, event.kind, event.subject, event.valid_from_micros, event.began, event.began
    )


def _fate(truth: Truth, token: Issued, concerned: dict[str, list[Revocation]]) -> Fate:
    dead: list[tuple[int, str]] = []
    suspect: list[int] = []
    drifted = 0.5 < truth.seconds_ahead(token) <= _TOLERATED_SECONDS
    for revocation in _concerning(token, concerned):
        if revocation.acknowledged is not None and revocation.covers_for_certain(token, drifted=drifted):
            dead.append((revocation.acknowledged, revocation.number))
        if revocation.covers_perhaps(token):
            suspect.append(revocation.first_began)
    key = [revocation.first_began for revocation in concerned.get(token.kid, ())]
    dead_from, number = min(dead, default=(None, ""))
    return Fate(token, dead_from, number, min(suspect, default=None), min(key, default=None))


def _concerning(token: Issued, concerned: dict[str, list[Revocation]]) -> Iterator[Revocation]:
    for subject in (token.jti, token.identity, token.kid, token.access_key, ""):
        yield from concerned.get(subject, ())
