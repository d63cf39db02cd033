"""Composition: a failure at any point of it leaves nothing open and is told as it is; what a service brings is used."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support.engines import FreshSettings, Place
from tests.support.polling import until, until_async
from tests.support.scraping import OPEN_METRICS, scrape
from watchword.app import open_watchword
from watchword.errors import OperatorError
from watchword.files import Process, hold
from watchword.ground import Background, Ground
from watchword.resources.deletion import begin_resource_deletion
from watchword.resources.first_resource import FirstResource
from watchword.resources.store import list_resources
from watchword.rest.application import Watchword
from watchword.rest.call import Binding, Call
from watchword.rest.doors import Doors
from watchword.rest.service import OpenService, Service
from watchword.storage import Transaction
from watchword.storage.opening import DATABASE_FILE
from watchword.storage.purge import Purge
from watchword.telemetry.levels import Gauge
from watchword.testing import running_server
from watchword.wire.operations import Body, Operation

FIRST = FirstResource("watchword", "europe")
OTHER_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


async def _never(call: Call[None]) -> None:
    raise AssertionError("nobody asks")


def _begun() -> Any:
    raise AssertionError("background work began though nothing was composed")


def open_busy(ground: Ground, doors: Doors) -> Service:
    """A service that is composed before the one that fails."""
    return Service([], background=[_begun])


def open_broken(ground: Ground, doors: Doors) -> Service:
    raise ZeroDivisionError("a service that cannot be opened")


def open_indescribable(ground: Ground, doors: Doors) -> Service:
    """Its operation takes what no schema describes."""
    operation = Operation("Broken", "GET", "/broken", 200, None, "Broken.", gives=(Body(complex | bytes | str),))
    return Service([Binding(operation, _never, doors.nobody)])


@dataclass(frozen=True)
class Failure:
    """Where composition fails, and as what. `spoil` is carried out on a database that an earlier run has left."""

    error: type[Exception]
    words: str
    settings: dict[str, Any]
    spoil: str = ""
    services: tuple[OpenService, ...] = ()
    is_before_all: bool = False


FAILURES = {
    "a setting": Failure(OperatorError, "is no rate limit", {"rate_limits": ("many",)}, is_before_all=True),
    "an issuer": Failure(OperatorError, "issuer", {"entra_issuers": ("nowhere",)}, is_before_all=True),
    "the encryption key": Failure(OperatorError, "does not fit", {"encryption_key": OTHER_KEY}, spoil="select 1"),
    "the first transaction": Failure(Exception, "resources", {}, spoil="alter table resources rename to gone"),
    "the marks": Failure(Exception, "identities", {}, spoil="alter table identities rename to gone"),
    "the clock": Failure(Exception, "clock", {}, spoil="alter table clock rename to gone"),
    "the signing keys": Failure(Exception, "signing_keys", {}, spoil="alter table signing_keys rename to gone"),
    "a service": Failure(ZeroDivisionError, "cannot be opened", {}, services=(open_busy, open_broken)),
    "the description": Failure(TypeError, "complex", {}, services=(open_busy, open_indescribable)),
}


@pytest.mark.parametrize("where", FAILURES)
async def test_what_fails_while_composing_is_told_and_leaves_nothing_open(where: str, place: Place) -> None:
    failure = FAILURES[where]
    threads, tasks = threading.active_count(), asyncio.all_tasks()
    if failure.spoil:
        await _spoil(place, failure.spoil)
    process = Process("one", place.folder / "metrics") if place.is_postgres else None
    settings = replace(place.settings, **failure.settings)
    with pytest.raises(failure.error, match=failure.words):
        await open_watchword(
            settings, place.folder, FIRST, endpoint="http://localhost:1", process=process, services=failure.services
        )
    # A coroutine that nobody awaited warns when it goes, and every warning is an error here.
    gc.collect()
    assert asyncio.all_tasks() == tasks
    assert threading.active_count() <= threads
    # The last one who closes a database of SQLite takes its log away.
    assert not (place.folder / f"{DATABASE_FILE}-wal").exists()
    assert (place.folder / DATABASE_FILE).exists() == (not place.is_postgres and not failure.is_before_all)
    if process is not None:
        _require_free(process)
        await _until_nobody_is_connected(settings.database)


async def _spoil(place: Place, statement: str) -> None:
    node = await open_watchword(place.settings, place.folder, FIRST)
    await node.ground.database.transact(lambda transaction: transaction.execute(statement))
    await node.close()


def _require_free(process: Process) -> None:
    if process.folder.exists():
        held = hold(process.folder / f"{process.name}.lock")
        assert held is not None, "the process still counts as living"
        held.close()


async def _until_nobody_is_connected(address: str) -> None:
    session = await asyncpg.connect(address)
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    try:
        await until_async(lambda: session.fetchval(others), lambda count: count == 0)
    finally:
        await session.close()


@asynccontextmanager
async def _opened(place: Place, *services: OpenService) -> AsyncIterator[Watchword]:
    node = await open_watchword(place.settings, place.folder, FIRST, services=services)
    try:
        yield node
    finally:
        await node.close()


def _with(background: Background) -> OpenService:
    return lambda ground, doors: Service([], background=[background])


async def test_background_work_of_a_service_runs_until_the_server_is_closed(tmp_path: Path) -> None:
    seen = []

    async def work() -> None:
        seen.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("ended")

    async with _opened(_on_sqlite(tmp_path), _with(work)):
        await asyncio.sleep(0)
        assert seen == ["began"]
    assert seen == ["began", "ended"]


async def test_background_work_that_ends_by_a_fault_is_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        raise ZeroDivisionError("nobody saw this coming")

    async with _opened(_on_sqlite(tmp_path), _with(work)):
        with caplog.at_level(logging.ERROR):
            await asyncio.sleep(0.01)
    assert "nobody saw this coming" in caplog.text


async def test_the_end_of_a_resource_takes_along_what_each_service_keeps_of_it(place: Place) -> None:
    kept = {1: 3}
    asked: list[int] = []

    async def purge(resource: int, most: int) -> int:
        asked.append(resource)
        found = kept.pop(resource, 0)
        return min(found, most)

    async with _opened(place):
        pass
    async with _opened(place, lambda ground, doors: Service([], purges=[Purge(("kept",), purge)])) as node:

        async def begin(transaction: Transaction) -> int:
            [resource] = await list_resources(transaction)
            await begin_resource_deletion(transaction, resource, node.ground.clock.micros())
            return resource.number

        number = await node.ground.database.transact(begin)
    # A restart takes it up.
    async with _opened(place, lambda ground, doors: Service([], purges=[Purge(("kept",), purge)])) as node:
        await until_async(lambda: node.ground.database.query("select 1 from resources"), lambda rows: not rows)
    assert not kept
    assert set(asked) == {number}


def test_a_gauge_of_a_service_is_told_by_every_scrape_and_summed_over_processes(
    fresh_settings: FreshSettings, tmp_path: Path
) -> None:
    def sockets(count: int) -> OpenService:
        gauge = Gauge("watchword_trial_sockets", "Sockets of the trial.", lambda: count)
        return lambda ground, doors: Service([], gauges=[gauge])

    def told(server: Any, token: str) -> float:
        return scrape(server, OPEN_METRICS, token).value("watchword_trial_sockets")

    settings = fresh_settings()
    with running_server(settings, data=tmp_path / "data", services=[sockets(4)]) as server:
        token = server.operator_token
        assert told(server, token) == 4
    if not settings.database:
        return
    one, other = (Process(name, tmp_path / "metrics") for name in ("one", "other"))
    with (
        running_server(settings, data=tmp_path / "data", process=one, services=[sockets(2)]) as server,
        running_server(settings, data=tmp_path / "data", process=other, services=[sockets(3)]),
    ):
        until(lambda: told(server, token), lambda sum_of_both: sum_of_both == 5)


def _on_sqlite(folder: Path) -> Place:
    return Place(FreshSettings(None)(synchronous="OFF"), folder)
