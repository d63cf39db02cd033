"""What is done to the clocks of a run: nodes that start 26 hours ahead, jumps, drift; and all of them right again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from tests.history.callers import issued
from tests.history.events import Created, Issued, Log, WrongClock
from tests.history.nodes import Node
from tests.history.outages import Outages
from tests.history.plan import Plan
from tests.history.service import Service
from tests.support.faked_clock import FakedClock
from tests.support.polling import until

RIGHT = timedelta(0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_MOMENT_SECONDS = (1.0, 2.0)
_DRIFTED_SECONDS = 420
_STEPS_OF_A_DRIFT = 35
_STEP_SECONDS = 0.1


class Probe:
    """Asks one node for tokens of an identity that nobody else knows."""

    def __init__(self, plan: Plan, node: Node, log: Log) -> None:
        self.node = node
        self._service = Service([node.address], plan.keys[0], log, plan.clocks)
        self._log = log
        self._identity = ""

    def issue(self) -> Issued | None:
        """None where it refuses, or does not answer."""
        if not self._identity:
            created = self._service.create()
            if created is None:
                return None
            self._identity = created.json["identity"]["id"]
            self._log.write(Created(time.monotonic_ns(), self._identity))
        began = time.monotonic_ns()
        answer = self._service.issue(self._identity)
        if answer is None:
            return None
        assert answer.status == 200, f"a probe is answered {answer.status}"
        return issued(began, time.monotonic_ns(), self._identity, answer.json["token"])

    def refuses(self) -> bool:
        return self.issue() is None

    def await_token(self) -> Issued:
        token = until(self.issue, bool)
        assert token is not None
        return token


class WrongClocks:
    """One at a time. On SQLite nobody contradicts a node that starts ahead; on PostgreSQL the database does."""

    def __init__(self, plan: Plan, outages: Outages, probes: list[Probe], database: FakedClock | None) -> None:
        self._log = Log(plan.log("wrong-clocks"))
        self._outages = outages
        self._probes = probes
        self._database = database

    def start_ahead(self, meanwhile: Callable[[], None]) -> None:
        probe = random.choice(self._probes)
        ahead = random.uniform(26.0, 27.0) * HOUR
        with self._wrong("a node that started 26 to 27 hours ahead"):
            self._restart(probe.node, ahead)
            self._require_judgement(probe)
            meanwhile()
            if random.random() < 0.5:
                self._set(probe.node, RIGHT)
            else:
                self._restart(probe.node, RIGHT)
            if self._database is None:
                # What it issued is ahead of what it now knows to be the time.
                until(probe.refuses, bool)
                with self._outages.restarting(probe.node):
                    probe.node.stop()
                    probe.node.lower_clock()
                    probe.node.start()
            probe.await_token()

    def start_ahead_for_a_moment(self) -> None:
        self.start_ahead(lambda: time.sleep(random.uniform(*_MOMENT_SECONDS)))

    def jump_ahead(self) -> None:
        self._jump(HOUR, "an hour ahead")

    def jump_back(self) -> None:
        self._jump(-HOUR, "an hour back")

    def jump_a_day(self) -> None:
        self._jump(random.choice((DAY, -DAY)), "a day")

    def drift(self) -> None:
        """Until tokens are refused, then it is set right."""
        probe, sign = random.choice(self._probes), random.choice((1, -1))
        with self._wrong("a node that drifted for seven minutes"):
            for step in range(_STEPS_OF_A_DRIFT):
                self._set(probe.node, timedelta(seconds=sign * _DRIFTED_SECONDS * (step + 1) / _STEPS_OF_A_DRIFT))
                time.sleep(_STEP_SECONDS)
            until(probe.refuses, bool)
            self._set(probe.node, RIGHT)
            probe.await_token()

    def set_database_wrong(self) -> None:
        """All nodes are contradicted."""
        assert self._database is not None
        step = random.choice((26 * HOUR, HOUR, -HOUR))
        with self._wrong("a database whose clock jumped"):
            self._database.set(step)
            for probe in self._probes:
                until(probe.refuses, bool)
            self._database.set(RIGHT)
            for probe in self._probes:
                probe.await_token()

    def _jump(self, step: timedelta, by: str) -> None:
        probe = random.choice(self._probes)
        with self._wrong(f"a node that jumped {by}"):
            self._set(probe.node, step)
            until(probe.refuses, bool)
            time.sleep(random.uniform(*_MOMENT_SECONDS))
            self._set(probe.node, RIGHT)
            probe.await_token()

    def _require_judgement(self, probe: Probe) -> None:
        if self._database is None:
            probe.await_token()
        else:
            until(probe.refuses, bool)

    def _restart(self, node: Node, ahead: timedelta) -> None:
        with self._outages.restarting(node):
            node.kill()
            self._set(node, ahead)
            node.start()

    def _set(self, node: Node, ahead: timedelta) -> None:
        assert node.clock is not None
        node.clock.set(ahead)

    @contextmanager
    def _wrong(self, what: str) -> Iterator[None]:
        began = time.monotonic_ns()
        yield
        self._log.write(WrongClock(began, time.monotonic_ns(), what))
