"""A database that the released program made, with all that can be in it, under this program: before, through and after
its migration everything in it still stands.
"""

from __future__ import annotations

import json
import signal
import sqlite3
from base64 import b64decode
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace

import pytest

from tests.management.support import Manager
from tests.support.commands import Home, Server, answer, refusal, run, server
from tests.support.engines import ENGINES
from tests.support.postgres import Cluster
from tests.support.releases import BEFORE, Reached, environment_of, name_of
from tests.support.signed import PREVIEW, SignedClient
from tests.support.standing import is_live, why_dead
from watchword.storage.migrations import read_version
from watchword.storage.opening import DATABASE_FILE
from watchword.storage.schema import schema_files

NEWEST = schema_files()[-1].version
OLD = NEWEST - 1
DUE = "`watchword migrate apply` is due, once every server runs this release"


@dataclass
class Made:
    """What the released program was asked for."""

    keys: tuple[bytes, bytes] = (b"", b"")
    second_key: bytes = b""
    identities: list[str] = field(default_factory=list)
    live: list[str] = field(default_factory=list)
    dead: dict[str, str | None] = field(default_factory=dict)
    """Tokens, and why the released program itself refused them."""

    second: str = ""
    """A token of the second resource."""


@dataclass
class Released:
    """The database, where it is, and the environment in which `watchword` is the released program."""

    home: Home
    here: Mapping[str, str]
    there: Mapping[str, str]
    made: Made
    cluster: Cluster | None

    @property
    def version(self) -> int:
        if self.cluster:
            [(version,)] = self.cluster.execute("select version from schema_version", self.here["WATCHWORD_DATABASE"])
            return int(version)
        with closing(sqlite3.connect(self.home.server_data / DATABASE_FILE)) as connection:
            return read_version(connection)

    @contextmanager
    def served(self) -> Iterator[Server]:
        """By this program."""
        with server(self.home, "serve", "--no-tls", "--no-request-log", environment=self.here) as running:
            yield running


@pytest.fixture(scope="module", params=ENGINES)
def released(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Released:
    cluster: Cluster | None = request.getfixturevalue("cluster") if request.param == "postgres" else None
    home = Home(tmp_path_factory.mktemp("released"))
    here = {"WATCHWORD_DATABASE": cluster.fresh()} if cluster else {}
    there = here | environment_of(BEFORE, home.folder / "program")
    made = Made()
    with server(home, "serve", "--no-tls", "--no-request-log", environment=there) as running:
        assert f"{name_of(BEFORE).capitalize()} (serve)" in running.start_up
        apart = replace(home, in_process=False)
        keys = json.loads(answer(apart, "resource", "keys", "--json", environment=there))
        made.keys = (b64decode(keys["primary"]), b64decode(keys["secondary"]))
        operator = answer(apart, "operator", "create", "--name", "upgrade", environment=there).strip()
        with SignedClient(Reached(running.port, made.keys)) as client:
            fill(made, client)
            manager = Manager.of_process(running.endpoint, operator)
            made.second_key = b64decode(manager.create("group", "second")["primaryKey"])
        with SignedClient(Reached(running.port, (made.second_key, b""))) as client:
            made.second = client.new_token(client.new_identity())
    return Released(home, here, there, made, cluster)


def fill(made: Made, client: SignedClient) -> None:
    """Tokens of every fate that a caller can bring about."""
    made.identities = [client.new_identity() for _ in range(3)]
    made.identities.append(client.create({"customId": "ada"}, PREVIEW).json["identity"]["id"])
    revoked, deleted = made.identities[0], client.new_identity()
    doomed = [client.new_token(revoked), client.new_token(deleted), client.new_token(made.identities[1])]
    assert (client.revoke(revoked).status, client.delete(deleted).status) == (204, 204)
    assert client.call("POST", "/revoke", f"token={doomed[2]}".encode()).status == 200
    made.live = [client.new_token(identity) for identity in made.identities]
    assert [token for token in made.live if not is_live(client, token)] == []
    made.dead = {token: why_dead(client, token) for token in doomed}
    assert None not in made.dead.values()


def require_all_of_it(made: Made, running: Server) -> None:
    with SignedClient(Reached(running.port, made.keys)) as client:
        assert [token for token in made.live if not is_live(client, token)] == []
        assert {token: why_dead(client, token) for token in made.dead} == made.dead
        assert client.listed()[: len(made.identities)] == made.identities
        assert client.listed("?customId=ada") == [made.identities[-1]]
        fresh = client.new_token(made.identities[0])
        assert is_live(client, fresh)
        assert client.revoke(made.identities[0]).status == 204
        assert not is_live(client, fresh)
        made.live = [client.new_token(identity) for identity in made.identities]
        made.dead[fresh] = why_dead(client, fresh)
    with SignedClient(Reached(running.port, (made.second_key, b""))) as client:
        assert is_live(client, made.second)
        assert not is_live(client, made.live[1])


def test_everything_in_a_released_database_stands_before_and_after_its_migration(released: Released) -> None:
    home, here = released.home, released.here
    planned = json.loads(answer(home, "migrate", "plan", "--json", environment=here))
    assert (planned["version"], planned["newest"], len(planned["steps"])) == (OLD, NEWEST, 1)
    assert {row["name"] for row in json.loads(answer(home, "resource", "list", "--json", environment=here))} == {
        "watchword",
        "second",
    }
    told = run(home, "doctor", "--port", "0", "--no-tls", environment=here)
    assert told.returncode == 0, told.stdout
    if released.cluster:
        assert f"warning schema: It has version {OLD} of {NEWEST}: {DUE}" in told.stdout
    else:
        assert f"ok      schema: The next start brings it from version {OLD} to {NEWEST}" in told.stdout
    assert released.version == OLD
    with released.served() as running:
        require_all_of_it(released.made, running)
        if released.cluster:
            assert running.fact("schema") == f"version {OLD} of {NEWEST}: {DUE}"
            assert released.version == OLD
        else:
            assert running.fact("schema").startswith(f"version {NEWEST}, migrated from {OLD}; {home.server_data}")
        apply = ("migrate", "apply")
        with ThreadPoolExecutor(3) as threads:
            apart = replace(home, in_process=False)
            done = list(threads.map(lambda _: run(apart, *apply, environment=here), range(3)))
        assert [each.returncode for each in done] == [0, 0, 0], done
        assert all(f"has schema version {NEWEST}: " in each.stderr for each in done)
        assert sum(f"applied {planned['steps'][0]['file']}" in each.stderr for each in done) == bool(released.cluster)
        assert released.version == NEWEST
        require_all_of_it(released.made, running)
        _, log = running.stop(signal.SIGTERM)
    warned = [line for line in log if '"level":"WARNING"' in line and f"version {OLD} of {NEWEST}: {DUE}" in line]
    assert bool(warned) == bool(released.cluster)
    with released.served() as running:
        assert "schema" not in running.start_up
        require_all_of_it(released.made, running)
    assert "there was nothing to do" in run(home, *apply, environment=here).stderr
    refused = refusal(home, "serve", "--port", "0", "--no-tls", environment=released.there)
    assert f"The database has schema version {NEWEST}; this program knows versions up to {OLD}." in refused
    if not released.cluster:
        require_way_back(released)


def require_way_back(released: Released) -> None:
    """As docs/howto/upgrade.md tells it."""
    data = released.home.server_data
    [backup] = data.glob(f"{DATABASE_FILE}.before-{NEWEST}.*")
    for path in (DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm"):
        (data / path).unlink(missing_ok=True)
    backup.rename(data / DATABASE_FILE)
    with closing(sqlite3.connect(data / DATABASE_FILE)) as connection:
        connection.execute("update feed set epoch = lower(hex(randomblob(8)))")
        connection.commit()
    with (
        server(released.home, "serve", "--no-tls", "--no-request-log", environment=released.there) as running,
        SignedClient(Reached(running.port, released.made.keys)) as client,
    ):
        assert client.listed("?customId=ada") == [released.made.identities[-1]]
        assert is_live(client, client.new_token(released.made.identities[0]))
