"""Tokens elsewhere: what verifying costs, how fast revocations arrive, and what asking the service itself costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import revoking, verifying
from benchmarks.closed_loop import Load
from benchmarks.contenders import Contender
from benchmarks.machine import Cores
from benchmarks.plan import Plan
from benchmarks.revoking import Revoked


@dataclass(frozen=True, slots=True)
class Verification:
    """`rates` are `signature`, `cold` and `cached`: operations per second of CPU, one figure a round."""

    rates: Mapping[str, Sequence[float]]
    revoked: Revoked
    introspections: Sequence[Load]


def measure(contender: Contender, plan: Plan, cores: Cores) -> Verification:
    rounds = [verifying.measure(cores.server) for _ in range(plan.rounds)]
    rates = {name: [found[name] for found in rounds] for name in rounds[0]}
    revoked = revoking.revoke(contender, plan, cores)
    introspections = revoking.introspect(contender, plan, cores)
    plan.say("verification and revocation: done")
    return Verification(rates, revoked, introspections)
