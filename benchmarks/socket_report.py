"""What was measured of realtime sockets, as a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.machine import describe
from benchmarks.open_loop import Latency
from benchmarks.tables import table


@dataclass(frozen=True, slots=True, kw_only=True)
class Fan:
    """Messages into one thread: CPU of the server for each push, with its answer and ping, and of the client; when it
    was heard.
    """

    push_micros: float
    median_millis: float
    p99_millis: float
    client_micros: float


@dataclass(frozen=True, slots=True)
class Back:
    """How long it took until every socket was back, and how often one was refused meanwhile."""

    seconds: float
    refused: int


@dataclass(frozen=True, slots=True)
class Measured:
    """`hand` and `hand_kibibytes` are of sockets written by hand."""

    name: str
    kibibytes: float
    hand_kibibytes: float
    opening_seconds: float
    idle_share: float
    few: Fan
    many: Fan
    hand: Fan
    meanwhile: Latency | None
    back: Back

    @property
    def of_hand(self) -> float:
        return self.hand.push_micros / self.many.push_micros


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    goals: tuple[float | None, float | None]
    """Plain and with TLS."""

    value: Callable[[Measured], float | None]
    form: str = ",.0f"
    at_least: bool = False


_TLS_GOAL = 0.45
_ROWS = (
    _Row("memory of an idle socket, KiB", (8, 32), lambda each: each.kibibytes, ".1f"),
    _Row("the same by hand", (None, None), lambda each: each.hand_kibibytes, ".1f"),
    _Row("CPU of opening one, in three requests, us", (None, None), lambda each: each.opening_seconds * 1e6),
    _Row("all of them idle with heartbeats, of a core", (0.02, None), lambda each: each.idle_share, ".3f"),
    _Row("CPU of a push with its answer and ping, us", (None, None), lambda each: each.many.push_micros, ".1f"),
    _Row("the same by hand, us", (None, None), lambda each: each.hand.push_micros, ".1f"),
    _Row(
        "pushes in a CPU-second, of those by hand", (0.5, None), lambda each: each.of_hand, ".2f",
        at_least=True,
    ),
    _Row("100 listeners: acknowledged to frame, median, ms", (None, None), lambda each: each.few.median_millis, ".1f"),
    _Row("the same, p99, ms", (10, None), lambda each: each.few.p99_millis, ".1f"),
    _Row("all listeners: acknowledged to frame, median, ms", (None, None), lambda each: each.many.median_millis),
    _Row("the same, p99, ms", (350, None), lambda each: each.many.p99_millis),
    _Row("the same by hand, p99, ms", (None, None), lambda each: each.hand.p99_millis),
    _Row("CPU of the client for each push, us", (None, None), lambda each: each.many.client_micros, ".1f"),
    _Row("sends in other threads meanwhile, median, ms", (None, None), lambda each: _millis(each, "p50_millis"), ".1f"),
    _Row("the same, p99, ms", (25, None), lambda each: _millis(each, "p99_millis"), ".1f"),
    _Row("all back after a restart, s", (10, 40), lambda each: each.back.seconds, ".1f"),
    _Row("refused meanwhile, and came again", (None, None), lambda each: each.back.refused),
)  # fmt: skip


def to_markdown(found: Sequence[Measured], sockets: int, messages: int, *, idle_seconds: float) -> str:
    head = ["", *(word for each in found for word in (each.name, "goal", "reached"))]
    how = (
        f"`watchword serve` on SQLite as by default, in one process, with {sockets:,} sockets of {sockets // 50:,} "
        f"users. All of them hear of one thread, and {messages} messages of 300 bytes are sent into it, one after "
        f"another, for what a push costs; then {max(1, messages // 2)} at a quarter of that load, for when it is "
        "heard: each is followed by a pause of three times as long as it took. The author has no socket. Memory is "
        f"what each socket adds once a fifth of them is open; idle, they are looked at for {idle_seconds:.0f} seconds, "
        "with a heartbeat and its answer every 20. By hand is a server of a hundred lines that checks and keeps "
        "nothing, with the same clients in the same run: ratios are what counts. The clients share one core, and hear "
        "one after the other: their time is in the moments too. With TLS, memory is allocated as "
        "docs/howto/realtime.md advises."
    )
    lines = [*_lines(found), _tls_of_plain(*found)]
    return "\n\n".join(["# Realtime sockets", how, table(("", "The machine"), describe()), table(head, lines)])


def _tls_of_plain(plain: Measured, tls: Measured) -> Sequence[str]:
    share = plain.many.push_micros / tls.many.push_micros
    told = [f"{share:.2f}", f"{_TLS_GOAL:g}", _is_reached(share, _TLS_GOAL, at_least=True)]
    return ["pushes in a CPU-second, of those without TLS", "", "", "", *told]


def _lines(found: Sequence[Measured]) -> Iterator[Sequence[str]]:
    for row in _ROWS:
        line = [row.name]
        for each, goal in zip(found, row.goals, strict=True):
            value = row.value(each)
            line += [
                "" if value is None else f"{value:{row.form}}",
                "" if goal is None else f"{goal:g}",
                "" if goal is None or value is None else _is_reached(value, goal, at_least=row.at_least),
            ]
        yield line


def _is_reached(value: float, goal: float, *, at_least: bool) -> str:
    return "yes" if (value >= goal if at_least else value <= goal) else "no"


def _millis(each: Measured, name: str) -> float | None:
    return None if each.meanwhile is None else getattr(each.meanwhile, name)
