"""After a run with wrong clocks: they are right again, the days pass, and every token is presented once more."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from tests.history.events import Log, Occasion, events
from tests.history.presenting import CLOCK, STEADY, ask_door, verify_all_along, verify_anew
from tests.history.purges import count_overdue, take_marks_away
from tests.history.run import Stage
from tests.history.verdict import CONTROL, FRESH
from tests.history.wrong_clocks import HOUR, RIGHT, Probe
from tests.support.faked_clock import FakedClock
from watchword.clock import SystemClock
from watchword.settings import load_settings

OLD = "old verifier"

_PURGED_WITHIN_SECONDS = 150.0
_LOOK_SECONDS = 1.0


class Days:
    """The clocks of everybody: nodes, verifiers and the database's."""

    def __init__(self, stage: Stage, probes: Sequence[Probe], database: FakedClock | None) -> None:
        self._stage = stage
        self._probes = probes
        self._is_sqlite = database is None
        self._clock = FakedClock(stage.plan.folder / CLOCK)
        self._steady = FakedClock(stage.plan.folder / STEADY)
        nodes = [node.clock for node in stage.nodes if node.clock]
        self._clocks = [*nodes, self._clock, *([database] if database else [])]
        self._now = self._furthest = RIGHT
        self._occasions = Log(stage.plan.log("occasions"))
        stage.fork(partial(verify_all_along, stage.plan, OLD, stage.nodes[0].address))

    def pass_by(self, *, purge_is_awaited: bool) -> None:
        """Every occasion. Tokens of a wrong clock are in time from 27 hours on until 50; a right one's for a day."""
        self.present("right again", fresh=True)
        self._move(27 * HOUR, restart=True)
        if purge_is_awaited:
            self._await_purge()
        self.present("27 hours later", fresh=True)
        self._move(RIGHT)
        self.present("set back by 27 hours", fresh=not self._is_sqlite)
        if purge_is_awaited:
            self._move(50 * HOUR)
            self.present("50 hours later", fresh=not self._is_sqlite)
            self._move(53 * HOUR, restart=True)
            self._await_purge()
            self.present("53 hours later", fresh=True)
        self._move(27 * HOUR)
        self.present("at 27 hours again", fresh=not self._is_sqlite)

    def take_marks_away(self) -> None:
        """What revoked tokens would be worth without them: so much that the occasions before prove something."""
        take_marks_away(load_settings(self._stage.plan.environment), self._stage.plan.data)
        for hours in (0, 27):
            self._move(hours * HOUR)
            self.present(f"{CONTROL}, at {hours} hours", fresh=False)

    def present(self, when: str, *, fresh: bool) -> None:
        plan = self._stage.plan
        log = Log(plan.log(f"{FRESH}{when}"))
        if fresh:
            for probe in self._probes:
                log.write(probe.await_token())
        shown = []
        for number, node in enumerate(self._stage.nodes):
            shown.append(self._stage.fork(partial(ask_door, plan, when, f"door of node {number}", node.address)))
            shown.append(self._stage.fork(partial(verify_anew, plan, when, f"new verifier {number}", node.address)))
        self._occasions.write(Occasion(time.monotonic_ns(), when))
        for process in shown:
            process.join()
            assert process.exitcode == 0, f"presenting failed, {when}"
        while not any(isinstance(event, Occasion) and event.when == when for event in events(plan.log(OLD))):
            time.sleep(_LOOK_SECONDS / 10)

    def _move(self, to: timedelta, *, restart: bool = False) -> None:
        """All clocks at once. A node on SQLite believes a jump only once it has stood, or at its next start."""
        if restart and self._is_sqlite:
            for node in self._stage.nodes:
                node.stop()
        self._now, self._furthest = to, max(to, self._furthest)
        self._steady.set(self._furthest)
        for clock in self._clocks:
            clock.set(to)
        if restart and self._is_sqlite:
            for node in self._stage.nodes:
                node.start()

    def _await_purge(self) -> None:
        """By the servers themselves, which wait for a minute after their start."""
        settings, data = load_settings(self._stage.plan.environment), self._stage.plan.data
        end = time.monotonic() + _PURGED_WITHIN_SECONDS
        now = SystemClock().micros() + self._now // timedelta(microseconds=1)
        while count_overdue(settings, data, now) > 0:
            assert time.monotonic() < end, "nobody purges"
            time.sleep(_LOOK_SECONDS)
