"""The report: the machine, its limits, and every figure beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks import goals
from benchmarks.findings import Findings
from benchmarks.lineup import COMPARED
from benchmarks.machine import describe
from benchmarks.open_loop import Latency
from benchmarks.plan import Plan
from benchmarks.postgres import SETTINGS
from benchmarks.revoking import VERIFIERS
from benchmarks.rounds import Measurement
from benchmarks.spread import Spread, confidence
from benchmarks.tables import count, generator, interval, ranked, table
from benchmarks.verification import Verification

_CHAT_LIMITS = {
    "token": "token found in the cache",
    "row": "durable row in a batch of 32",
    "page": "bare read of a page of 20 messages",
    "threads": "bare read of a list of 50 threads",
}
_ALGORITHMS = ("ES256", "RS256", "EdDSA")


def to_markdown(findings: Findings) -> str:
    """The whole report."""
    return "\n\n".join(
        [
            "# Watchword under load",
            _how(findings.plan),
            table(("", "The machine"), describe()),
            "![What each reached, beside the limits](chart.svg)",
            "## What is to be reached",
            goals.to_table(findings) + "\n\nGrowth is measured by a run of its own: [growth.md](growth.md).",
            "## Who is measured",
            _contenders(findings),
            "## Limits of this machine, measured in the same rounds",
            _limits(findings),
            "## Side by side",
            _side_by_side(findings),
            "## Closed loop: as fast as the server answers",
            _closed_loop(findings),
            "## Open loop: latency at half of that load",
            _open_loop(findings.latencies),
            "## Verifying elsewhere, and revoking",
            _verification(findings.verification),
            "## Memory and start",
            _memory(findings),
        ]
    )


def _how(plan: Plan) -> str:
    settings = ", ".join(f"`{name}` {value}" for name, value in SETTINGS.items())
    return (
        f"`watchword serve` as by default, request log included, with {plan.identities:,} identities. The server "
        "has one core, with its database; the load generator another. Connections are kept alive; every request "
        f"of Watchword and its like is signed, and different. Medians of {plan.rounds} interleaved rounds of "
        f"{plan.seconds} s each, with the interval that holds the true median with a probability of "
        f"{confidence(plan.rounds):.0%}; requests per second of the server's CPU time (user and system, its "
        "database's processes counted) beside wall-clock time. Ratios are taken within each round. PostgreSQL is "
        f"as by default but for {settings}. Gaps under 10 % are ties; absolute figures drift from machine to "
        "machine, ratios within one run are what counts."
    )


def _contenders(findings: Findings) -> str:
    contenders = findings.lineup.contenders.values()
    rows = [(each.name, each.durability, each.omits or "nothing") for each in contenders]
    rows += [(name, "**left out**", reason) for name, reason in findings.lineup.missing]
    rows += [
        (f"{each.name}, {each.connections} connections", "**failed**", each.failure)
        for each in findings.lineup.measurements
        if each.failure
    ]
    return table(("contender", "durability", "what it does not do"), rows)


def _limits(findings: Findings) -> str:
    limits = findings.limits
    rows = [("bare uvicorn answer, per CPU-second", count(Spread.of(load.per_cpu_second for load in limits.hello)))]
    rows += [(f"{name}, one after another", count(limits.rate(name))) for name in _ALGORITHMS]
    rows += [("check of a request's HMAC and body hash", count(limits.rate("HMAC")))]
    rows += [
        (f"**limit for issuing with {name}**: those three added up", count(Spread.of(limits.requests(name))))
        for name in _ALGORITHMS
    ]
    openssl = limits.rates.get("openssl rsa2048")
    rows += [("`openssl speed rsa2048` signs", count(Spread.of(openssl)) if openssl else "not there")]
    rows += [("`fdatasync` of 4 KiB", interval(limits.rate("fdatasync_millis"), ".2f", " ms"))]
    for name, rounds in limits.chat.items():
        if limits.posted and name.endswith("ES256"):
            posted = count(Spread.of(load.per_cpu_second for load in limits.posted))
            rows.append(("bare uvicorn answer to a POST of 330 bytes with a bearer token", posted))
        for what, told in _CHAT_LIMITS.items():
            rows.append((f"{name}: {told}", count(Spread.of(1 / each[what] for each in rounds))))
    return table(("", "per second"), rows)


def _side_by_side(findings: Findings) -> str:
    """Each contender beside the default one, which does the same work with the same algorithm where there is one."""
    rows = []
    for name, contender in findings.lineup.contenders.items():
        rival = "RS256" if contender.algorithm == "RS256" and name != "RS256" else "SQLite"
        for workload in ("issue", "create", "create with token", "revoke", "mixed"):
            found = findings.ratio(workload, rival, name)
            if found and name != rival:
                beside = findings.lineup.contenders[rival].name
                rows.append((f"{contender.name}, {workload}", beside, interval(found, ".2f")))
    head = ("contender, workload", "beside", f"times its requests per CPU-second, {COMPARED} connections")
    return table(head, rows)


def _closed_loop(findings: Findings) -> str:
    head = (
        "contender, workload", "connections", "per CPU-second", "of the limit", "per second", "per `fdatasync`",
        "p50 ms", "p99 ms", "generator",
    )  # fmt: skip
    rows = [_closed_loop_row(findings, each) for each in findings.lineup.measurements if not each.failure]
    return table(head, rows) + "\n\n" + (
        "The limit is a bare answer and the check of an HMAC, and a signature where the workload needs one; of chat a"
        " bare answer, a token from the cache, and a durable row in a batch or the bare read. Per"
        " `fdatasync`: how many requests are durable in the time of one."
    )  # fmt: skip


def _closed_loop_row(findings: Findings, measurement: Measurement) -> Sequence[str]:
    per_sync = measurement.spread("per_second").median * findings.limits.rate("fdatasync_millis").median / 1_000
    return (
        measurement.name,
        str(measurement.connections),
        count(measurement.spread("per_cpu_second")),
        interval(findings.of_limit(measurement), ".2f"),
        f"{measurement.spread('per_second').median:,.0f}",
        f"{per_sync:.1f}" if measurement.workload.durable else "",
        f"{measurement.spread('p50_millis').median:.1f}",
        f"{measurement.spread('p99_millis').median:.1f}",
        generator(load.generator_share for load in measurement.loads),
    )


def _open_loop(latencies: Sequence[tuple[Measurement, list[Latency]]]) -> str:
    head = ("contender, workload", "per second", "p50 ms", "p99 ms", "largest ms", "generator")
    rows = [
        (
            measurement.name,
            f"{median(each.per_second for each in found):,.0f}",
            f"{median(each.p50_millis for each in found):.1f}",
            interval(Spread.of(each.p99_millis for each in found), ".1f"),
            f"{max(each.largest_millis for each in found):.1f}",
            generator(each.generator_share for each in found),
        )
        for measurement, found in latencies
    ]
    return table(head, rows)


def _verification(found: Verification) -> str:
    rates, introspected = found.rates, Spread.of(load.per_cpu_second for load in found.introspections)
    by_the_clock = median(load.per_second for load in found.introspections)
    kinds = {"signature": "check of an ES256 signature alone", "cold": "token verified for the first time"}
    per_core = table(
        ("", "per second of CPU", "of the signature's"),
        [
            *(
                (
                    what,
                    count(Spread.of(rates[name])),
                    interval(Spread.of_ratios(rates[name], rates["signature"]), ".2f"),
                )
                for name, what in {**kinds, "cached": "token verified again"}.items()
            ),
            (f"introspection by the server ({by_the_clock:,.0f} by the clock)", count(introspected), ""),
        ],
    )
    delays = (
        ("revoke: sent until durable", found.revoked.durable),
        ("durable until a verifier refuses", found.revoked.refused),
        (f"durable until all {VERIFIERS} refuse", found.revoked.refused_by_all),
    )
    rows = [
        (name, f"{len(millis):,}", f"{ranked(millis, 0.5):.1f}", f"{ranked(millis, 0.99):.1f}", f"{max(millis):.1f}")
        for name, millis in delays
    ]
    return per_core + "\n\n" + table(("", "times", "p50 ms", "p99 ms", "largest ms"), rows)


def _memory(findings: Findings) -> str:
    def rows() -> Iterator[Sequence[str]]:
        for name, memory in findings.memory.items():
            database = f"{memory.database:.0f}" if memory.database else ""
            contender = findings.lineup.contenders[name]
            seconds = contender.process.start_seconds
            first = "" if seconds is None else f"{seconds:.2f}"
            yield contender.name, f"{memory.at_start:.0f}", f"{memory.after_load:.0f}", database, first

    head = (
        "contender", "MiB at its start", "MiB after all load", "MiB of its database server", "first answer, s, once",
    )  # fmt: skip
    start = f"First answer after the start of `watchword serve`: {interval(findings.start_seconds, '.2f', ' s')}."
    return table(head, rows()) + "\n\n" + start
