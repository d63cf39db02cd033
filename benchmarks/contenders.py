"""Who is measured: each contender is started with identities of its own and says whom to ask.

Peers are in `benchmarks/peers/`: each is a function like `watchword` that yields the same `Contender`. What a peer
cannot do is left out of its measurements, and named in the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import chats
from benchmarks.chat_workloads import issue_tokens
from benchmarks.chats import ChatPlan
from benchmarks.identities import insert_into_postgres, insert_into_sqlite
from benchmarks.postgres import Cluster
from benchmarks.processes import Process, python_server, seconds_to_first_answer
from benchmarks.workloads import Target
from tests.support.postgres_programs import free_port
from watchword.server.installation import read_access_keys
from watchword.settings import load_settings


@dataclass(frozen=True, slots=True)
class Contender:
    """A running server, whom its clients ask, and the folder that it keeps its data in.

    `durability` says what an acknowledged write survives, and `omits` what the server does not do that Watchword does.
    Who compiles while it runs is given as many seconds of load before anything counts.
    """

    name: str
    algorithm: str
    durability: str
    process: Process
    target: Target
    data: Path
    omits: str = ""
    tls: bool = False
    dsn: str | None = None
    warm_up_seconds: int = 1


@contextmanager
def watchword(
    folder: Path,
    algorithm: str,
    *,
    identities: int,
    core: int,
    tls: bool = False,
    cluster: Cluster | None = None,
    chat: ChatPlan | None = None,
) -> Iterator[Contender]:
    """The command `watchword serve` with that many identities, on SQLite or that cluster; all else as by default.

    With chats it also has tokens for their users.
    """
    arguments = _arguments(folder, algorithm, tls=tls)
    environment = {"WATCHWORD_DATABASE": cluster.dsn} if cluster else {}
    with python_server("watchword", *arguments, core=core, home=folder, environment=environment):
        primary, _ = read_access_keys(load_settings(environment), folder / "data")
    if cluster:
        ids = insert_into_postgres(cluster.dsn, identities)
        talks = chats.insert_into_postgres(cluster.dsn, ids, chat) if chat else None
    else:
        file = folder / "data" / "watchword.sqlite"
        ids = insert_into_sqlite(file, identities)
        talks = chats.insert_into_sqlite(file, ids, chat) if chat else None
    ready = "" if tls else "/readyz"
    with python_server(
        "watchword", *arguments, core=core, home=folder, ready=ready, environment=environment
    ) as process:
        target = Target(f"localhost:{process.port}", primary.secret, ids, talks)
        if talks:
            issue_tokens(target, process.port)
        yield Contender(
            f"Watchword {algorithm}{' on PostgreSQL' if cluster else ''}{' TLS' if tls else ''}",
            algorithm,
            "PostgreSQL, `fsync` and `synchronous_commit` on" if cluster else "SQLite, WAL, `synchronous=FULL`",
            replace(process, database=cluster.pid if cluster else None),
            target,
            folder / "data",
            tls=tls,
            dsn=cluster.dsn if cluster else None,
        )


def watchword_start_seconds(folder: Path, *, core: int) -> float:
    """From the start of the command until its first answer, on a data folder that is there already."""
    port = free_port()
    arguments = [*_arguments(folder, "ES256", tls=False), "--port", str(port)]
    return seconds_to_first_answer("watchword", arguments, port=port, path="/readyz", core=core, home=folder)


def _arguments(folder: Path, algorithm: str, *, tls: bool) -> list[str]:
    place = ["--data", str(folder / "data"), "--host", "127.0.0.1", "--port", "0"]
    return ["serve", *place, "--signing-algorithm", algorithm, "--tls" if tls else "--no-tls"]
