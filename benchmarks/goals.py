"""What is to be reached, beside what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.chat_workloads import FIRST_PAGE, LIST_THREADS, SEND
from benchmarks.findings import Findings
from benchmarks.growth_findings import Cost
from benchmarks.revoking import VERIFIERS
from benchmarks.spread import Spread
from benchmarks.tables import interval, ranked, table

_PROFILE = "[profile.md](profile.md)"
_MANY = 10_000_000
_MEBIBYTES = 80_000_000 / 2**20
_MEMORY = f"at most {_MEBIBYTES:.0f} MiB"


@dataclass(frozen=True, slots=True)
class Goal:
    """`reached` is None where there was nothing to measure."""

    name: str
    goal: str
    measured: str
    reached: bool | None

    @property
    def answer(self) -> str:
        return {True: "yes", False: f"no: {_PROFILE}", None: "not measured"}[self.reached]


def to_table(findings: Findings) -> str:
    rows = [(each.name, each.goal, each.measured, each.answer) for each in compare(findings)]
    return table(("", "goal", "measured", "reached"), rows)


def compare(findings: Findings) -> list[Goal]:
    """In the order of the design's list."""
    return [
        *_issuing(findings),
        *_beside_others(findings),
        *_answering(findings),
        *_growing(findings),
        *_revoking_and_verifying(findings),
        *_talking(findings),
    ]


def _issuing(findings: Findings) -> Iterator[Goal]:
    es256, rs256 = findings.find("SQLite", "issue"), findings.find("RS256", "issue")
    of_limit = findings.of_limit(es256) if es256 else None
    yield _at_least("ES256 issue, of its limit", 0.5, of_limit, ".2f")
    yield _at_least("the same, the goal after that", 0.65, of_limit, ".2f")
    openssl = findings.limits.rates.get("openssl rsa2048")
    of_openssl = Spread.of_ratios(rs256.figures("per_cpu_second"), openssl) if rs256 and openssl else None
    yield _at_least("RS256 issue, of `openssl speed rsa2048`", 0.7, of_openssl, ".2f")


def _beside_others(findings: Findings) -> Iterator[Goal]:
    peers = [
        ("issue", "SQLite", "naive", 8, "times the naive service on issue"),
        ("create", "SQLite", "naive", 20, "times the naive service on create"),
        ("issue", "SQLite", "oidc-provider", 2.5, "times oidc-provider with ES256"),
        ("issue", "RS256", "oidc-provider RS256", 2.5, "times oidc-provider with RS256"),
    ]
    for workload, contender, other, bound, name in peers:
        yield _at_least(name, bound, findings.ratio(workload, contender, other), ".2f")
    for workload in ("issue", "create"):
        found = findings.ratio(workload, "PostgreSQL", "SQLite")
        yield _at_least(f"PostgreSQL, of the SQLite figure, {workload}", 0.75, found, ".2f")


def _answering(findings: Findings) -> Iterator[Goal]:
    for measurement, found in findings.latencies:
        if measurement.contender is findings.lineup.main and measurement.workload.name in ("issue", "create", "revoke"):
            p99 = Spread.of(each.p99_millis for each in found)
            yield _at_most(f"p99 at half load, {measurement.workload.name}", 10, p99, ".1f", " ms")
    yield _at_most("first answer after the start", 0.5, findings.start_seconds, ".2f", " s")
    for contender in ("SQLite", "PostgreSQL"):
        if contender in findings.memory:
            memory = findings.memory[contender]
            measured = f"{memory.at_start:.0f} MiB at its start, {memory.after_load:.0f} MiB after all load"
            largest = max(memory.at_start, memory.after_load)
            yield Goal(f"resident memory of a worker on {contender}", _MEMORY, measured, largest <= _MEBIBYTES)


def _growing(findings: Findings) -> Iterator[Goal]:
    for engine in ("SQLite", "PostgreSQL"):
        for workload in ("issue", "create", "revoke"):
            name = f"{workload} on {engine}: CPU of a request at {_MANY:,} identities, of that at the fewest"
            found = _cost(findings, engine, workload)
            yield _at_most(name, 1.1, found.ratio if found else None, ".2f")
    for size in findings.growth.sizes if findings.growth else ():
        if size.identities == _MANY:
            name = f"resident memory of a worker on {size.engine} with {_MANY:,} identities"
            yield Goal(name, _MEMORY, f"{size.worker:.0f} MiB", size.worker <= _MEBIBYTES)


def _cost(findings: Findings, engine: str, workload: str) -> Cost | None:
    costs = findings.growth.costs if findings.growth else ()
    asked = (engine, workload, _MANY)
    return next((each for each in costs if (each.engine, each.workload, each.identities) == asked), None)


def _revoking_and_verifying(findings: Findings) -> Iterator[Goal]:
    revoked, rates = findings.verification.revoked, findings.verification.rates
    for name, bound, millis in (
        ("revoke, until it is durable, p99", 10, revoked.durable),
        (f"durable revocation, until {VERIFIERS} verifiers refuse, p99", 100, revoked.refused_by_all),
    ):
        p99 = ranked(millis, 0.99)
        yield Goal(name, f"at most {bound} ms", f"{p99:.1f} ms of {len(millis)}", p99 <= bound)
    cold = Spread.of_ratios(rates["cold"], rates["signature"])
    yield _at_least("token verified for the first time, of its signature's check", 0.8, cold, ".2f")
    yield _at_least("token verified again, per second of CPU", 300_000, Spread.of(rates["cached"]), ",.0f")


def _talking(findings: Findings) -> Iterator[Goal]:
    for engine in ("SQLite", "PostgreSQL"):
        for workload, bound, after in (
            (SEND, 0.35, 0.45 if engine == "SQLite" else None),
            (FIRST_PAGE, 0.35, None),
            (LIST_THREADS, 0.35, None),
        ):
            measured = findings.find(f"chat {engine}", workload.name)
            of_limit = findings.of_limit(measured) if measured else None
            yield _at_least(f"chat on {engine}, {workload.name}, of its limit", bound, of_limit, ".2f")
            if after:
                yield _at_least("the same, the goal after that", after, of_limit, ".2f")
    beside = findings.ratio(SEND.name, "chat PostgreSQL", "chat SQLite")
    yield _at_least("chat on PostgreSQL, of the SQLite figure, send", 0.75, beside, ".2f")
    for measurement, found in findings.latencies:
        if measurement.workload is SEND:
            p99 = Spread.of(each.p99_millis for each in found)
            yield _at_most(f"p99 at half load, {measurement.name}", 10, p99, ".1f", " ms")
    for name, contender in findings.lineup.contenders.items():
        if contender.target.chats and name == "chat SQLite":
            size = contender.target.chats.bytes_of_message / 1_024
            row = "disk of a message of 300 bytes on SQLite, with its entry in the journal"
            yield Goal(row, "at most 0.7 KiB", f"{size:.2f} KiB", size <= 0.7)


def _at_least(name: str, bound: float, found: Spread | None, form: str, unit: str = "") -> Goal:
    return _bounded(name, f"at least {_plain(bound)}{unit}", found, form, unit, lambda median: median >= bound)


def _at_most(name: str, bound: float, found: Spread | None, form: str, unit: str = "") -> Goal:
    return _bounded(name, f"at most {_plain(bound)}{unit}", found, form, unit, lambda median: median <= bound)


def _bounded(
    name: str, goal: str, found: Spread | None, form: str, unit: str, is_reached: Callable[[float], bool]
) -> Goal:
    if found is None:
        return Goal(name, goal, "", None)
    return Goal(name, goal, interval(found, form, unit), is_reached(found.median))


def _plain(bound: float) -> str:
    return f"{bound:,.2f}".rstrip("0").rstrip(".")
