"""What the release before the last one made comes in by way of the last one, and its users talk."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.commands import Home, Server, answer, server
from tests.support.engines import ENGINES
from tests.support.postgres import Cluster
from tests.support.releases import WHEELS, Reached, environment_of, name_of
from tests.support.signed import SignedClient
from tests.support.standing import is_live, why_dead
from tests.support.talking import Talker

FIRST, BETWEEN = WHEELS[-2:]
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@dataclass
class Made:
    """Two users with a token each, and one whose token is dead."""

    keys: tuple[bytes, bytes]
    users: list[str]
    tokens: list[str]
    dead: str


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of a fresh one."""
    cluster: Cluster | None = request.getfixturevalue("cluster") if request.param == "postgres" else None
    where = {"WATCHWORD_DATABASE": cluster.fresh()} if cluster else {}
    return {"WATCHWORD_ENCRYPTION_KEY": KEY, **where}


@contextmanager
def served(home: Home, environment: Mapping[str, str]) -> Iterator[Server]:
    with server(home, "serve", "--no-tls", "--no-request-log", environment=environment) as running:
        yield running


def made_by(home: Home, environment: Mapping[str, str]) -> Made:
    with served(home, environment) as running:
        told = json.loads(
            answer(replace(home, in_process=False), "resource", "keys", "--json", environment=environment)
        )
        keys = (b64decode(told["primary"]), b64decode(told["secondary"]))
        with SignedClient(Reached(running.port, keys)) as client:
            users = [client.new_identity() for _ in range(3)]
            tokens = [client.new_token(user) for user in users]
            assert client.revoke(users[2]).status == 204
            assert why_dead(client, tokens[2])
    return Made(keys, users[:2], tokens[:2], tokens[2])


def require_that_they_talk(made: Made, running: Server) -> None:
    with SignedClient(Reached(running.port, made.keys)) as client:
        assert [token for token in made.tokens if not is_live(client, token)] == []
        assert not is_live(client, made.dead)
        tokens = [*made.tokens, client.new_token(made.users[0])]
    ada, ben = Talker(running.port, tokens[0]), Talker(running.port, tokens[1])
    thread = ada.new_thread(made.users[1])
    assert ada.send(thread, "hello").status == 201
    assert [each["content"].get("message") for each in ben.messages(thread)][:1] == ["hello"]
    assert Talker(running.port, made.dead).send(thread, "no").status == 401


def test_a_database_comes_in_by_way_of_the_release_between(tmp_path: Path, database: dict[str, str]) -> None:
    home = Home(tmp_path / "home")
    first, between = (database | environment_of(wheel, tmp_path / name_of(wheel)) for wheel in (FIRST, BETWEEN))
    made = made_by(home, first)
    # Each brings the schema up to date, and lives on it.
    for environment in (between, database):
        answer(replace(home, in_process=False), "migrate", "apply", environment=environment)
        with served(home, environment) as running, SignedClient(Reached(running.port, made.keys)) as client:
            assert [token for token in made.tokens if not is_live(client, token)] == []
            assert not is_live(client, made.dead)
    with served(home, database) as running:
        require_that_they_talk(made, running)


def test_an_export_comes_in_by_way_of_the_release_between(tmp_path: Path) -> None:
    homes = [replace(Home(tmp_path / name), in_process=False) for name in ("first", "between", "here")]
    alone = {"WATCHWORD_ENCRYPTION_KEY": KEY}
    first, between = (alone | environment_of(wheel, tmp_path / name_of(wheel)) for wheel in (FIRST, BETWEEN))
    made = made_by(homes[0], first)
    answer(homes[0], "export", tmp_path / "first.export", environment=first)
    answer(homes[1], "import", "--keep-tokens", tmp_path / "first.export", environment=between)
    answer(homes[1], "export", tmp_path / "between.export", environment=between)
    answer(homes[2], "import", "--keep-tokens", tmp_path / "between.export", environment=alone)
    with served(homes[2], alone) as running:
        require_that_they_talk(made, running)
