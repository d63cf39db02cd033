"""`/readyz` and metrics know what answers alone do not tell: that no write succeeds, or that the clock is wrong."""

from __future__ import annotations

import resource
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import httpx2
import pytest

from tests.support import postgres
from tests.support.commands import Home, server
from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.process_tree import linux_only
from tests.support.scraping import scrape
from tests.support.servers import running_server
from watchword.settings import Settings
from watchword.testing import RunningServer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


class Reachable(Protocol):
    @property
    def endpoint(self) -> str: ...


def readiness(server: Reachable) -> tuple[int, str]:
    reply = httpx2.get(f"{server.endpoint}/readyz", timeout=30)
    return reply.status_code, reply.text


def level(server: RunningServer, name: str) -> float:
    return scrape(server).value(name)


@linux_only
@pytest.mark.sqlite("the disk of its file; the test below asks PostgreSQL")
def test_a_disk_that_takes_no_writes_is_not_ready_until_it_does(home: Home) -> None:
    with server(home, "serve", "--no-tls") as running:
        assert readiness(running) == (200, "ready\n")
        # As if no file could grow any more.
        pid = running.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        status, text = until(lambda: readiness(running), lambda found: found[0] != 200)
        assert (status, text.splitlines()[0]) == (503, "not ready")
        assert "database: The database answers, and takes no writes" in text
        assert httpx2.get(f"{running.endpoint}/healthz").status_code == 200
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        assert until(lambda: readiness(running), lambda found: found[0] == 200) == (200, "ready\n")


@pytest.mark.lane("postgres")
def test_a_database_that_became_read_only_is_not_ready() -> None:
    with postgres.cluster() as own:
        settings = Settings(request_log=False, tls=False, database=own.fresh())
        with running_server(settings) as server:
            assert readiness(server) == (200, "ready\n")
            own.execute("alter system set default_transaction_read_only = on")
            own.execute("select pg_reload_conf()")
            assert until(lambda: readiness(server), lambda found: found[0] == 503)[0] == 503
            assert httpx2.get(f"{server.endpoint}/healthz").status_code == 200
            own.execute("alter system reset default_transaction_read_only")
            own.execute("select pg_reload_conf()")
            assert until(lambda: readiness(server), lambda found: found[0] == 200)[0] == 200


def test_a_wrong_clock_is_not_ready_and_says_what_to_do(fresh_settings: FreshSettings) -> None:
    with running_server(fresh_settings()) as server:
        server.clock.set_wrong(timedelta(hours=2))
        status, text = readiness(server)
        assert status == 503
        assert "clock: The clock jumped by 2:00:00 ahead while the server ran. Set the clock" in text
        assert level(server, "watchword_clock_right") == 0
        server.clock.set_wrong(timedelta(0))
        assert until(lambda: readiness(server), lambda found: found[0] == 200) == (200, "ready\n")
        assert level(server, "watchword_clock_right") == 1
