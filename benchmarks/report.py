"""The report: the machine, its limits, and every figure beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.machine import describe
from benchmarks.open_loop import Latency
from benchmarks.plan import Plan
from benchmarks.revoking import VERIFIERS
from benchmarks.rounds import Limits, Measurement, Spread
from benchmarks.verification import Verification

_HIGHEST_GENERATOR_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that a run found. `resident` is the memory of a worker at its start and after all load, in MiB."""

    plan: Plan
    limits: Limits
    measurements: Sequence[Measurement]
    latencies: Sequence[tuple[Measurement, list[Latency]]]
    verification: Verification
    openssl_rsa: float | None
    start_seconds: Spread
    resident: tuple[float, float]

    def find(self, algorithm: str, workload: str) -> Measurement:
        """The measurement with 32 connections over plain HTTP."""
        name = f"Watchword {algorithm}, {workload}"
        return next(each for each in self.measurements if each.name == name and each.connections == 32)


def to_markdown(findings: Findings) -> str:
    """The whole report."""
    return "\n\n".join(
        [
            "# Watchword under load",
            _how(findings.plan),
            _table(("", "The machine"), describe()),
            "## Limits of this machine, measured in the same rounds",
            _limits(findings),
            "## Closed loop: as fast as the server answers",
            _closed_loop(findings.measurements),
            "## Open loop: latency at half of that load",
            _open_loop(findings.latencies),
            "## Verifying elsewhere, and revoking",
            _verification(findings.verification),
            "## What is to be reached",
            _goals(findings),
        ]
    )


def _how(plan: Plan) -> str:
    return (
        "`watchword serve` as by default, request log included, on SQLite in WAL mode with `synchronous=FULL` and"
        f" {plan.identities:,} identities. Server on one core, generator on another; keep-alive; every request is"
        f" signed and different. Medians of {plan.rounds} interleaved rounds of {plan.seconds} s each with the smallest"
        " and the largest; requests per second of the server's CPU time (user and system) beside wall-clock time. Gaps"
        " under 10 % are ties; absolute figures drift from machine to machine, ratios within one run are what counts."
    )


def _limits(findings: Findings) -> str:
    limits, disk = findings.limits, findings.limits.rate("fdatasync_millis")
    rows = [("bare uvicorn answer, per CPU-second", _count(Spread.of(load.per_cpu_second for load in limits.hello)))]
    rows += [(f"{name}, one after another", _count(limits.rate(name))) for name in ("ES256", "RS256", "EdDSA")]
    rows += [("check of a request's HMAC and body hash", _count(limits.rate("HMAC")))]
    rows += [
        (f"**limit for issuing with {name}**: those three added up", f"{limits.issue(name):,.0f}")
        for name in ("ES256", "RS256", "EdDSA")
    ]
    rows += [("`openssl speed rsa2048` signs", f"{findings.openssl_rsa:,.0f}" if findings.openssl_rsa else "not there")]
    rows += [("`fdatasync` of 4 KiB", f"{disk.median:.2f} ms [{disk.smallest:.2f} .. {disk.largest:.2f}]")]
    return _table(("", "per second"), rows)


def _closed_loop(measurements: Sequence[Measurement]) -> str:
    head = ("contender, workload", "connections", "per CPU-second", "per second", "p50 ms", "p99 ms", "generator")
    rows = [
        (
            each.name,
            str(each.connections),
            _count(each.spread("per_cpu_second")),
            f"{each.spread('per_second').median:,.0f}",
            f"{each.spread('p50_millis').median:.1f}",
            f"{each.spread('p99_millis').median:.1f}",
            _share(load.generator_share for load in each.loads),
        )
        for each in measurements
    ]
    return _table(head, rows)


def _open_loop(latencies: Sequence[tuple[Measurement, list[Latency]]]) -> str:
    head = ("contender, workload", "per second", "p50 ms", "p99 ms", "largest ms", "generator")
    rows = []
    for measurement, found in latencies:
        p99 = Spread.of(each.p99_millis for each in found)
        rows.append(
            (
                measurement.name,
                f"{median(each.per_second for each in found):,.0f}",
                f"{median(each.p50_millis for each in found):.1f}",
                f"{p99.median:.1f} [{p99.smallest:.1f} .. {p99.largest:.1f}]",
                f"{max(each.largest_millis for each in found):.1f}",
                _share(each.generator_share for each in found),
            )
        )
    return _table(head, rows)


def _verification(found: Verification) -> str:
    rates, signature = found.rates, found.rates["signature"].median
    introspected = Spread.of(load.per_cpu_second for load in found.introspections)
    by_the_clock = median(load.per_second for load in found.introspections)
    per_core = _table(
        ("", "per second of CPU", "of the signature's"),
        [
            ("check of an ES256 signature alone", _count(rates["signature"]), "1.00"),
            ("token verified for the first time", _count(rates["cold"]), f"{rates['cold'].median / signature:.2f}"),
            ("token verified again", _count(rates["cached"]), f"{rates['cached'].median / signature:.1f}"),
            (f"introspection by the server ({by_the_clock:,.0f} by the clock)", _count(introspected), ""),
        ],
    )
    delays = (
        ("revoke: sent until durable", found.revoked.durable),
        ("durable until a verifier refuses", found.revoked.refused),
        (f"durable until all {VERIFIERS} refuse", found.revoked.refused_by_all),
    )
    rows = [
        (name, f"{len(millis):,}", f"{_ranked(millis, 0.5):.1f}", f"{_ranked(millis, 0.99):.1f}", f"{max(millis):.1f}")
        for name, millis in delays
    ]
    return per_core + "\n\n" + _table(("", "times", "p50 ms", "p99 ms", "largest ms"), rows)


def _goals(findings: Findings) -> str:
    es256 = findings.find("ES256", "issue").spread("per_cpu_second").median / findings.limits.issue("ES256")
    rows = [("ES256 issue, of its limit", "0.50", f"{es256:.2f}")]
    if findings.openssl_rsa:
        rs256 = findings.find("RS256", "issue").spread("per_cpu_second").median / findings.openssl_rsa
        rows += [("RS256 issue, of `openssl speed rsa2048`", "0.70", f"{rs256:.2f}")]
    for measurement, found in findings.latencies:
        if measurement.workload.name in ("issue", "create", "revoke"):
            p99 = median(each.p99_millis for each in found)
            rows += [(f"p99 at half load, {measurement.workload.name}", "below 10 ms", f"{p99:.1f} ms")]
    refused = _ranked(findings.verification.revoked.refused_by_all, 0.99)
    rows += [(f"p99 from a durable revocation until {VERIFIERS} verifiers refuse", "below 100 ms", f"{refused:.1f} ms")]
    at_start, after_load = findings.resident
    rows += [
        ("first answer after the start", "within 0.5 s", f"{findings.start_seconds.median:.2f} s"),
        ("resident memory of a worker", "at most 80 MiB", f"{at_start:.0f} MiB, after all load {after_load:.0f} MiB"),
    ]
    return _table(("", "goal", "measured"), rows)


def _ranked(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _count(spread: Spread) -> str:
    return f"{spread.median:,.0f} [{spread.smallest:,.0f} .. {spread.largest:,.0f}]"


def _share(shares: Iterable[float]) -> str:
    largest = max(shares)
    return f"{largest:.0%}{' (too busy!)' if largest > _HIGHEST_GENERATOR_SHARE else ''}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
