"""Two nodes of the released program on one PostgreSQL become two of this one under load, and nobody notices."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.history.nodes import Node
from tests.support.balanced import Load, load_on
from tests.support.commands import Home, run
from tests.support.postgres import Cluster
from tests.support.releases import BEFORE, Reached, environment_of
from tests.support.signed import SignedClient
from tests.support.standing import is_live
from watchword.server.installation import read_access_keys
from watchword.settings import load_settings
from watchword.storage.schema import schema_files

NEWEST = schema_files("postgres_schema")[-1].version
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CALLERS = 4
TURNS = 5
SECONDS_OF_A_LONG_PHASE = 60.0
MOST_ASKED_AT_THE_END = 2_000


class Upgrade:
    """Two nodes, in the hands of an operator."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self._folder = folder
        self._cluster = cluster
        self._here = {"WATCHWORD_DATABASE": cluster.fresh(), "WATCHWORD_ENCRYPTION_KEY": KEY}
        there = self._here | environment_of(BEFORE, folder / "program")
        self.nodes = [Node(folder / str(number), there) for number in range(2)]

    @property
    def version(self) -> int:
        [(version,)] = self._cluster.execute("select version from schema_version", self._here["WATCHWORD_DATABASE"])
        return int(version)

    def replace(self, number: int) -> None:
        """By one of this program at the same address; also one that is of this program already."""
        self.nodes[number].stop()
        new = Node(self._folder / str(number), self._here)
        new.address = self.nodes[number].address
        new.start()
        self.nodes[number] = new

    def migrate(self) -> None:
        done = run(Home(self._folder, in_process=False), "migrate", "apply", environment=self._here)
        assert done.returncode == 0, done
        assert f"applied {schema_files('postgres_schema')[-1].name}" in done.stderr

    def keys(self) -> tuple[bytes, bytes]:
        primary, secondary = read_access_keys(load_settings(self._here), self._folder)
        return primary.secret, secondary.secret


@pytest.fixture
def upgrade(tmp_path: Path, cluster: Cluster) -> Iterator[Upgrade]:
    made = Upgrade(tmp_path, cluster)
    with ExitStack() as stack:
        for number in range(2):
            stack.callback(lambda number=number: made.nodes[number].stop())  # type: ignore[misc]
            made.nodes[number].start()
        yield made


def roll(upgrade: Upgrade, load: Load, seconds: float) -> None:
    load.go_on(TURNS, seconds)
    for number in range(2):
        upgrade.replace(number)
        load.go_on(TURNS, seconds)
    assert upgrade.version == NEWEST - 1
    upgrade.migrate()
    assert upgrade.version == NEWEST
    load.go_on(TURNS, seconds)
    for number in range(2):
        upgrade.replace(number)
        load.go_on(TURNS, seconds)


def require_all_of_it(upgrade: Upgrade, load: Load) -> None:
    created, live, dead = (load.all_of(what) for what in ("created", "live", "dead"))
    print(f"\n{len(created)} identities, {len(live)} live and {len(dead)} dead tokens; sent on: {dict(load.moves)}")
    for node in upgrade.nodes:
        with SignedClient(Reached(node.address[1], upgrade.keys())) as client:
            listed, target = set[str](), "/identities?maxPageSize=1000"
            while target:
                page = client.call("GET", target).json
                listed |= {row["id"] for row in page["value"]}
                target = page.get("nextLink", "").partition(client.host)[2]
            assert created <= listed
            assert [token for token in some_of(live) if not is_live(client, token)] == []
            assert [token for token in some_of(dead) if is_live(client, token)] == []


def some_of(tokens: set[str]) -> list[str]:
    """A part of the long form; the callers themselves have asked for all of them, over and over."""
    return random.sample(sorted(tokens), min(len(tokens), MOST_ASKED_AT_THE_END))


@pytest.mark.parametrize(
    ("seconds", "pause_seconds"),
    [
        # In the suite the machine has to start six nodes meanwhile.
        pytest.param(0.0, 0.05, id="short"),
        pytest.param(SECONDS_OF_A_LONG_PHASE, 0.0, id="long", marks=pytest.mark.soak),
    ],
)
def test_nodes_are_replaced_and_the_schema_changes_under_load(
    upgrade: Upgrade, seconds: float, pause_seconds: float
) -> None:
    addresses = [node.address for node in upgrade.nodes]
    with load_on(addresses, upgrade.keys()[0], CALLERS, pause_seconds) as load:
        roll(upgrade, load, seconds)
    assert load.wrong == []
    assert set(load.moves) <= {
        "ConnectionRefusedError",
        "ConnectionResetError",
        "RemoteDisconnected",
        "BrokenPipeError",
        "503",
    }
    require_all_of_it(upgrade, load)
