"""From the folder of a run to what is found in it, and to the lines that a person reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.history.checker import (
    Account,
    Finding,
    Judge,
    judge_absences,
    judge_doors,
    judge_lateness,
    judge_losses,
    judge_presented,
    judge_refusals,
    percentile,
)
from tests.history.events import (
    Any,
    Applied,
    Created,
    Decided,
    Introspected,
    Issued,
    Listed,
    Marked,
    Missing,
    Outage,
    Presented,
    Pulse,
    Refused,
    WrongClock,
    events,
)
from tests.history.fates import Truth, read_truth
from tests.history.hearing import ListenerLog, read_listeners
from tests.history.hearing_checker import FORBIDDEN, closing_delays, count_repeats, disturbed, judge_listener
from tests.history.room_checker import RoomLog, judge_chat_door, judge_room, read_rooms
from tests.history.room_events import DOOR, Entered
from tests.history.windows import Windows, cut_off

FRESH = "fresh, "
"""How the name of a log begins of tokens that were issued on an occasion; the rest is the occasion."""

CONTROL = "with all marks taken away"
"""The occasion on which revoked tokens are accepted: what happened before is worth something."""


@dataclass
class Verdict:
    """`accounts` by verifier; `door` holds what the service itself did wrong; `rooms` are those of chat, by name.

    `missed` is what listeners were not told in time, once, or in order.
    `closings` are how long sockets outlived their tokens, in nanoseconds, where nobody was away.
    """

    truth: Truth
    accounts: dict[str, Account]
    door: list[Finding]
    introspections: int
    created: int
    refusals: int
    outages: list[Outage]
    machine_lateness_nanos: int
    connected_shares: dict[str, float]
    presented: list[Presented]
    wrong_clocks: list[WrongClock]
    marks: list[Marked]
    rooms: dict[str, RoomLog]
    in_rooms: list[Finding]
    missed: list[Finding]
    listeners: dict[str, ListenerLog]
    closings: list[int]

    def revived(self) -> list[Presented]:
        """Dead tokens that were accepted once all marks had been taken away."""
        control = (each for each in self.presented if each.when.startswith(CONTROL))
        return [each for each in control if judge_presented(self.truth, [each], {})]

    def shown(self) -> Counter[tuple[str, str, bool]]:
        """How many tokens were presented: when and where, and accepted or not."""
        return Counter((each.when, each.where, each.accepted) for each in self.presented)

    def findings(self, *names: str) -> list[Finding]:
        """The findings of the verifiers and of the rooms of these names, and of the service."""
        of_verifiers = (finding for name in names for finding in self.accounts[name].findings)
        return [*self.door, *of_verifiers, *(finding for finding in self.in_rooms if finding.who in names)]

    def missing(self, *names: str) -> list[Finding]:
        """What listeners of these rooms missed, or heard again or out of order; and sockets that outlived a token."""
        return [finding for finding in self.missed if finding.who in (DOOR, *names)]

    def lines(self) -> Iterator[str]:
        acknowledged = [each for each in self.truth.revocations.values() if each.acknowledged is not None]
        yield f"{len(self.truth.fates)} tokens, {len(acknowledged)} revocations acknowledged,"
        yield f"{self.created} identities, {self.introspections} introspections, {self.refusals} answers of 503,"
        yield f"{len(self.outages)} outages: {', '.join(sorted({outage.what for outage in self.outages}))};"
        yield f"a sleeping process woke up {_millis(self.machine_lateness_nanos)} late (p99)"
        for what, number in Counter(each.what for each in self.wrong_clocks).items():
            yield f"wrong clock, {number} times: {what}"
        for name, room in self.rooms.items():
            reads = Counter("refused" if each.items is None else "read" for each in room.heard)
            yield f"room {name}: {len(room.transcript)} messages, {_acknowledged(room)} acknowledged,"
            yield f"  {len(room.moves)} removals and additions, {reads['read']} pages read, {reads['refused']} refused"
        for name, listener in self.listeners.items():
            ends = Counter(each.closed.how for each in listener.sockets.values() if each.closed is not None)
            yield f"{name}: {len(listener.pushes)} pushes, {count_repeats(listener)} of them again;"
            yield f"  {len(listener.sockets)} sockets: {', '.join(f'{number} {how}' for how, number in ends.items())}"
        yield f"sockets of revoked tokens closed: {_spread(self.closings)}"
        for rule, number in Counter((each.who, each.rule) for each in (*self.in_rooms, *self.missed)).items():
            yield f"  FOUND in room {rule[0]}, {number} times: {rule[1]}"
        if self.marks:
            yield f"{len(self.marks)} marks of purged revocations"
        for (when, where, accepted), number in sorted(self.shown().items()):
            yield f"{when}, {where}: {number} {'accepted' if accepted else 'refused'}"
        for name, account in self.accounts.items():
            counts = ", ".join(f"{count} {outcome}" for outcome, count in account.outcomes.most_common())
            yield f"{name}: connected {self.connected_shares[name]:.0%} of the time; decisions: {counts}"
            for title, delays in (("connected", account.connected), ("cut off", account.while_cut_off)):
                last = _spread(delays.accepted.values())
                yield f"  {title}: last accepted {last}; all refused {_spread(delays.refused.values())}"
            yield from (f"  FOUND {finding.rule}: {finding.facts}" for finding in account.findings[:5])
        yield from (f"FOUND at the door, {finding.rule}: {finding.facts}" for finding in self.door[:5])


def judge(folder: Path, verifiers: list[str], max_staleness_nanos: int) -> Verdict:
    """Reads every log of the folder; decisions, of which there are millions, one at a time."""
    others: list[Any] = []
    for path in sorted(folder.glob("*.log")):
        if path.stem not in verifiers:
            others += events(path)
    truth = read_truth(others)
    outages = [event for event in others if isinstance(event, Outage)]
    pulses = [event for event in others if isinstance(event, Pulse)]
    introspections = [event for event in others if isinstance(event, Introspected)]
    refusals = [event for event in others if isinstance(event, Refused)]
    created = [event for event in others if isinstance(event, Created)]
    [listed] = [event for event in others if isinstance(event, Listed)]
    missing = [event for event in others if isinstance(event, Missing)]
    presented = [event for event in others if isinstance(event, Presented)]
    wrong_clocks = [event for event in others if isinstance(event, WrongClock)]
    marks = [event for event in others if isinstance(event, Marked)]
    wrong = Windows((each.began, each.ended) for each in wrong_clocks)
    rooms = read_rooms(others)
    entered = judge_chat_door(truth, (event for event in others if isinstance(event, Entered)), wrong)
    in_rooms = [finding for name, log in rooms.items() for finding in judge_room(name, log)]
    listeners = read_listeners(others)
    away = disturbed(outages, pulses)
    heard = [each for log in listeners.values() for each in judge_listener(log, rooms, truth, away)]
    told = [*entered, *(finding for finding in heard if finding.rule in FORBIDDEN)]
    missed = [finding for finding in heard if finding.rule not in FORBIDDEN]
    closings = [nanos for log in listeners.values() for nanos in closing_delays(log, truth, away)]
    in_rooms += [finding for finding in told if finding.who != DOOR]
    door = [
        *(finding for finding in told if finding.who == DOOR),
        *judge_doors(truth, introspections, wrong),
        *judge_refusals(refusals),
        *judge_losses(truth, created, listed),
        *judge_absences(truth, missing),
        *judge_presented(truth, (each for each in presented if not each.when.startswith(CONTROL)), _occasions(folder)),
    ]
    lateness = percentile((pulse.came - pulse.due for pulse in pulses), 0.99)
    accounts: dict[str, Account] = {}
    shares: dict[str, float] = {}
    for name in verifiers:
        log = folder / f"{name}.log"
        applied = [event for event in events(log) if isinstance(event, Applied)]
        windows = cut_off(name, outages, pulses, applied)
        judge = Judge(name, truth, windows, max_staleness_nanos)
        for event in events(log):
            if isinstance(event, Decided):
                judge.take(event)
        judge_lateness(judge.account, lateness)
        accounts[name] = judge.account
        shares[name] = 1 - windows.share_of(applied[0].at, applied[-1].at)
    counts = (len(introspections), len(created), len(refusals))
    return Verdict(
        truth,
        accounts,
        door,
        *counts,
        outages,
        lateness,
        shares,
        presented,
        wrong_clocks,
        marks,
        rooms,
        in_rooms,
        missed,
        listeners,
        closings,
    )


def _occasions(folder: Path) -> dict[str, str]:
    """The occasions of tokens that were issued on one, by their id."""
    return {
        event.jti: path.stem.removeprefix(FRESH)
        for path in folder.glob(f"{FRESH}*.log")
        for event in events(path)
        if isinstance(event, Issued)
    }


def _acknowledged(room: RoomLog) -> int:
    return sum(1 for each in room.sent.values() if each.id)


def _spread(values: Collection[int]) -> str:
    p50, p99, most = percentile(values, 0.5), percentile(values, 0.99), max(values, default=0)
    return f"p50 {_millis(p50)}, p99 {_millis(p99)}, max {_millis(most)} (n={len(values)})"


def _millis(nanos: int) -> str:
    return f"{nanos / 1e6:.1f} ms"
