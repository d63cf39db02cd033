"""Requests go in waves: together where that is cheaper, and never held up by one that takes long."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.rest.test_pipeline import locked
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.rest import waves
from watchword.rest.waves import Wave, Waves
from watchword.settings import Settings


class Shore:
    """Sees who goes on with which wave; nobody leaves before the test says so."""

    def __init__(self) -> None:
        self.waves = Waves()
        self.went: dict[str, Wave] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def send(self, *names: str) -> list[asyncio.Task[None]]:
        sent = [asyncio.create_task(self._go(name)) for name in names]
        self._tasks += sent
        return sent

    async def _go(self, name: str) -> None:
        self.went[name] = await self.waves.join()

    def leave(self, *names: str) -> None:
        for name in names:
            self.went[name].leave()

    async def turns(self, count: int = 10) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def until_gone(self, *names: str) -> None:
        async with asyncio.timeout(10):
            while not set(names) <= set(self.went):
                await asyncio.sleep(0.001)


async def test_who_comes_while_a_wave_is_under_way_goes_with_the_next() -> None:
    shore = Shore()
    shore.send("a", "b")
    await shore.turns()
    assert shore.went["a"] is shore.went["b"]
    shore.send("c")
    await shore.turns()
    shore.leave("a")
    shore.send("d")
    await shore.turns()
    assert set(shore.went) == {"a", "b"}
    shore.leave("b")
    await shore.turns()
    assert shore.went["c"] is shore.went["d"] is not shore.went["a"]


async def test_whom_the_answers_of_a_wave_bring_go_with_the_next_too() -> None:
    shore = Shore()
    shore.send("a", "b")
    await shore.turns()
    shore.send("c")
    await shore.turns()
    shore.leave("a", "b")
    await shore.turns(1)
    shore.send("a again")
    await shore.turns()
    assert shore.went["c"] is shore.went["a again"]


async def test_one_alone_waits_for_nobody() -> None:
    shore = Shore()
    for name in ("a", "b", "c"):
        shore.send(name)
        await shore.turns(3)
        shore.leave(name)


async def test_a_wave_that_takes_long_is_not_waited_for() -> None:
    shore = Shore()
    shore.send("slow", "quick")
    await shore.turns()
    shore.leave("quick")
    shore.send("next")
    await shore.until_gone("next")
    # Its end comes late, and opens nothing beside the wave that is under way by now.
    shore.send("after next")
    shore.leave("slow")
    await shore.turns()
    assert "after next" not in shore.went
    shore.leave("next")
    await shore.turns()
    assert "after next" in shore.went


async def test_who_is_cancelled_while_it_waits_is_not_waited_for() -> None:
    shore = Shore()
    shore.send("a")
    await shore.turns()
    gone, _ = shore.send("gone", "b")
    await shore.turns()
    gone.cancel()
    with suppress(asyncio.CancelledError):
        await gone
    shore.leave("a")
    await shore.turns()
    shore.leave("b")
    shore.send("c")
    await shore.turns()
    assert set(shore.went) == {"a", "b", "c"}


async def test_where_everyone_who_waited_is_cancelled_it_is_calm_again() -> None:
    shore = Shore()
    shore.send("a")
    await shore.turns()
    (gone,) = shore.send("gone")
    await shore.turns()
    gone.cancel()
    await shore.turns()
    shore.leave("a")
    await shore.turns()
    shore.send("b")
    await shore.turns()
    assert set(shore.went) == {"a", "b"}


@pytest.mark.sqlite("it has one writer, which another process may hold up")
def test_readers_do_not_wait_for_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody goes on because it waited long enough.
    monkeypatch.setattr(waves, "_PATIENCE_SECONDS", 3_600.0)
    settings = Settings(tls=False, request_log=False)
    with running_server(settings) as server, SignedClient(server) as client, ThreadPoolExecutor(1) as others:
        id = client.new_identity()
        with locked(server), SignedClient(server) as writer:
            created = others.submit(writer.create)
            for _ in range(20):
                assert client.issue(id).status == 200
            assert not created.done()
        assert created.result(timeout=30).status == 201


def test_nobody_waits_for_who_waits_for_news(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody goes on because it waited long enough.
    monkeypatch.setattr(waves, "_PATIENCE_SECONDS", 3_600.0)
    settings = Settings(tls=False, request_log=False)
    with running_server(settings) as server, SignedClient(server) as client, ThreadPoolExecutor(1) as others:
        id = client.new_identity()
        with SignedClient(server) as reader:
            cursor = reader.call("GET", "/revocations").json["cursor"]
            told = others.submit(reader.call, "GET", f"/revocations?since={cursor}&wait=30")
            for _ in range(20):
                assert client.issue(id).status == 200
            assert not told.done()
            assert client.revoke(id).status == 204
            assert told.result(timeout=30).status == 200
