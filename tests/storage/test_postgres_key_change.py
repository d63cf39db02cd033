"""Two nodes on one PostgreSQL while their encryption key changes: nobody is refused, and no node is left to guess."""

import base64
import itertools
import logging
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from tests.management.support import Manager, resource_path
from tests.support.commands import Home, answer
from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.postgres import Cluster
from tests.support.signed import SignedClient
from watchword.errors import OperatorError
from watchword.keyring.encryption import KEY_FILE
from watchword.keyring.key_files import next_of
from watchword.settings import Settings
from watchword.testing import RunningServer, running_server

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
GROUP, NAME = "changing", "other"


class Fleet:
    """Two nodes behind what a load balancer does: it asks one that runs, and leaves alone one that stops."""

    def __init__(self, settings: Settings) -> None:
        self._stacks = [ExitStack(), ExitStack()]
        self._turn = itertools.count()
        self._guard = threading.Condition()
        self._busy = [0, 0]
        self.nodes: list[RunningServer | None] = [None, None]
        for number in (0, 1):
            self.start(number, settings)
        assert self.nodes[0] is not None
        self.operator_token = self.nodes[0].operator_token

    def start(self, number: int, settings: Settings) -> None:
        self.nodes[number] = self._stacks[number].enter_context(running_server(settings))

    def stop(self, number: int) -> None:
        with self._guard:
            self.nodes[number] = None
            assert self._guard.wait_for(lambda: not self._busy[number], timeout=30)
        self._stacks[number].close()

    def ask(self, work: Callable[[RunningServer], None]) -> None:
        """On one node, then on the other, in turn."""
        with self._guard:
            number = next(self._turn) % 2
            number = number if self.nodes[number] is not None else 1 - number
            node = self.nodes[number]
            assert node is not None
            self._busy[number] += 1
        try:
            work(node)
        finally:
            with self._guard:
                self._busy[number] -= 1
                self._guard.notify_all()

    def close(self) -> None:
        for stack in self._stacks:
            stack.close()


class Load:
    """Everything that reads or writes a secret, over and over: statuses by kind, none of which may be a refusal."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._stopping = threading.Event()
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(work,)) for work in (self._use, self._manage)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=30)
            assert not thread.is_alive()

    def goes_on(self) -> None:
        """Until each kind has been answered some more times."""
        before = Counter(self.statuses)
        kinds = ("issue", "use regenerated")

        def is_enough(new: Counter[tuple[str, int]]) -> bool:
            return bool(self.failures) or all(new[kind, 200] >= 4 for kind in kinds)

        until(lambda: self.statuses - before, is_enough)
        assert not self.failures, self.failures

    def _run(self, work: Callable[[RunningServer], None]) -> None:
        try:
            while not self._stopping.is_set():
                self._fleet.ask(work)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits.
            self.failures.append(error)

    def _use(self, node: RunningServer) -> None:
        with SignedClient(node) as client:
            created = client.create()
            self.statuses["create", created.status] += 1
            issued = client.issue(created.json["identity"]["id"])
            self.statuses["issue", issued.status] += 1

    def _manage(self, node: RunningServer) -> None:
        manager = Manager.of_process(node.endpoint, self._fleet.operator_token)
        path = resource_path(GROUP, NAME)
        made = manager.call("POST", f"{path}/regenerateKey", {"keyType": "Secondary"})
        self.statuses["regenerate", made.status_code] += 1
        key = base64.b64decode(made.json()["secondaryKey"])
        listed = manager.call("POST", f"{path}/listKeys")
        self.statuses["list", listed.status_code] += 1
        self._fleet.ask(lambda other: self._use_regenerated(other, key))

    def _use_regenerated(self, node: RunningServer, key: bytes) -> None:
        with SignedClient(node) as client:
            reply = client.call("GET", "/identities?api-version=2025-03-02-preview", key=key)
            self.statuses["use regenerated", reply.status] += 1


@pytest.fixture
def settings(cluster: Cluster) -> Settings:
    return replace(FreshSettings(cluster)(), encryption_key=OLD)


@pytest.fixture
def fleet(settings: Settings) -> Iterator[Fleet]:
    running = Fleet(settings)
    yield running
    running.close()


def test_two_nodes_go_through_the_whole_procedure_under_requests(fleet: Fleet, settings: Settings, home: Home) -> None:
    Manager.of_process(fleet.nodes[0].endpoint, fleet.operator_token).create(GROUP, NAME)  # type: ignore[union-attr]
    variables = {
        "WATCHWORD_DATABASE": settings.database,
        "WATCHWORD_ENCRYPTION_KEY": OLD,
        "WATCHWORD_ENCRYPTION_KEY_NEXT": NEW,
    }
    with Load(fleet) as load:

        def restart(settings: Settings) -> None:
            for number in (0, 1):
                fleet.stop(number)
                load.goes_on()
                fleet.start(number, settings)
                load.goes_on()

        restart(replace(settings, encryption_key_next=NEW))
        answer(home, "keys", "rewrap", "--yes", "--data", home.folder, environment=variables)
        load.goes_on()
        # A signing key that is made after the change, too.
        answer(home, "keys", "rotate", "--now", "--data", home.folder, environment=variables)
        load.goes_on()
        restart(replace(settings, encryption_key=NEW))
    assert not load.failures, load.failures
    assert {status for _, status in load.statuses} <= {200, 201}, load.statuses
    with pytest.raises(OperatorError, match="encryption key does not fit"), running_server(settings):
        pass


def test_a_node_without_the_next_key_says_what_to_do_and_answers_503(
    settings: Settings, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    with running_server(settings) as node, SignedClient(node) as client:
        token = client.new_token(client.new_identity())
        variables = {
            "WATCHWORD_DATABASE": settings.database,
            "WATCHWORD_ENCRYPTION_KEY": OLD,
            "WATCHWORD_ENCRYPTION_KEY_NEXT": NEW,
        }
        answer(home, "keys", "rewrap", "--yes", "--data", home.folder, environment=variables)
        with caplog.at_level(logging.ERROR):
            for reply in (client.create(), client.call("POST", "/introspect", f"token={token}".encode())):
                assert reply.status == 503
                assert int(reply.headers["retry-after"]) > 0
                assert reply.error["code"] == "ServiceUnavailable"
            assert _statuses(node) == {"healthz": 200, "readyz": 503, ".well-known/jwks.json": 200}
            refused = Manager(node).create
            with pytest.raises(AssertionError, match="ServiceUnavailable"):
                refused(GROUP, NAME)
    assert "encryption key does not fit the database" in caplog.text
    assert "changed it to, in WATCHWORD_ENCRYPTION_KEY, and restart it" in caplog.text
    assert "Traceback" not in caplog.text
    assert NEW not in caplog.text
    assert OLD not in caplog.text


def test_a_node_with_a_key_file_goes_on_when_the_next_key_is_put_beside_it(
    cluster: Cluster, home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings, here, there = FreshSettings(cluster)(), tmp_path / "here", tmp_path / "there"
    with running_server(settings, data=here) as node, SignedClient(node) as client:
        shutil.copytree(here, there)
        for number in (1, 2):
            coming = next_of(there / KEY_FILE)
            coming.touch(0o600)
            coming.write_text(OLD if number == 1 else NEW)
            if number == 2:
                # The usual way: everywhere first, and then the change.
                shutil.copy(coming, next_of(here / KEY_FILE))
            variables = {"WATCHWORD_DATABASE": settings.database}
            answer(home, "keys", "rewrap", "--yes", "--data", there, environment=variables)
            if number == 1:
                assert client.create().status == 503
                assert str(next_of(here / KEY_FILE)) in caplog.text
                shutil.copy(there / KEY_FILE, here / KEY_FILE)
            assert client.create().status == 201
            assert _statuses(node)["readyz"] == 200


def _statuses(node: RunningServer) -> dict[str, int]:
    paths = ("healthz", "readyz", ".well-known/jwks.json")
    return {path: httpx2.get(f"{node.endpoint}/{path}").status_code for path in paths}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", in_process=False)
