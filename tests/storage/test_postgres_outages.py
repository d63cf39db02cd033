"""PostgreSQL goes away and comes back, under load: nothing acknowledged is lost, and nobody has to restart anything."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx2
import pytest

from tests.support.polling import until
from tests.support.postgres import PASSWORD, Cluster, cluster
from tests.support.scraping import scrape
from tests.support.signed import PREVIEW, Reply, SignedClient
from tests.support.standing import is_live
from watchword.settings import Settings
from watchword.testing import RunningServer, running_server


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """One that a test may stop."""
    with cluster() as running:
        yield running


@pytest.fixture
def server(own_cluster: Cluster) -> Iterator[RunningServer]:
    settings = Settings(request_log=False, tls=False, database=own_cluster.fresh(), database_timeout=1.0)
    with running_server(settings) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[SignedClient]:
    with SignedClient(server) as signed:
        yield signed


def readiness(server: RunningServer) -> int:
    return httpx2.get(f"{server.endpoint}/readyz").status_code


def is_refusal(reply: Reply) -> bool:
    return reply.status == 503 and reply.headers.get("retry-after", "").isdigit()


@dataclass
class Load:
    """Creates, issues and revokes until it is told to stop; remembers what was acknowledged."""

    server: RunningServer
    created: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    others: list[Reply] = field(default_factory=list)
    refused: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with SignedClient(self.server) as client:
            while not self.stopping.is_set():
                self._turn(client)

    def _turn(self, client: SignedClient) -> None:
        created = client.create(
            {"createTokenWithScopes": ["chat"], "customId": f"{id(self)} {time.monotonic_ns()}"}, PREVIEW
        )
        if created.status != 201:
            self._failed(created)
            return
        identity = created.json["identity"]["id"]
        self.created.append(identity)
        revoked = client.revoke(identity)
        if revoked.status == 204:
            self.dead.append(created.json["accessToken"]["token"])
        else:
            self._failed(revoked)

    def _failed(self, reply: Reply) -> None:
        if is_refusal(reply):
            self.refused += 1
            time.sleep(0.005)
        else:
            self.others.append(reply)


def test_while_the_database_is_away_everybody_is_told_at_once_and_afterwards_all_is_well(
    own_cluster: Cluster, server: RunningServer, client: SignedClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    identity = client.new_identity()
    token = client.new_token(identity)
    assert readiness(server) == 200
    own_cluster.stop()
    try:
        begun = time.monotonic()
        assert all(is_refusal(client.issue(identity)) for _ in range(20))
        assert time.monotonic() - begun < 10
        assert (readiness(server), httpx2.get(f"{server.endpoint}/healthz").status_code) == (503, 200)
    finally:
        own_cluster.start()
    until(lambda: readiness(server), lambda status: status == 200)
    assert is_live(client, token)
    assert client.listed() == [identity]
    told = [record.getMessage() for record in caplog.records if record.name.startswith("watchword.storage")]
    # Once, not once for each request.
    assert sum("out of reach" in each for each in told) == 1
    assert PASSWORD not in caplog.text


def test_metrics_tell_that_the_database_is_away_and_how_long_the_feed_has_been_blind(own_cluster: Cluster) -> None:
    settings = Settings(request_log=False, tls=False, database=own_cluster.fresh(), operator_port=0)
    with running_server(settings) as server, SignedClient(server) as client:
        cursor = client.call("GET", "/revocations").json["cursor"]
        waiting = client.sign("GET", f"/revocations?since={cursor}&wait=30")
        thread = threading.Thread(target=client.send, args=(waiting,))
        thread.start()
        until(lambda: scrape(server).value("watchword_revocation_feed_waiting"), (1.0).__eq__)
        assert scrape(server).value("watchword_database_up") == 1
        own_cluster.stop()
        try:
            until(lambda: scrape(server).value("watchword_database_up"), (0.0).__eq__)
            until(lambda: scrape(server).value("watchword_revocation_feed_view_age_seconds"), (0.5).__lt__)
            assert not scrape(server).has("watchword_revocation_feed_cursor")
        finally:
            own_cluster.start()
        until(lambda: scrape(server).value("watchword_revocation_feed_view_age_seconds"), (0.5).__gt__)
        assert scrape(server).value("watchword_database_up") == 1
        with SignedClient(server) as other:
            assert other.revoke(other.new_identity()).status == 204
        thread.join()


def test_a_database_that_hangs_is_given_up_in_time(
    own_cluster: Cluster, server: RunningServer, client: SignedClient
) -> None:
    identity = client.new_identity()
    family = own_cluster.family()
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert is_refusal(client.issue(identity))
        begun = time.monotonic()
        assert all(is_refusal(client.issue(identity)) for _ in range(20))
        # Each would have waited for a second and more.
        assert time.monotonic() - begun < 10
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)
    until(lambda: readiness(server), lambda status: status == 200)
    assert client.issue(identity).status == 200


@pytest.mark.parametrize("end", [Cluster.stop, Cluster.kill], ids=["stopped", "killed"])
def test_nothing_acknowledged_is_lost_when_the_database_ends_under_load(
    own_cluster: Cluster, server: RunningServer, client: SignedClient, end: Callable[[Cluster], None]
) -> None:
    loads = [Load(server) for _ in range(6)]
    threads = [threading.Thread(target=load.run) for load in loads]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            before = sum(len(load.created) for load in loads)
            until(lambda: sum(len(load.created) for load in loads), (before + 60).__lt__)
            end(own_cluster)
            own_cluster.start()
            until(lambda: readiness(server), lambda status: status == 200)
    finally:
        for load in loads:
            load.stopping.set()
        for thread in threads:
            thread.join()
    assert [reply for load in loads for reply in load.others] == []
    assert sum(load.refused for load in loads) > 0
    created = {identity for load in loads for identity in load.created}
    assert created <= set(all_identities(client))
    assert [token for load in loads for token in load.dead if is_live(client, token)] == []


def all_identities(client: SignedClient) -> list[str]:
    found: list[str] = []
    target = "/identities?maxPageSize=1000"
    while target:
        page = client.call("GET", target).json
        found += [row["id"] for row in page["value"]]
        target = page.get("nextLink", "").partition(client.host)[2]
    return found
