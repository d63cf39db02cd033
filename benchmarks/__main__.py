"""The run: start everything, measure in rounds, print the table, write the report.

python -m benchmarks            benchmarks/report/report.md and chart.svg
python -m benchmarks --quick    the main ratios, printed only
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import limits, rounds, verification
from benchmarks.chart import draw
from benchmarks.contenders import Contender, watchword, watchword_start_seconds
from benchmarks.machine import Cores, choose_cores, resident_mebibytes
from benchmarks.open_loop import Latency, open_loop
from benchmarks.plan import Plan, parse_plan
from benchmarks.processes import python_server
from benchmarks.report import Findings, to_markdown
from benchmarks.rounds import Measurement, Spread
from benchmarks.workloads import CREATE, CREATE_WITH_TOKEN, ISSUE, MIXED, REVOKE

_REPORT = Path(__file__).with_name("report")
_STARTS = 5


def main() -> int:
    if not all(map(shutil.which, ("wrk", "taskset"))) or len(os.sched_getaffinity(0)) < 2:
        print("The benchmarks need Linux with two cores, and the commands wrk and taskset.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as folder:
        plan = parse_plan(sys.argv[1:], Path(folder))
        cores = choose_cores()
        os.sched_setaffinity(0, {cores.generator})
        findings = _measure(plan, cores)
    text = to_markdown(findings)
    print(text)
    if not plan.quick:
        _REPORT.mkdir(exist_ok=True)
        (_REPORT / "report.md").write_text(text + "\n", "utf-8")
        (_REPORT / "chart.svg").write_text(draw(findings), "utf-8")
    return 0


def _measure(plan: Plan, cores: Cores) -> Findings:
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(dir=plan.folder)))

        def start(algorithm: str, *, tls: bool = False) -> Contender:
            place = folder / f"{algorithm}{'-tls' if tls else ''}"
            place.mkdir()
            return running.enter_context(
                watchword(place, algorithm, identities=plan.identities, core=cores.server, tls=tls)
            )

        bare = running.enter_context(python_server("benchmarks.bare", core=cores.server, home=folder))
        main_contender = start("ES256")
        others = [start("RS256"), start("EdDSA")]
        over_tls = [] if plan.quick else [start("ES256", tls=True)]
        measurements = _measurements(main_contender, others, over_tls, quick=plan.quick)
        resident_at_start = resident_mebibytes(main_contender.process.pid)
        found = rounds.run(measurements, bare, plan, cores)
        latencies = _latencies(measurements, main_contender, plan)
        verified = verification.measure(main_contender, plan, cores)
        resident = (resident_at_start, resident_mebibytes(main_contender.process.pid))
    starts = _start_seconds(plan, cores)
    openssl_rsa = limits.openssl_rsa_signs_per_second(cores.server)
    return Findings(plan, found, measurements, latencies, verified, openssl_rsa, starts, resident)


def _measurements(
    es256: Contender, others: list[Contender], over_tls: list[Contender], *, quick: bool
) -> list[Measurement]:
    levels = (4, 32) if quick else (1, 4, 32, 256)
    return [
        *(Measurement(es256, ISSUE, connections) for connections in levels),
        *(Measurement(es256, CREATE, connections) for connections in ((32,) if quick else levels)),
        *(Measurement(es256, workload, 32) for workload in (CREATE_WITH_TOKEN, REVOKE, MIXED)),
        *(Measurement(other, ISSUE, 32) for other in others),
        *(Measurement(each, ISSUE, connections) for each in over_tls for connections in levels),
    ]


def _latencies(
    measurements: list[Measurement], contender: Contender, plan: Plan
) -> list[tuple[Measurement, list[Latency]]]:
    """At half of what the closed loop reached with 32 connections, in as many rounds."""
    halved = [each for each in measurements if each.contender is contender and each.connections == 32]
    found: list[tuple[Measurement, list[Latency]]] = [(each, []) for each in halved]
    for _ in range(plan.rounds):
        for each, latencies in found:
            requests = each.workload.requests(contender.target, plan.distinct_requests)
            rate = each.spread("per_second").median / 2
            latencies.append(open_loop(contender.process.port, requests, rate=rate, seconds=plan.seconds))
    plan.say("latency at half load: done")
    return found


def _start_seconds(plan: Plan, cores: Cores) -> Spread:
    with tempfile.TemporaryDirectory(dir=plan.folder) as folder:
        watchword_start_seconds(Path(folder), core=cores.server)  # Makes the data folder.
        return Spread.of(watchword_start_seconds(Path(folder), core=cores.server) for _ in range(_STARTS))


if __name__ == "__main__":
    raise SystemExit(main())
