"""A subscribed verifier: the library as it is, whose set of revocations notes when it is read; or one with a bug."""

from __future__ import annotations

import time
from dataclasses import replace
from unittest import mock

import msgspec

from tests.history.events import ACCEPTED, Applied, Decided, Log
from tests.history.plan import Bug, Plan
from tests.history.watching import Recent
from watchword.client import InvalidToken, TokenVerifier, VerifierCredential, evidence
from watchword.client.revocation_set import RevocationSet
from watchword.tokens import Claims, CutOffs
from watchword.wire.verification import RevocationPage

_PAUSE_SECONDS = 0.012
_LATE_SECONDS = 0.3
_SKIPPED_OF = 8


class Watched(RevocationSet):
    """Bugs are planted in `take` and `look_up`."""

    log: Log
    read_before = 0
    read_after = 0

    def apply(self, page: RevocationPage, sent: float) -> None:
        self.take(page, sent)
        if not page.more:
            self.log.write(Applied(round(sent * 1e9), time.monotonic_ns()))

    def cutoffs(self, claims: Claims, kid: str) -> CutOffs:
        self.read_before = time.monotonic_ns()
        try:
            return self.look_up(claims, kid)
        finally:
            self.read_after = time.monotonic_ns()

    def take(self, page: RevocationPage, sent: float) -> None:
        super().apply(page, sent)

    def look_up(self, claims: Claims, kid: str) -> CutOffs:
        return super().cutoffs(claims, kid)


class LateFeed(Watched):
    def take(self, page: RevocationPage, sent: float) -> None:
        time.sleep(_LATE_SECONDS)
        super().take(page, sent)


class InclusiveComparison(Watched):
    """`<=` where `<` belongs: what was issued right after a revocation is refused."""

    def look_up(self, claims: Claims, kid: str) -> CutOffs:
        found = super().look_up(claims, kid)
        return replace(
            found,
            generation=found.generation + 1,
            valid_from_micros=found.valid_from_micros + bool(found.valid_from_micros),
        )


class SecondsForMicroseconds(Watched):
    """What was issued within the second of a cut-off, and before it, is accepted (CVE-2026-18218's kind)."""

    def look_up(self, claims: Claims, kid: str) -> CutOffs:
        found = super().look_up(claims, kid)
        return replace(found, valid_from_micros=found.valid_from_micros // 1_000_000 * 1_000_000)


class SkippedEntry(Watched):
    told = 0

    def take(self, page: RevocationPage, sent: float) -> None:
        kept = []
        for revocation in page.revocations:
            self.told += 1
            if self.told % _SKIPPED_OF:
                kept.append(revocation)
        super().take(msgspec.structs.replace(page, revocations=kept), sent)


_WITH: dict[Bug, type[Watched]] = {
    "": Watched,
    "late feed": LateFeed,
    "inclusive comparison": InclusiveComparison,
    "seconds for microseconds": SecondsForMicroseconds,
    "skipped entry": SkippedEntry,
}


def verify(plan: Plan, name: str, endpoint: str) -> None:
    """Judge every recent token over and over, until killed."""
    Watched.log = log = Log(plan.log(name))
    with mock.patch.object(evidence, "RevocationSet", _WITH[plan.verifiers[name]]):
        # On the clock of the log, so that both tell the same time.
        verifier = TokenVerifier(
            endpoint, VerifierCredential(plan.credential), max_staleness=plan.max_staleness, steady=time.monotonic
        )
    watched = verifier._follower.evidence.revocations
    assert isinstance(watched, Watched)
    recent = Recent(plan.issuers, plan.watched_seconds)
    with verifier:
        while True:
            for token in recent.look():
                _decide(verifier, watched, token.jti, token.token, log)
            time.sleep(_PAUSE_SECONDS)


def _decide(verifier: TokenVerifier, watched: Watched, jti: str, token: str, log: Log) -> str:
    watched.read_before = watched.read_after = 0
    began = time.monotonic_ns()
    try:
        verifier.verify(token)
        outcome = ACCEPTED
    except InvalidToken as refused:
        outcome = refused.check
    # A refusal for another reason does not read the set at all.
    before, after = watched.read_before or began, watched.read_after or time.monotonic_ns()
    log.write(Decided(before, after, jti, outcome))
    return outcome
