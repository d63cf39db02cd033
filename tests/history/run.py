"""One history: everybody is started, outages are inflicted, everybody is ended; what happened is in the logs.

Run as `python -m tests.history.run FOLDER ROUNDS SEED [BUG ...] ["several nodes"] ["a clock a day off"]`. It has a
process of its own because it forks, which a program with threads must not do. `a` and `b` are verifiers as they are;
each bug adds one that has it. So it is with rooms of chat.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ctypes
import multiprocessing
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import MappingProxyType

from tests.history import callers, chatters, listeners, loiterers, operators, proxy, vandals, verifiers
from tests.history.events import Dated, Log, Pulse, events
from tests.history.nodes import Node
from tests.history.outages import Attached, Outages
from tests.history.plan import BUGS, ROOM_BUGS, Bug, Plan, RoomBug
from tests.history.wrong_clocks import Probe, WrongClocks
from tests.support.faked_clock import FakedClock
from tests.support.nginx import free_port
from tests.support.polling import until
from tests.support.postgres import Cluster, cluster
from watchword.clock import SystemClock
from watchword.keyring.encryption import open_encryption
from watchword.resources.access_keys import open_access_keys
from watchword.resources.store import list_resources
from watchword.resources.verifier_credentials import create_verifier_credential
from watchword.settings import Settings, load_settings
from watchword.storage import Transaction
from watchword.storage.opening import open_database

HEALTHY = ("a", "b")
SEVERAL = "several nodes"
"""In place of a bug: three nodes on one PostgreSQL, in place of one on SQLite; all of them are two processes."""

A_DAY_OFF = "a clock a day off"
"""Besides, of several nodes: the clock of one of them jumps by a day, and back, once in each round."""

NODES = 3
WORKERS = 2

_ELSEWHERE = "elsewhere"
_PULSE_SECONDS = 0.005
_REVOKERS = 2
_SECONDS_WITHOUT_OPERATOR = 1.0
_PR_SET_PDEATHSIG = 1

_processes = multiprocessing.get_context("fork")


@dataclass
class Stage:
    """Everybody, started. `callers` are those who write and ask, the operator first; `chatters` those who chat, or see
    that somebody does not hear it any more.
    """

    plan: Plan
    nodes: list[Node]
    attached: list[Attached]
    callers: list[BaseProcess]
    chatters: list[BaseProcess]
    listeners: list[BaseProcess]
    log: Log
    fork: Callable[[Callable[[], None]], BaseProcess]

    def end_writing(self) -> None:
        """What is there then is listed."""
        # Else a whole resource that is revoked last would leave no token that lives.
        self.callers[0].kill()
        time.sleep(_SECONDS_WITHOUT_OPERATOR)
        callers.list_all(self.plan)
        for chatter in self.chatters:
            chatter.kill()
        listeners.await_farewell(self.plan, chatters.take_leave(self.plan))
        for listener in self.listeners:
            listener.kill()
        chatters.write_down(self.plan)
        # First of all, so that none judges while the others are taken away: that would be an outage that nobody logged.
        for each in self.attached:
            each.process.kill()
        for caller in self.callers:
            caller.kill()


@contextlib.contextmanager
def staged(
    folder: Path,
    nodes: list[Node],
    verifiers_with: dict[str, Bug],
    seed: int,
    environment: Mapping[str, str] = MappingProxyType({}),
    prepare: Callable[[Settings, Path], None] = lambda settings, data: None,
    rooms_with: Mapping[str, RoomBug] = MappingProxyType(dict.fromkeys(HEALTHY, "")),
) -> Iterator[Stage]:
    """Nodes and whoever calls them, until the block ends; `prepare` is done to the database before anybody calls.

    Verifiers are attached to the nodes in turn. Several nodes stand on one database, which `environment` names.
    """
    random.seed(seed)
    with ExitStack() as stack:
        for node in nodes:
            stack.callback(node.stop)
            node.start()
        addresses = tuple(node.address for node in nodes)
        settings, data = load_settings(environment), nodes[0].data
        prepare(settings, data)
        keys, credential = asyncio.run(_prepare(settings, data))
        clocks = {node.address: node.clock.file for node in nodes if node.clock}
        plan = Plan(folder, addresses, data, keys, credential, verifiers_with, seed, environment, clocks=clocks)
        host, speakers, rooms = chatters.open_rooms(plan, rooms_with)
        plan = replace(plan, host=host, speakers=speakers, rooms=rooms)
        attached = [
            _attach(stack, plan, name, nodes[number % len(nodes)]) for number, name in enumerate(plan.verifiers)
        ]
        for name in plan.verifiers:
            until(partial(_is_following, plan.log(name)), bool)
        _fork(stack, partial(_beat, plan))
        writing = [_fork(stack, partial(operators.operate, plan))]
        writing += [_fork(stack, partial(callers.issue, plan, number)) for number in range(len(plan.keys))]
        writing += [_fork(stack, partial(callers.revoke, plan, number)) for number in range(_REVOKERS)]
        writing.append(_fork(stack, partial(callers.ask_at_the_door, plan)))
        listening = [_fork(stack, partial(listeners.listen, plan, name)) for name in plan.listeners]
        chatting = [_fork(stack, partial(callers.evict, plan))]
        chatting += [_fork(stack, partial(chatters.speak, plan, number)) for number in range(len(speakers))]
        chatting.append(_fork(stack, partial(chatters.host, plan)))
        if any(room.bug for room in rooms):
            chatting.append(_fork(stack, partial(vandals.spoil, plan)))
        log = Log(plan.log("outages"))
        yield Stage(plan, nodes, attached, writing, chatting, listening, log, partial(_fork, stack))


def run(
    folder: Path,
    nodes: list[Node],
    verifiers_with: dict[str, Bug],
    rounds: int,
    seed: int,
    environment: Mapping[str, str] = MappingProxyType({}),
    cluster: Cluster | None = None,
    rooms_with: Mapping[str, RoomBug] = MappingProxyType(dict.fromkeys(HEALTHY, "")),
) -> None:
    """Returns once everybody has ended. `cluster` is the server of several nodes, where that is to suffer too."""
    Log(folder / "dated.log").write(Dated(time.monotonic_ns(), SystemClock().micros()))
    with staged(folder, nodes, verifiers_with, seed, environment, rooms_with=rooms_with) as stage:
        also: list[Callable[[], None]] = []
        staleness = stage.plan.max_staleness.total_seconds()
        outages = Outages(stage.log, nodes, stage.attached, staleness, cluster, also)
        if cluster is not None:
            cluster.execute(f"create database {_ELSEWHERE}")
            stage.fork(partial(loiterers.loiter, cluster.dsn(_ELSEWHERE)))
        if probes := [Probe(stage.plan, node, Log(stage.plan.log("probe"))) for node in nodes if node.clock]:
            also.append(WrongClocks(stage.plan, outages, probes, None).jump_a_day)
        outages.inflict(rounds)
        stage.end_writing()


def _attach(stack: ExitStack, plan: Plan, name: str, node: Node) -> Attached:
    port = free_port()

    def lay() -> BaseProcess:
        wire = _fork(stack, partial(proxy.forward, port, node.address))
        until(lambda: _accepts(port), bool)
        return wire

    wire = lay()
    verifier = _fork(stack, partial(verifiers.verify, plan, name, f"http://localhost:{port}"))
    return Attached(name, verifier, wire, node, lay)


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("localhost", port), 1).close()
        return True
    return False


def _fork(stack: ExitStack, work: Callable[[], None]) -> BaseProcess:
    process = _processes.Process(target=_end_with_parent, args=(work,), daemon=True)
    process.start()

    def end() -> None:
        process.kill()
        process.join()

    stack.callback(end)
    return process


def _is_following(log: Path) -> bool:
    """The first page takes as long as everybody's start; with the second one a verifier is in its rhythm."""
    return sum(1 for _ in events(log)) > 1


def _end_with_parent(work: Callable[[], None]) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    work()


def _beat(plan: Plan) -> None:
    log = Log(plan.log("pulse"))
    while True:
        due = time.monotonic_ns() + round(_PULSE_SECONDS * 1e9)
        time.sleep(_PULSE_SECONDS)
        log.write(Pulse(due, time.monotonic_ns()))


async def _prepare(settings: Settings, data: Path) -> tuple[tuple[bytes, bytes], str]:
    encryption = open_encryption(settings, data)

    async def prepare(transaction: Transaction) -> tuple[tuple[bytes, bytes], str]:
        [resource] = await list_resources(transaction)
        primary, secondary = await open_access_keys(transaction, resource, encryption)
        credential = await create_verifier_credential(transaction, resource, SystemClock().micros())
        return (primary.secret, secondary.secret), credential

    database = await open_database(settings, data)
    try:
        return await database.transact(prepare)
    finally:
        await database.close()


def main() -> None:
    # Ended from outside, it still ends whom it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder, rounds, seed, *planted = sys.argv[1:]
    unknown = set(planted) - set(BUGS) - set(ROOM_BUGS) - {SEVERAL, A_DAY_OFF}
    if unknown:
        sys.exit(f"no such bug: {', '.join(unknown)}; there are: {', '.join((*BUGS, *ROOM_BUGS))}")
    with_bugs: dict[str, Bug] = {bug: bug for bug in BUGS if bug in planted}
    without: dict[str, Bug] = dict.fromkeys(HEALTHY, "")
    rooms_with: dict[str, RoomBug] = dict.fromkeys(HEALTHY, "")
    rooms_with |= {bug: bug for bug in ROOM_BUGS if bug in planted}
    if SEVERAL in planted:
        run_several(Path(folder), without | with_bugs, int(rounds), int(seed), a_day_off=A_DAY_OFF in planted)
        return
    named = os.environ.get("WATCHWORD_DATABASE", "")
    environment = {"WATCHWORD_DATABASE": named} if named else {}
    nodes = [Node(Path(folder), environment, workers=WORKERS)]
    run(Path(folder), nodes, without | with_bugs, int(rounds), int(seed), environment, rooms_with=rooms_with)


def run_several(
    folder: Path, verifiers_with: dict[str, Bug], rounds: int, seed: int, *, a_day_off: bool = False
) -> None:
    """Three nodes of two workers each, on one PostgreSQL that suffers as well."""
    with cluster() as database:
        environment = environment_of_several(database)
        clocks = [FakedClock(folder / "clock") if a_day_off and not number else None for number in range(NODES)]
        nodes = [
            Node(folder / f"node-{number}", environment, workers=WORKERS, clock=clock)
            for number, clock in enumerate(clocks)
        ]
        run(folder, nodes, verifiers_with, rounds, seed, environment, database)


def environment_of_several(database: Cluster) -> dict[str, str]:
    return {
        "WATCHWORD_DATABASE": database.fresh(),
        "WATCHWORD_ENCRYPTION_KEY": base64.b64encode(random.randbytes(32)).decode(),
        "WATCHWORD_DATABASE_TIMEOUT": "1",
    }


if __name__ == "__main__":
    main()
