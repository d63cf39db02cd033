"""A history with wrong clocks, and what becomes of its tokens when they are right again and the days have passed.

Run as `python -m tests.history.clock_run FOLDER ENGINE ROUNDS SEED [FAULT ...]`. No rounds is the short form. Faults
that can be planted: nobody guards purges; and what is purged leaves no mark.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.history.days import Days
from tests.history.events import Acknowledged, Dated, Issued, Log, events
from tests.history.nodes import Node
from tests.history.outages import Outages
from tests.history.purges import leave_no_marks, purge_without_care, watch_marks
from tests.history.run import HEALTHY, NODES, WORKERS, Stage, environment_of_several, staged
from tests.history.wrong_clocks import Probe, WrongClocks
from tests.support.faked_clock import FakedClock
from tests.support.polling import until
from tests.support.postgres import Cluster, cluster
from watchword.clock import SystemClock

NO_GUARD, NO_MARK = "no guard", "no mark"

_SECONDS = 60.0
_UNTIL_A_PURGE_SECONDS = 100.0
"""A server purges after a minute at the earliest, and every half minute then."""


def main() -> None:
    # Ended from outside, it still ends whom it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder, engine, rounds, seed, *planted = sys.argv[1:]
    unknown = set(planted) - {NO_GUARD, NO_MARK}
    if unknown or engine not in ("sqlite", "postgres"):
        sys.exit(f"no such fault or engine; faults are: {NO_GUARD}, {NO_MARK}")
    random.seed(int(seed))
    with _nodes(Path(folder), engine) as (nodes, environment, database):
        _run(Path(folder), nodes, environment, database, int(rounds), int(seed), planted)


@contextmanager
def _nodes(folder: Path, engine: str) -> Iterator[tuple[list[Node], Mapping[str, str], Cluster | None]]:
    if engine == "sqlite":
        yield [Node(folder, {}, clock=FakedClock(folder / "node.clock"))], {}, None
        return
    with cluster() as database:
        environment = environment_of_several(database)
        nodes = [
            Node(folder / f"node-{number}", environment, workers=WORKERS, clock=FakedClock(folder / f"{number}.clock"))
            for number in range(NODES)
        ]
        yield nodes, environment, database


def _run(
    folder: Path,
    nodes: list[Node],
    environment: Mapping[str, str],
    database: Cluster | None,
    rounds: int,
    seed: int,
    planted: list[str],
) -> None:
    database_clock = None
    if database is not None:
        database_clock = FakedClock(database.folder / "clock", threads=False)
        database.stop()
        database.environment = database_clock.environment()
        database.start()
    Log(folder / "dated.log").write(Dated(time.monotonic_ns(), SystemClock().micros()))
    prepare = leave_no_marks if NO_MARK in planted else lambda settings, data: None
    with staged(folder, nodes, dict.fromkeys(HEALTHY, ""), seed, environment, prepare) as stage:
        probes = [Probe(stage.plan, node, Log(stage.plan.log(f"probe-{at}"))) for at, node in enumerate(nodes)]
        days = Days(stage, probes, database_clock)
        stage.fork(lambda: watch_marks(stage.plan))
        if NO_GUARD in planted:
            stage.fork(lambda: purge_without_care(stage.plan))
        _inflict(stage, probes, database_clock, database, rounds)
        stage.end_writing()
        # Whoever has no guard has purged by then.
        days.pass_by(purge_is_awaited=NO_GUARD not in planted)
        if NO_MARK not in planted:
            days.take_marks_away()


def _inflict(
    stage: Stage, probes: list[Probe], database_clock: FakedClock | None, database: Cluster | None, rounds: int
) -> None:
    also: list[Callable[[], None]] = []
    staleness = stage.plan.max_staleness.total_seconds()
    outages = Outages(stage.log, stage.nodes, stage.attached, staleness, database, also)
    wrong = WrongClocks(stage.plan, outages, probes, database_clock)
    also += [wrong.start_ahead_for_a_moment, wrong.jump_ahead, wrong.jump_back, wrong.drift]
    if database_clock is not None:
        also.append(wrong.set_database_wrong)
    if not rounds:
        _until_more(stage, tokens=40, revocations=15)
        wrong.start_ahead(lambda: _until_more(stage, tokens=30, revocations=10))
        _until_more(stage, tokens=40, revocations=15)
        return
    outages.inflict(rounds // 2)
    wrong.start_ahead(lambda: time.sleep(_UNTIL_A_PURGE_SECONDS))
    outages.inflict(rounds - rounds // 2)


def _until_more(stage: Stage, *, tokens: int, revocations: int) -> None:
    logs = [*stage.plan.issuers, *stage.plan.folder.glob("revoker-*.log")]

    def count() -> Counter[type]:
        return Counter(type(event) for log in logs for event in events(log))

    before = count()
    until(lambda: count() - before, lambda more: more[Issued] >= tokens and more[Acknowledged] >= revocations, _SECONDS)


if __name__ == "__main__":
    main()
