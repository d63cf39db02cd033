"""Rounds: everything is measured once in each, so that what drifts drifts for all; medians and spread come of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

from benchmarks import limits
from benchmarks.closed_loop import Load, closed_loop
from benchmarks.contenders import Contender
from benchmarks.machine import Cores
from benchmarks.plan import Plan
from benchmarks.processes import Process
from benchmarks.workloads import Workload

_HELLO = [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of the rounds with the smallest and the largest."""

    median: float
    smallest: float
    largest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        ordered = sorted(values)
        return cls(median(ordered), ordered[0], ordered[-1])


@dataclass(frozen=True, slots=True)
class Measurement:
    """One workload on one contender with that many connections, and what its rounds showed."""

    contender: Contender
    workload: Workload
    connections: int
    loads: list[Load] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.contender.name}{' TLS' if self.contender.tls else ''}, {self.workload.name}"

    def spread(self, figure: str) -> Spread:
        return Spread.of(getattr(load, figure) for load in self.loads)


@dataclass(frozen=True, slots=True)
class Limits:
    """What each round measured of the machine: the bare server's loads, and the operations' rates by name."""

    hello: list[Load] = field(default_factory=list)
    rates: dict[str, list[float]] = field(default_factory=dict)

    def rate(self, name: str) -> Spread:
        return Spread.of(self.rates[name])

    def issue(self, algorithm: str) -> float:
        """Requests per CPU-second that answer, check an HMAC, sign, and do nothing else."""
        hello = median(load.per_cpu_second for load in self.hello)
        return 1 / (1 / hello + 1 / self.rate("HMAC").median + 1 / self.rate(algorithm).median)


def run(measurements: Sequence[Measurement], bare: Process, plan: Plan, cores: Cores) -> Limits:
    """Fills the measurements."""
    found = Limits()
    for number in range(plan.rounds):
        started = perf_counter()
        for name, rate in limits.measure(plan.folder, cores.server).items():
            found.rates.setdefault(name, []).append(rate)
        found.hello.append(closed_loop(bare, _HELLO, connections=32, seconds=plan.seconds, core=cores.generator))
        for each in measurements:
            requests = each.workload.requests(each.contender.target, plan.distinct_requests)
            load = closed_loop(
                each.contender.process,
                requests,
                connections=each.connections,
                seconds=plan.seconds,
                core=cores.generator,
                tls=each.contender.tls,
            )
            each.loads.append(load)
        plan.say(f"round {number + 1} of {plan.rounds}: {perf_counter() - started:.0f} s")
    return found
