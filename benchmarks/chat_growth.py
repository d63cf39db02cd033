"""What a request of chat costs while a thread, and a user's list of threads, grow: the same load on both engines.

python -m benchmarks.chat_growth         benchmarks/report/chat_growth.md
python -m benchmarks.chat_growth --help  sizes, rounds and seconds

A database has one thread with that many messages, or one user in that many threads; the fewest come first, and the CPU
of each request is told by that of the same request there.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from benchmarks import postgres
from benchmarks.__main__ import can_measure
from benchmarks.chat_workloads import ANY_PAGE, FIRST_PAGE, LAST_PAGE, LIST_FEW_THREADS, SEND
from benchmarks.chats import ChatPlan
from benchmarks.closed_loop import Load, closed_loop
from benchmarks.contenders import Contender, watchword
from benchmarks.grown import ENGINES
from benchmarks.machine import Cores, choose_cores, describe
from benchmarks.plan import REPORT, Plan, temporary_folder
from benchmarks.processes import end_on_signals
from benchmarks.spread import Spread, confidence
from benchmarks.tables import count, interval, table
from benchmarks.workloads import Workload

_MESSAGES = (10_000, 10_000_000)
_THREADS = (10, 10_000)
_CONNECTIONS = 32
_REQUESTS = 2_000
_OF_MESSAGES = (FIRST_PAGE, ANY_PAGE, LAST_PAGE, SEND)
_GOAL = 1.1


@dataclass(frozen=True, slots=True)
class _Grown:
    engine: str
    size: int
    unit: str
    contender: Contender
    workloads: Sequence[Workload]
    loads: dict[str, list[Load]] = field(default_factory=dict)


def main() -> int:
    given = _arguments()
    if not can_measure():
        return 1
    end_on_signals()
    with temporary_folder(given.folder) as folder:
        cores = choose_cores()
        os.sched_setaffinity(0, {cores.generator})
        text = measure(folder, given, cores)
    print(text)
    given.report.mkdir(parents=True, exist_ok=True)
    (given.report / "chat_growth.md").write_text(text + "\n", "utf-8")
    return 0


def measure(folder: Path, given: argparse.Namespace, cores: Cores) -> str:
    with ExitStack() as running:
        every: list[_Grown] = []
        for engine in given.engines:
            for unit, sizes in (("messages", given.messages), ("threads", given.threads)):
                for size in sizes:
                    started = perf_counter()
                    every.append(running.enter_context(_grown(folder, engine, unit, size, core=cores.server)))
                    Plan.say(f"{engine} with {size:,} {unit}: {perf_counter() - started:.0f} s")
        for number in range(given.rounds + 1):
            started = perf_counter()
            _round(every, number, given.seconds, cores)
            Plan.say(f"round {number} of {given.rounds}: {perf_counter() - started:.0f} s")
            if number == 0:
                # Everybody is warm now.
                for each in every:
                    each.loads.clear()
        return _to_markdown(every, given)


@contextmanager
def _grown(folder: Path, engine: str, unit: str, size: int, *, core: int) -> Iterator[_Grown]:
    """With two users: of messages in one thread; or in so many threads, which were active ten seconds apart."""
    place = folder / f"{engine}-{unit}-{size}"
    place.mkdir(mode=0o711)
    of_messages = unit == "messages"
    plan = ChatPlan(
        users=2,
        threads=1 if of_messages else size,
        messages_of_thread=size if of_messages else 1,
        apart_millis=10_000,
    )
    with ExitStack() as running:
        cluster = running.enter_context(postgres.cluster(place, core=core)) if engine != "SQLite" else None
        started = watchword(place, "ES256", identities=10, core=core, cluster=cluster, chat=plan)
        contender = running.enter_context(started)
        yield _Grown(engine, size, unit, contender, _OF_MESSAGES if of_messages else (LIST_FEW_THREADS,))


def _round(every: Sequence[_Grown], number: int, seconds: int, cores: Cores) -> None:
    """Everything once, sizes right after one another, and not always in the same order."""
    for workload in (*_OF_MESSAGES, LIST_FEW_THREADS):
        for engine in ENGINES:
            of_engine = [each for each in every if each.engine == engine and workload in each.workloads]
            for each in of_engine if number % 2 else reversed(of_engine):
                requests = workload.requests(each.contender.target, _REQUESTS, number * _REQUESTS)
                load = closed_loop(
                    each.contender.process, requests, connections=_CONNECTIONS, seconds=seconds, core=cores.generator
                )
                each.loads.setdefault(workload.name, []).append(load)


def _to_markdown(every: Sequence[_Grown], given: argparse.Namespace) -> str:
    head = ("engine, request", "there are", "per CPU-second", "CPU of it, by the fewest", f"within {_GOAL}", "p99 ms")
    how = (
        f"`watchword serve` as by default, {_CONNECTIONS} connections. Medians of {given.rounds} interleaved rounds of"
        f" {given.seconds} s each, with the interval that holds the true median with a probability of"
        f" {confidence(given.rounds):.0%}; ratios are taken within each round. Messages have 300 bytes and were"
        " inserted directly, each with its entry in the journal. A page has 20 messages; those in the middle are"
        " elsewhere at each request."
    )
    return "\n\n".join(
        [
            "# What a request of chat costs while threads grow",
            how,
            table(("", "The machine"), describe()),
            table(head, _rows(every)),
            table(("engine", "messages", "bytes on disk of each"), _sizes(every)),
        ]
    )


def _rows(every: Sequence[_Grown]) -> Iterator[Sequence[str]]:
    for each in every:
        fewest = next(one for one in every if (one.engine, one.unit) == (each.engine, each.unit))
        for name, loads in each.loads.items():
            few = [load.per_cpu_second for load in fewest.loads[name]]
            rates = [load.per_cpu_second for load in loads]
            ratio = Spread.of_ratios(few, rates)
            yield (
                f"{each.engine}, {name}",
                f"{each.size:,} {each.unit}",
                count(Spread.of(rates)),
                interval(ratio, ".3f"),
                "" if each is fewest else "yes" if ratio.median <= _GOAL else "no",
                f"{Spread.of(load.p99_millis for load in loads).median:.1f}",
            )


def _sizes(every: Sequence[_Grown]) -> Iterator[Sequence[str]]:
    for each in every:
        chats = each.contender.target.chats
        if chats and each.unit == "messages":
            yield each.engine, f"{each.size:,}", f"{chats.bytes_of_message:,.0f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.chat_growth", description="Chat on growing databases.")
    parser.add_argument("--messages", type=int, nargs="+", default=_MESSAGES, help="of a thread, the fewest first")
    parser.add_argument("--threads", type=int, nargs="+", default=_THREADS, help="of a user, the fewest first")
    parser.add_argument("--engines", nargs="+", default=ENGINES if postgres.is_installed() else ENGINES[:1])
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (9)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of load for each figure and round (2)")
    parser.add_argument("--folder", type=Path, help="where databases are made for the run")
    parser.add_argument("--report", type=Path, default=REPORT, help="where the report goes (benchmarks/report)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
