"""Who meets whom in a run: starts every contender that this machine can, and says what of each is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks import postgres
from benchmarks.chat_workloads import FIRST_PAGE, LIST_THREADS, SEND
from benchmarks.chats import ChatPlan
from benchmarks.contenders import Contender, watchword
from benchmarks.machine import Cores
from benchmarks.peers import environments
from benchmarks.peers.moto_cognito import PASSWORD_SIGN_IN, moto_cognito
from benchmarks.peers.naive import naive
from benchmarks.peers.oidc_provider import CLIENT_CREDENTIALS, oidc_provider
from benchmarks.plan import Plan
from benchmarks.rounds import Measurement
from benchmarks.workloads import CREATE, CREATE_WITH_TOKEN, ISSUE, MIXED, REVOKE, Workload

LEVELS = (1, 4, 32, 256)
COMPARED = 32
"""Ratios between contenders are those with so many connections."""


@dataclass(slots=True)
class Lineup:
    """Everybody who runs; `main` is Watchword as by default. `missing` names who could not run, and why."""

    contenders: dict[str, Contender] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)

    @property
    def main(self) -> Contender:
        return self.contenders["SQLite"]


@contextmanager
def started_lineup(folder: Path, plan: Plan, cores: Cores) -> Iterator[Lineup]:
    """All of them idle but the one that is measured."""
    with ExitStack() as running:
        lineup = _Starter(folder, plan, cores, running).start()
        yield lineup


class _Starter:
    def __init__(self, folder: Path, plan: Plan, cores: Cores, running: ExitStack) -> None:
        self._folder = folder
        self._plan = plan
        self._core = cores.server
        self._running = running
        self._lineup = Lineup()

    def start(self) -> Lineup:
        quick = self._plan.quick
        every = (COMPARED,) if quick else LEVELS
        self._watchword("SQLite", "ES256")
        self._measure("SQLite", ISSUE, (4, COMPARED) if quick else LEVELS)
        self._measure("SQLite", CREATE, every)
        for workload in (REVOKE,) if quick else (CREATE_WITH_TOKEN, REVOKE, MIXED):
            self._measure("SQLite", workload)
        self._watchword("chat SQLite", "ES256", chat=ChatPlan())
        self._chat("chat SQLite")
        if not quick:
            self._watchword("RS256", "RS256")
            self._measure("RS256", ISSUE)
            self._watchword("EdDSA", "EdDSA")
            self._measure("EdDSA", ISSUE)
            self._watchword("TLS", "ES256", tls=True)
            self._measure("TLS", ISSUE, LEVELS)
        self._on_postgres(every)
        self._peers(every)
        return self._lineup

    def _on_postgres(self, levels: tuple[int, ...]) -> None:
        if not postgres.is_installed():
            self._lineup.missing.append(("Watchword on PostgreSQL", "PostgreSQL is not installed"))
            return
        cluster = self._running.enter_context(postgres.cluster(self._place("cluster"), core=self._core))
        self._watchword("PostgreSQL", "ES256", cluster=cluster)
        self._measure("PostgreSQL", ISSUE, levels)
        self._measure("PostgreSQL", CREATE, levels)
        for workload in () if self._plan.quick else (CREATE_WITH_TOKEN, REVOKE, MIXED):
            self._measure("PostgreSQL", workload)
        if self._plan.quick:
            return
        # A cluster of its own, since a database holds one installation.
        place = self._place("chat-cluster")
        cluster = self._running.enter_context(postgres.cluster(place, core=self._core))
        self._watchword("chat PostgreSQL", "ES256", cluster=cluster, chat=ChatPlan())
        self._chat("chat PostgreSQL")

    def _chat(self, name: str) -> None:
        for workload in (SEND, FIRST_PAGE, LIST_THREADS):
            self._measure(name, workload)

    def _peers(self, levels: tuple[int, ...]) -> None:
        not_installed = "not installed: `make bench-peers` says why"
        if environments.python_is_ready():
            self._start("naive", partial(naive, identities=self._plan.identities, core=self._core))
            self._measure("naive", ISSUE, levels)
            self._measure("naive", CREATE, levels)
            for workload in () if self._plan.quick else (CREATE_WITH_TOKEN, REVOKE, MIXED):
                self._measure("naive", workload)
            if not self._plan.quick:
                self._start("moto", partial(moto_cognito, core=self._core))
                self._measure("moto", PASSWORD_SIGN_IN, levels)
        else:
            self._lineup.missing += [("FastAPI, PyJWT, SQLAlchemy", not_installed), ("moto Cognito", not_installed)]
        if environments.node_is_ready():
            self._start("oidc-provider", partial(oidc_provider, algorithm="ES256", core=self._core))
            self._measure("oidc-provider", CLIENT_CREDENTIALS, levels)
            if not self._plan.quick:
                self._start("oidc-provider RS256", partial(oidc_provider, algorithm="RS256", core=self._core))
                self._measure("oidc-provider RS256", CLIENT_CREDENTIALS)
        else:
            self._lineup.missing.append(("oidc-provider", not_installed))

    def _watchword(
        self,
        name: str,
        algorithm: str,
        *,
        tls: bool = False,
        cluster: postgres.Cluster | None = None,
        chat: ChatPlan | None = None,
    ) -> None:
        start = partial(
            watchword,
            algorithm=algorithm,
            identities=self._plan.identities,
            core=self._core,
            tls=tls,
            cluster=cluster,
            chat=chat,
        )
        self._start(name, start)

    def _start(self, name: str, start: Callable[[Path], AbstractContextManager[Contender]]) -> None:
        self._lineup.contenders[name] = self._running.enter_context(start(self._place(name)))

    def _measure(self, name: str, workload: Workload, levels: tuple[int, ...] = (COMPARED,)) -> None:
        contender = self._lineup.contenders[name]
        self._lineup.measurements += [Measurement(contender, workload, connections) for connections in levels]

    def _place(self, name: str) -> Path:
        place = self._folder / name.replace(" ", "-")
        place.mkdir(mode=0o711)
        return place
