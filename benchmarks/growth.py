"""What a request costs while the database grows: the same load on few identities and on many, on both engines.

python -m benchmarks.growth         benchmarks/report/growth.md and growth.json, which the main report reads
python -m benchmarks.growth --help  sizes, rounds and seconds
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from benchmarks import growth_findings, postgres
from benchmarks.__main__ import can_measure
from benchmarks.closed_loop import closed_loop
from benchmarks.grown import ENGINES, Grown, grown
from benchmarks.growth_findings import Cost, Growth
from benchmarks.growth_report import to_markdown
from benchmarks.machine import Cores, choose_cores
from benchmarks.plan import REPORT, Plan, temporary_folder
from benchmarks.processes import end_on_signals
from benchmarks.spread import Spread
from benchmarks.workloads import CREATE, ISSUE, REVOKE, Workload

_SIZES = (10_000, 1_000_000, 10_000_000)
_BYTES_EACH = 1_000
"""Of an identity on both engines, with their logs; besides, the logs of PostgreSQL grow to what its settings say."""

_BYTES_BESIDES = 6 * 2**30
_CONNECTIONS = 32
_WORKLOADS = (ISSUE, CREATE, REVOKE)


def main() -> int:
    given = _arguments()
    if not can_measure():
        return 1
    end_on_signals()
    with temporary_folder(given.folder) as folder:
        needed, free = sum(given.sizes) * _BYTES_EACH + _BYTES_BESIDES, shutil.disk_usage(folder).free
        if free < needed:
            told = f"{needed / 2**30:.0f} GiB are needed in {folder.parent}, {free / 2**30:.0f} are free"
            print(f"{told}: name another folder with --folder, or smaller --sizes.", file=sys.stderr)
            return 1
        cores = choose_cores()
        os.sched_setaffinity(0, {cores.generator})
        growth = measure(folder, given.sizes, given.rounds, given.seconds, given.requests, cores)
    text = to_markdown(growth)
    print(text)
    given.report.mkdir(parents=True, exist_ok=True)
    growth_findings.save(growth, given.report)
    (given.report / "growth.md").write_text(text + "\n", "utf-8")
    return 0


def measure(folder: Path, sizes: Sequence[int], rounds: int, seconds: int, requests: int, cores: Cores) -> Growth:
    with ExitStack() as running:
        every: list[Grown] = []
        for engine in ENGINES if postgres.is_installed() else ENGINES[:1]:
            for identities in sizes:
                started = perf_counter()
                every.append(running.enter_context(grown(folder, engine, identities, core=cores.server)))
                Plan.say(f"{engine} with {identities:,} identities: {perf_counter() - started:.0f} s")
        for each in every:
            _load(each, ISSUE, range(requests), 1, cores)
            each.loads.clear()
        for number in range(rounds):
            started = perf_counter()
            _round(every, number, seconds, requests, cores)
            Plan.say(f"round {number + 1} of {rounds}: {perf_counter() - started:.0f} s")
        return Growth(rounds, seconds, requests, _costs(every), [each.size() for each in every])


def _round(every: Sequence[Grown], number: int, seconds: int, requests: int, cores: Cores) -> None:
    """Everything once, sizes of an engine right after one another, and not always in the same order."""
    smallest = min(each.identities for each in every)
    for workload in _WORKLOADS:
        # As many identities are revoked in a round whatever there are, or more of them would be revoked twice where
        # there are few. Tokens are asked for elsewhere in each round, so that it finds no page where the last left it.
        count = min(smallest, requests) if workload is REVOKE else requests
        for engine in dict.fromkeys(each.engine for each in every):
            of_engine = [each for each in every if each.engine == engine]
            turn = number % len(of_engine)
            for each in (*of_engine[turn:], *of_engine[:turn]):
                _load(each, workload, range(number * count, (number + 1) * count), seconds, cores)


def _load(each: Grown, workload: Workload, numbers: range, seconds: int, cores: Cores) -> None:
    requests = workload.requests(each.contender.target, len(numbers), numbers.start)
    load = closed_loop(
        each.contender.process, requests, connections=_CONNECTIONS, seconds=seconds, core=cores.generator
    )
    each.loads.setdefault(workload.name, []).append(load)
    if workload.durable:
        each.forget()


def _costs(every: Sequence[Grown]) -> list[Cost]:
    return [
        _cost(each, next(few for few in every if few.engine == each.engine), workload.name)
        for workload in _WORKLOADS
        for each in every
    ]


def _cost(each: Grown, fewest: Grown, workload: str) -> Cost:
    loads = each.loads[workload]
    return Cost(
        each.engine,
        workload,
        each.identities,
        Spread.of(load.per_cpu_second for load in loads),
        Spread.of(load.per_second for load in loads),
        Spread.of(load.p99_millis for load in loads),
        Spread.of_ratios(
            (load.per_cpu_second for load in fewest.loads[workload]), (load.per_cpu_second for load in loads)
        ),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.growth", description="The same load on growing databases.")
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES, help="identities, the fewest first")
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (9)")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of load for each figure and round (3)")
    parser.add_argument("--requests", type=int, default=30_000, help="different requests in each load (30000)")
    parser.add_argument("--folder", type=Path, help="where databases are made for the run")
    parser.add_argument("--report", type=Path, default=REPORT, help="where the report goes (benchmarks/report)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
