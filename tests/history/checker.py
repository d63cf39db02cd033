"""Judges a history by its logs alone.

1. Nothing is accepted later than `max_staleness` after its acknowledged revocation: no exception.
2. A verifier that is connected the whole time accepts nothing later than 100 ms after it: so in 99 of 100 revocations.
3. No live token is refused as revoked.
4. Tokens are refused as stale, or for an unknown key, only around outages that were inflicted.
5. An error of the service is 503 and says when to come back.
6. What was acknowledged is there: no identity is gone that nobody deleted.
7. The service's own doors are exact: introspection that begins after the acknowledgement says inactive, one that ends
   before the revocation begins says active; no identity is issued a token after its deletion.
8. No identity is said not to be there that nobody began to delete.
9. Tokens are presented when the clocks are right again, when the days have passed, and when the clocks are set back:
   none that is dead is accepted at any door, or by any verifier, new or old; a fresh one is, on the same occasion.

While a clock is wrong its doors may refuse good tokens, and everybody may refuse what it stamped: that is no finding.

A decision is late by the instant before it read its set, and early by the instant after: the doubt is the verifier's.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.history.events import Created, Decided, Introspected, Listed, Missing, Presented, Refused
from tests.history.fates import Fate, Truth
from tests.history.windows import Windows

BOUND_NANOS = 100_000_000

_HOPS = 3
_CERTAINTY = 0.001
_TOLERATED_SECONDS = 240.0
"""How far ahead a stamp may be for everybody to take it: five minutes, less what a busy machine takes to answer."""

_KEY_SET_PAUSE_NANOS = 6_000_000_000
"""A verifier asks for unknown keys once in five seconds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Who broke which rule, with the facts."""

    who: str
    rule: str
    facts: str


@dataclass
class Delays:
    """Nanoseconds by revocation: how long after its acknowledgement tokens were accepted; until all were refused."""

    accepted: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)


@dataclass
class Account:
    """One verifier's account. `outcomes` counts its decisions; `while_cut_off` those of no connected verifier."""

    name: str
    findings: list[Finding] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    connected: Delays = field(default_factory=Delays)
    while_cut_off: Delays = field(default_factory=Delays)


class Judge:
    """Takes the decisions of one verifier in the order in which they were logged."""

    def __init__(self, name: str, truth: Truth, cut_off: Windows, max_staleness_nanos: int) -> None:
        self.account = Account(name)
        self._truth = truth
        self._cut_off = cut_off
        self._max_staleness = max_staleness_nanos
        self._found: set[tuple[str, str]] = set()

    def take(self, decided: Decided) -> None:
        fate = self._truth.fates[decided.jti]
        self.account.outcomes[decided.outcome] += 1
        match decided.outcome:
            case "accepted":
                self._accepted(decided, fate)
            case "revoked":
                self._refused(decided, fate, fate.suspect_from)
            case "key" if fate.key_suspect_from is not None and fate.key_suspect_from <= decided.after:
                # A key that was revoked leaves the key set too.
                self._refused(decided, fate, fate.key_suspect_from)
            case "key":
                self._unknown_key(decided, fate)
            case "stale":
                if not self._cut_off.overlap(decided.before, decided.after):
                    self._find("refused as stale while connected", fate, f"at {decided.after}")
            case "issued" if self._truth.seconds_ahead(fate.token) > _TOLERATED_SECONDS:
                pass
            case other:
                self._find(f"refused for its {other}", fate, f"at {decided.after}")

    def _accepted(self, decided: Decided, fate: Fate) -> None:
        if fate.dead_from is None:
            return
        late = decided.before - fate.dead_from
        if late > self._max_staleness:
            self._find("accepted later than max_staleness", fate, f"{late / 1e6:.1f} ms after the acknowledgement")
        delays = self._delays(fate.dead_from).accepted
        delays[fate.number] = max(delays.get(fate.number, 0), late)

    def _refused(self, decided: Decided, fate: Fate, suspect_from: int | None) -> None:
        if suspect_from is None or decided.after < suspect_from:
            self._find("a live token refused as revoked", fate, f"at {decided.after}; suspect from {suspect_from}")
        if fate.dead_from is None or (fate.token.jti, "refused") in self._found:
            return
        self._found.add((fate.token.jti, "refused"))
        delays = self._delays(fate.dead_from)
        # Refused before the acknowledgement is refused at once.
        delays.refused[fate.number] = max(delays.refused.get(fate.number, 0), decided.after - fate.dead_from)
        delays.accepted.setdefault(fate.number, 0)

    def _unknown_key(self, decided: Decided, fate: Fate) -> None:
        since = decided.after - _KEY_SET_PAUSE_NANOS
        if self._truth.first_signed[fate.token.kid] < since and not self._cut_off.overlap(since, decided.after):
            self._find("refused for an unknown key while connected", fate, f"at {decided.after}")

    def _delays(self, acknowledged: int) -> Delays:
        """Connected is who was so from the acknowledgement until the bound had passed."""
        outage = self._cut_off.overlap(acknowledged, acknowledged + BOUND_NANOS)
        return self.account.while_cut_off if outage else self.account.connected

    def _find(self, rule: str, fate: Fate, facts: str) -> None:
        """Once for each token: one mistake is made again with every decision."""
        if (fate.token.jti, rule) not in self._found:
            self._found.add((fate.token.jti, rule))
            self.account.findings.append(Finding(self.account.name, rule, f"token {fate.token.jti}, {facts}"))


def judge_lateness(account: Account, machine_lateness_nanos: int) -> None:
    """Rule 2, once all decisions are in: the 99th percentile is refuted where too many are late to be chance.

    From revoker to verifier a revocation wakes up three processes, each of which a busy machine lets wait.
    """
    bound = BOUND_NANOS + _HOPS * machine_lateness_nanos
    late = [delay for delay in account.connected.accepted.values() if delay > bound]
    if len(late) > most_by_chance(len(account.connected.accepted)):
        facts = f"{len(late)} of {len(account.connected.accepted)} later than {bound / 1e6:.1f} ms"
        account.findings.append(Finding(account.name, "accepted later than the bound while connected", facts))


def most_by_chance(count: int, share: float = 0.01) -> int:
    """The number that so many draws, each a hit with that probability, exceed once in a thousand times at the most."""
    tail = 1.0
    for hits in range(count):
        ways = math.lgamma(count + 1) - math.lgamma(hits + 1) - math.lgamma(count - hits + 1)
        tail -= math.exp(ways + hits * math.log(share) + (count - hits) * math.log(1 - share))
        if tail <= _CERTAINTY:
            return hits
    return count


def judge_doors(
    truth: Truth, introspections: Iterable[Introspected], wrong_clocks: Windows | None = None
) -> list[Finding]:
    """Rule 7."""
    findings = []
    wrong = wrong_clocks or Windows([])
    for asked in introspections:
        fate = truth.fates[asked.jti]
        if asked.active and fate.dead_from is not None and asked.began > fate.dead_from:
            facts = f"token {asked.jti}, {(asked.began - fate.dead_from) / 1e6:.1f} ms after the acknowledgement"
            findings.append(Finding("door", "introspected as active when dead", facts))
        is_live = fate.suspect_from is None or asked.ended < fate.suspect_from
        if not asked.active and is_live and not wrong.overlap(asked.began, asked.ended) and is_dated_right(truth, fate):
            findings.append(Finding("door", "introspected as inactive when live", f"token {asked.jti}"))
    deleted = {
        revocation.subject: revocation.acknowledged
        for revocation in truth.revocations.values()
        if revocation.kind == "delete" and revocation.acknowledged is not None
    }
    for fate in truth.fates.values():
        acknowledged = deleted.get(fate.token.identity)
        if acknowledged is not None and fate.token.began > acknowledged:
            findings.append(Finding("door", "issued to a deleted identity", f"token {fate.token.jti}"))
    return findings


def is_dated_right(truth: Truth, fate: Fate) -> bool:
    return abs(truth.seconds_ahead(fate.token)) < _TOLERATED_SECONDS


def judge_absences(truth: Truth, missing: Iterable[Missing]) -> list[Finding]:
    """Rule 8. Whoever tries to delete something again may have done it the first time."""
    deletions = [each for each in truth.revocations.values() if each.kind == "delete"]
    began: dict[str, list[tuple[int, str]]] = {}
    for each in deletions:
        began.setdefault(each.subject, []).append((each.first_began, each.number))
        if each.last_began > each.first_began:
            began[each.subject].append((each.first_began, ""))
    return [
        Finding("service", "an identity is said not to be there", f"{told.identity} at {told.at}")
        for told in missing
        if not any(
            at < told.at and (not number or number != told.number) for at, number in began.get(told.identity, ())
        )
    ]


def judge_presented(truth: Truth, presented: Iterable[Presented], fresh: Mapping[str, str]) -> list[Finding]:
    """Rule 9. `fresh` says on which occasion a token was issued, of those that were issued on one."""
    findings = []
    for shown in presented:
        fate = truth.fates[shown.jti]
        facts = f"token {shown.jti}, {shown.when}"
        if shown.accepted and fate.dead_from is not None and fate.dead_from < shown.at:
            revoked = truth.revocations[fate.number]
            findings.append(Finding(shown.where, "accepted on an occasion when dead", f"{facts}, by {revoked.kind}"))
        if not shown.accepted and fresh.get(shown.jti) == shown.when and fate.suspect_from is None:
            findings.append(Finding(shown.where, "a fresh token refused", facts))
    return findings


def judge_refusals(refusals: Iterable[Refused]) -> list[Finding]:
    """Rule 5."""
    return [
        Finding("service", "an error that is no 503 with Retry-After", f"{each.status} at {each.at}")
        for each in refusals
        if each.status != 503 or not each.retry_after.isdecimal()
    ]


def judge_losses(truth: Truth, created: Iterable[Created], listed: Listed) -> list[Finding]:
    """Rule 6. Of a deletion that nobody acknowledged either outcome is right."""
    deleted = {revocation.subject for revocation in truth.revocations.values() if revocation.kind == "delete"}
    gone = {each.identity for each in created if each.at < listed.began} - set(listed.identities) - deleted
    return [Finding("service", "an acknowledged identity is gone", identity) for identity in sorted(gone)]


def percentile(values: Iterable[int], share: float) -> int:
    """By nearest rank; 0 of nothing."""
    ranked = sorted(values)
    return ranked[max(math.ceil(share * len(ranked)) - 1, 0)] if ranked else 0
