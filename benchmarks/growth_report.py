"""The report on growth: what a request costs by the number of identities, and what they take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.growth_findings import Growth
from benchmarks.machine import describe
from benchmarks.postgres import SETTINGS
from benchmarks.spread import confidence
from benchmarks.tables import count, interval, table


def to_markdown(growth: Growth) -> str:
    """The whole report."""
    costs = table(
        ("engine, workload", "identities", "per CPU-second", "CPU of a request, by the fewest", "per second", "p99 ms"),
        (
            (
                f"{each.engine}, {each.workload}",
                f"{each.identities:,}",
                count(each.per_cpu_second),
                interval(each.ratio, ".3f"),
                f"{each.per_second.median:,.0f}",
                f"{each.p99_millis.median:.1f}",
            )
            for each in sorted(growth.costs, key=lambda cost: (cost.engine != "SQLite", cost.workload))
        ),
    )
    head = ("engine", "identities", "MiB on disk", "MiB of the worker", "MiB of the database server")
    return "\n\n".join(
        [
            "# What a request costs while the database grows",
            _how(growth),
            table(("", "The machine"), describe()),
            "## Cost of a request",
            costs,
            "## Size, and memory after the load",
            table(head, _sizes(growth)),
        ]
    )


def _how(growth: Growth) -> str:
    settings = ", ".join(f"`{name}` {value}" for name, value in SETTINGS.items())
    return (
        f"`watchword serve` as by default, ES256, 32 connections. Medians of {growth.rounds} interleaved rounds of"
        f" {growth.seconds} s each, the order of sizes rotated, with the interval that holds the true median with a"
        f" probability of {confidence(growth.rounds):.0%}; ratios are taken within each round. Each load has"
        f" {growth.distinct_requests:,} different requests, spread over the whole table by a stride and for other"
        " identities in each round; as many identities are revoked whatever there are. After each load what it created"
        " and revoked is taken out again. CPU is of the server and, on PostgreSQL, of all its database's processes,"
        f" which is as by default but for {settings}; each size has a database server of its own."
    )


def _sizes(growth: Growth) -> Iterator[Sequence[str]]:
    for each in growth.sizes:
        database = "" if each.database is None else f"{each.database:,.0f}"
        yield each.engine, f"{each.identities:,}", f"{each.on_disk:,.0f}", f"{each.worker:.0f}", database
