"""What had become of each token by when, as its issuers and revokers logged it: the truth that verifiers are held to.

A revocation takes effect at some instant between its first attempt and its acknowledgement. So a token is dead for
certain from the first acknowledgement on of a revocation that covers it for certain; and nobody may call it revoked
before the first attempt of one that covers it perhaps. In between either answer is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.history.events import Acknowledged, Any, Issued, Revoking


@dataclass(slots=True)
class Revocation:
    number: str
    kind: str
    subject: str
    valid_from_micros: int
    first_began: int
    last_began: int
    acknowledged: int | None = None

    def covers_for_certain(self, token: Issued) -> bool:
        """Whether the token is dead once the revocation is acknowledged."""
        if self.kind in ("identity", "resource"):
            # Only the last attempt is known to have been carried out.
            return token.replied < self.last_began
        return self.covers_perhaps(token)

    def covers_perhaps(self, token: Issued) -> bool:
        """Whether the token may be dead once the revocation has begun. Of the same subject it is already."""
        if self.kind in ("identity", "resource"):
            return self.acknowledged is None or token.began < self.acknowledged
        if self.kind == "cut off":
            return token.iat_micros < self.valid_from_micros
        return True


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


def read_truth(events: Iterable[Any]) -> Truth:
    """From everything that issuers and revokers logged, in any order of processes."""
    truth = Truth()
    tokens: list[Issued] = []
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
            case _:
                pass
    concerned: dict[str, list[Revocation]] = defaultdict(list)
    for revocation in truth.revocations.values():
        concerned["" if revocation.kind == "resource" else revocation.subject].append(revocation)
    truth.fates = {token.jti: _fate(token, concerned) for token in tokens}
    return truth


def _note_attempt(truth: Truth, event: Revoking) -> None:
    known = truth.revocations.get(event.number)
    if known is not None:
        known.last_began = event.began
        return
    truth.revocations[event.number] = Revocation(
        event.number, event.kind, event.subject, event.valid_from_micros, event.began, event.began
    )


def _fate(token: Issued, concerned: dict[str, list[Revocation]]) -> Fate:
    dead: list[tuple[int, str]] = []
    suspect: list[int] = []
    for revocation in _concerning(token, concerned):
        if revocation.acknowledged is not None and revocation.covers_for_certain(token):
            dead.append((revocation.acknowledged, revocation.number))
        if revocation.covers_perhaps(token):
            suspect.append(revocation.first_began)
    key = [revocation.first_began for revocation in concerned.get(token.kid, ())]
    dead_from, number = min(dead, default=(None, ""))
    return Fate(token, dead_from, number, min(suspect, default=None), min(key, default=None))


def _concerning(token: Issued, concerned: dict[str, list[Revocation]]) -> Iterator[Revocation]:
    for subject in (token.jti, token.identity, token.kid, token.access_key, ""):
        yield from concerned.get(subject, ())
