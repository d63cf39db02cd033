"""Rounds: everything is measured once in each, so that what drifts drifts for all; medians come of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from benchmarks import chat_limits, limits
from benchmarks.closed_loop import Load, LoadFailed, closed_loop
from benchmarks.contenders import Contender
from benchmarks.machine import Cores
from benchmarks.plan import Plan
from benchmarks.processes import Process
from benchmarks.spread import Spread
from benchmarks.workloads import Workload

_POST = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"
    b"Content-Length: 330\r\n\r\n%b" % (b"x" * 700, b"x" * 330)
)
_HELLO = [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"]


@dataclass(slots=True)
class Measurement:
    """One workload on one contender with that many connections, and what its rounds showed; or why it failed."""

    contender: Contender
    workload: Workload
    connections: int
    loads: list[Load] = field(default_factory=list)
    failure: str = ""

    @property
    def name(self) -> str:
        return f"{self.contender.name}, {self.workload.name}"

    def figures(self, figure: str) -> list[float]:
        return [getattr(load, figure) for load in self.loads]

    def spread(self, figure: str) -> Spread:
        return Spread.of(self.figures(figure))


@dataclass(frozen=True, slots=True)
class Limits:
    """What each round measured of the machine: the bare server's loads, and the operations' rates by name.

    `posted` are its loads with a bearer token and a body as chat's; `chat` has CPU-seconds by name for each database.
    """

    hello: list[Load] = field(default_factory=list)
    rates: dict[str, list[float]] = field(default_factory=dict)
    posted: list[Load] = field(default_factory=list)
    chat: dict[str, list[dict[str, float]]] = field(default_factory=dict)

    def rate(self, name: str) -> Spread:
        return Spread.of(self.rates[name])

    def requests(self, algorithm: str | None) -> list[float]:
        """Each round's requests per CPU-second that answer, check an HMAC, sign if so told, and do nothing else."""
        parts = [[load.per_cpu_second for load in self.hello], self.rates["HMAC"]]
        if algorithm:
            parts.append(self.rates[algorithm])
        return [1 / sum(1 / rate for rate in together) for together in zip(*parts, strict=True)]

    def of_chat(self, contender: str, name: str) -> list[float]:
        """Each round's requests per CPU-second that answer, find a token in the cache, and do what is named."""
        together = zip(self.posted, self.chat[contender], strict=True)
        return [1 / (1 / load.per_cpu_second + found["token"] + found[name]) for load, found in together]


def warm_up(measurements: Sequence[Measurement], plan: Plan, cores: Cores) -> None:
    """Load on each contender, by the first of its measurements, that counts for nothing."""
    first = {id(each.contender): each for each in reversed(measurements)}
    for each in first.values():
        _measure(each, each.contender.warm_up_seconds, plan, cores)
        each.loads.clear()
    plan.say("everybody is warm")


def run(measurements: Sequence[Measurement], bare: Process, plan: Plan, folder: Path, cores: Cores) -> Limits:
    """Fills the measurements. One that fails is told and measured no more; the others go on."""
    found = Limits()
    for number in range(plan.rounds):
        started = perf_counter()
        for name, rate in limits.measure(folder, cores.server).items():
            found.rates.setdefault(name, []).append(rate)
        found.hello.append(closed_loop(bare, _HELLO, connections=32, seconds=plan.seconds, core=cores.generator))
        talking = {each.contender.name: each.contender for each in measurements if each.workload.chat}
        if talking:
            found.posted.append(closed_loop(bare, [_POST], connections=32, seconds=plan.seconds, core=cores.generator))
        for name, contender in talking.items():
            found.chat.setdefault(name, []).append(chat_limits.measure(contender, cores.server))
        # Nobody always comes right after the same one.
        turn = number % len(measurements)
        for each in (*measurements[turn:], *measurements[:turn]):
            if not each.failure:
                _measure(each, plan.seconds, plan, cores)
        plan.say(f"round {number + 1} of {plan.rounds}: {perf_counter() - started:.0f} s")
    return found


def _measure(measurement: Measurement, seconds: int, plan: Plan, cores: Cores) -> None:
    contender = measurement.contender
    try:
        load = closed_loop(
            contender.process,
            measurement.workload.requests(contender.target, plan.distinct_requests),
            connections=measurement.connections,
            seconds=seconds,
            core=cores.generator,
            tls=contender.tls,
        )
    except LoadFailed as failed:
        measurement.failure = str(failed)
        plan.say(f"{measurement.name}, {measurement.connections} connections: {failed}")
    else:
        measurement.loads.append(load)
