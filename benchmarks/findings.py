"""Everything that a run found, ready to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.growth_findings import Growth
from benchmarks.lineup import COMPARED, Lineup
from benchmarks.machine import proportional_mebibytes, resident_mebibytes
from benchmarks.open_loop import Latency
from benchmarks.plan import Plan
from benchmarks.rounds import Limits, Measurement
from benchmarks.spread import Spread
from benchmarks.verification import Verification


@dataclass(frozen=True, slots=True)
class Memory:
    """Mebibytes: of the process that answers, at its start and after all load, and of its database's processes then."""

    at_start: float
    after_load: float
    database: float | None


@dataclass(frozen=True, slots=True)
class Findings:
    """`memory` is by the contender's place in the line-up; `growth` is of a run of its own, where there was one."""

    plan: Plan
    lineup: Lineup
    limits: Limits
    latencies: Sequence[tuple[Measurement, list[Latency]]]
    verification: Verification
    start_seconds: Spread
    memory: Mapping[str, Memory]
    growth: Growth | None

    def find(self, contender: str, workload: str, connections: int = COMPARED) -> Measurement | None:
        """What was measured, and did not fail."""
        asked = self.lineup.contenders.get(contender)
        for each in self.lineup.measurements:
            if each.contender is asked and (each.workload.name, each.connections) == (workload, connections):
                return None if each.failure else each
        return None

    def of_limit(self, measurement: Measurement) -> Spread:
        """Requests per CPU-second, by those that do nothing but what the workload needs."""
        if measurement.workload.chat:
            limits = self.limits.of_chat(measurement.contender.name, measurement.workload.chat)
            return Spread.of_ratios(measurement.figures("per_cpu_second"), limits)
        needed = measurement.contender.algorithm if measurement.workload.signature else None
        return Spread.of_ratios(measurement.figures("per_cpu_second"), self.limits.requests(needed))

    def ratio(self, workload: str, contender: str, other: str) -> Spread | None:
        """How many times as many requests per CPU-second one contender answers as the other, both at `COMPARED`."""
        one, another = self.find(contender, workload), self.find(other, workload)
        if one is None or another is None:
            return None
        return Spread.of_ratios(one.figures("per_cpu_second"), another.figures("per_cpu_second"))


def measure_start(lineup: Lineup) -> dict[str, float]:
    return {name: resident_mebibytes(each.process.pid) for name, each in lineup.contenders.items()}


def measure_memory(lineup: Lineup, at_start: Mapping[str, float]) -> dict[str, Memory]:
    return {
        name: Memory(
            at_start[name],
            resident_mebibytes(each.process.pid),
            proportional_mebibytes(each.process.database) if each.process.database else None,
        )
        for name, each in lineup.contenders.items()
    }
