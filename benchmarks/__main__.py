"""The run: start everybody, measure in rounds, print the report, write it.

python -m benchmarks            benchmarks/report/report.md and chart.svg
python -m benchmarks --quick    the main ratios, printed only
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from benchmarks import growth_findings, rounds, verification
from benchmarks.chart import draw
from benchmarks.closed_loop import LoadFailed
from benchmarks.contenders import watchword_start_seconds
from benchmarks.findings import Findings, measure_memory, measure_start
from benchmarks.lineup import COMPARED, Lineup, started_lineup
from benchmarks.machine import Cores, choose_cores
from benchmarks.open_loop import Latency, open_loop
from benchmarks.plan import Plan, parse_plan, temporary_folder
from benchmarks.processes import end_on_signals, python_server
from benchmarks.report import to_markdown
from benchmarks.rounds import Measurement
from benchmarks.spread import Spread

_TOOLS = ("wrk", "taskset", "setpriv")


def main() -> int:
    if not can_measure():
        return 1
    end_on_signals()
    plan = parse_plan(sys.argv[1:])
    with temporary_folder(plan.folder) as folder:
        cores = choose_cores()
        os.sched_setaffinity(0, {cores.generator})
        findings = _measure(plan, folder, cores)
    text = to_markdown(findings)
    print(text)
    if not plan.quick:
        plan.report.mkdir(parents=True, exist_ok=True)
        (plan.report / "report.md").write_text(text + "\n", "utf-8")
        (plan.report / "chart.svg").write_text(draw(findings), "utf-8")
    return 0


def can_measure() -> bool:
    """Whether this machine has what it takes; what it lacks is said."""
    enough = all(map(shutil.which, _TOOLS)) and len(os.sched_getaffinity(0)) >= 2
    if not enough:
        print(f"The benchmarks need Linux with two cores, and the commands {', '.join(_TOOLS)}.", file=sys.stderr)
    return enough


def _measure(plan: Plan, folder: Path, cores: Cores) -> Findings:
    with (
        python_server("benchmarks.bare", core=cores.server, home=folder) as bare,
        started_lineup(folder, plan, cores) as lineup,
    ):
        at_start = measure_start(lineup)
        rounds.warm_up(lineup.measurements, plan, cores)
        limits = rounds.run(lineup.measurements, bare, plan, folder, cores)
        latencies = _latencies(lineup, plan)
        verified = verification.measure(lineup.main, plan, cores)
        memory = measure_memory(lineup, at_start)
    starts = _start_seconds(plan, folder, cores)
    return Findings(plan, lineup, limits, latencies, verified, starts, memory, growth_findings.load(plan.report))


def _latencies(lineup: Lineup, plan: Plan) -> list[tuple[Measurement, list[Latency]]]:
    """At half of what the closed loop reached, in as many rounds; of moto not, which closes every connection."""
    names = (
        ("SQLite",)
        if plan.quick
        else ("SQLite", "PostgreSQL", "naive", "oidc-provider", "chat SQLite", "chat PostgreSQL")
    )
    halved = [each for each in lineup.measurements if each.connections == COMPARED and not each.failure]
    wanted = [lineup.contenders[name] for name in names if name in lineup.contenders]
    found: list[tuple[Measurement, list[Latency]]] = [(each, []) for each in halved if each.contender in wanted]
    for number in range(plan.rounds):
        for each, latencies in found:
            if len(latencies) < number:
                continue  # It failed before.
            requests = each.workload.requests(each.contender.target, plan.distinct_requests)
            rate = each.spread("per_second").median / 2
            try:
                latencies.append(open_loop(each.contender.process.port, requests, rate=rate, seconds=plan.seconds))
            except LoadFailed as failed:
                plan.say(f"{each.name} at half load: {failed}")
    plan.say("latency at half load: done")
    return [(each, latencies) for each, latencies in found if len(latencies) == plan.rounds]


def _start_seconds(plan: Plan, folder: Path, cores: Cores) -> Spread:
    with temporary_folder(folder) as home:
        watchword_start_seconds(home, core=cores.server)  # Makes the data folder.
        return Spread.of(watchword_start_seconds(home, core=cores.server) for _ in range(max(plan.rounds, 6)))


if __name__ == "__main__":
    raise SystemExit(main())
