"""Everything that is done to a run: nodes killed and stopped, verifiers stopped, their wires cut and jammed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

from tests.history.events import Log, Outage
from tests.history.nodes import Node
from tests.support.postgres import Cluster

_CALM_SECONDS = (0.9, 1.8)


@dataclass
class Attached:
    """A verifier, the wire that it is attached by, and the node at the other end; the wire can be laid anew."""

    name: str
    process: BaseProcess
    wire: BaseProcess
    node: Node
    lay: Callable[[], BaseProcess]


class Outages:
    """One at a time, with calm in between; each round inflicts one of every kind, and of what is `also` given."""

    def __init__(
        self,
        log: Log,
        nodes: list[Node],
        attached: list[Attached],
        max_staleness_seconds: float,
        cluster: Cluster | None = None,
        also: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._log = log
        self._also = also
        self._cluster = cluster
        self._nodes = nodes
        self._attached = attached
        # Of long ones sets grow stale, of short ones they must not.
        self._long, self._short = 1.6 * max_staleness_seconds, 0.4 * max_staleness_seconds

    def inflict(self, rounds: int) -> None:
        kinds = [self._kill_node, self._stop_node, self._stop_verifier, self._cut_wires, self._jam_wires]
        if self._cluster is not None:
            kinds += [self._kill_database, self._restart_database]
        kinds += self._also
        for _ in range(rounds):
            random.shuffle(kinds)
            for kind in kinds:
                time.sleep(random.uniform(*_CALM_SECONDS))
                kind()
        time.sleep(_CALM_SECONDS[1])

    def _kill_node(self) -> None:
        node = random.choice(self._nodes)
        with self.restarting(node):
            node.kill()
            node.start()

    @contextmanager
    def restarting(self, node: Node) -> Iterator[None]:
        """What is done to a node within the block, and ends with its start."""
        with self._logged("node killed", self._behind(node)):
            yield

    def _stop_node(self) -> None:
        node = random.choice(self._nodes)
        with self._logged("node stopped", self._behind(node)):
            node.pause()
            time.sleep(self._short)
            node.resume()

    def _kill_database(self) -> None:
        assert self._cluster is not None
        with self._logged("database killed", self._attached):
            self._cluster.kill()
            time.sleep(random.choice((0.0, self._short)))
            self._cluster.start()

    def _restart_database(self) -> None:
        assert self._cluster is not None
        with self._logged("database restarted", self._attached):
            self._cluster.stop()
            self._cluster.start()

    def _stop_verifier(self) -> None:
        one = random.choice(self._attached)
        with self._logged("verifier stopped", [one]), _stopped([one.process]):
            time.sleep(random.choice((self._short, self._long)))

    def _jam_wires(self) -> None:
        some = self._some()
        with self._logged("wires jammed", some), _stopped([each.wire for each in some]):
            time.sleep(self._long)

    def _cut_wires(self) -> None:
        some = self._some()
        with self._logged("wires cut", some):
            for each in some:
                each.wire.kill()
                each.wire.join()
            time.sleep(random.choice((0.0, self._short)))
            for each in some:
                each.wire = each.lay()

    def _some(self) -> list[Attached]:
        """About half of the verifiers; the others go on."""
        return random.sample(self._attached, (len(self._attached) + 1) // 2)

    def _behind(self, node: Node) -> list[Attached]:
        return [each for each in self._attached if each.node is node]

    @contextmanager
    def _logged(self, what: str, cut_off: list[Attached]) -> Iterator[None]:
        began = time.monotonic_ns()
        yield
        self._log.write(Outage(began, time.monotonic_ns(), what, [each.name for each in cut_off]))


@contextmanager
def _stopped(processes: list[BaseProcess]) -> Iterator[None]:
    for process in processes:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGCONT)
