"""Levels of chat and realtime of a server with several processes: sums of what each has, and once what all share."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

from tests.support.chat_users import ChatUser
from tests.support.commands import Home, server
from tests.support.engines import FreshSettings, Place
from tests.support.polling import until
from tests.support.process_tree import client_of, kill, linux_only, workers
from tests.support.processes import PLAIN, reached
from tests.support.realtime_clients import RealtimeWorld
from tests.support.scraping import Scrape, parse
from tests.support.signed import Signed, SignedClient
from watchword.settings import Settings

pytestmark = linux_only

SOCKETS = 12
EXPIRED = 3
AGED = "update threads set retention_days = 30, created_millis = created_millis - 2678400000"


def test_sockets_are_summed_and_what_waits_is_counted_once(tmp_path: Path, fresh_settings: FreshSettings) -> None:
    home, data, settings = Home(tmp_path / "home"), tmp_path / "data", fresh_settings()
    environment = PLAIN | {"WATCHWORD_WORKERS": "2", "WATCHWORD_DATABASE": settings.database}
    with server(home, "serve", "--data", data, environment=environment) as running:
        there = reached(running, data, settings)
        pids = sorted(workers(running.process.pid))
        with client_of(there, pids[0], {*pids}) as one, client_of(there, pids[1], {*pids}) as other:

            def told(at: SignedClient, name: str) -> float:
                return scraped(at, there.operator_token).value(f"watchword_{name}")

            def at_both(name: str, expected: float) -> None:
                for each in (one, other):
                    until(lambda at=each: told(at, name), lambda found: found == expected)  # type: ignore[misc]

            world = RealtimeWorld(there, one)
            users = [world.user() for _ in range(SOCKETS)]
            for each in users[:EXPIRED]:
                each.new_thread(users[-1])
            with ExitStack() as sockets:
                for each in users:
                    sockets.enter_context(world.realtime(each).opened())
                # In its first minute no process deletes what is due by time, so these wait.
                asyncio.run(changed(settings, data, AGED))
                at_both("realtime_sockets", SOCKETS)
                at_both("realtime_users", SOCKETS)
                at_both("chat_expired_threads_waiting", EXPIRED)
                kill(pids[0])
                until(lambda: told(other, "realtime_sockets"), lambda left: 0 < left < SOCKETS)
                until(lambda: len(workers(running.process.pid) - {pids[0]}), lambda count: count == 2)
                # One of the two had looked for both; whichever it was, somebody looks on.
                ChatUser(other, users[0].id, users[0].token).new_thread()
                asyncio.run(changed(settings, data, AGED))
                until(lambda: told(other, "chat_expired_threads_waiting"), lambda found: found == EXPIRED + 1)
            until(lambda: told(other, "realtime_sockets"), lambda left: left == 0)


def scraped(client: SignedClient, token: str) -> Scrape:
    reply = client.send(Signed("GET", "/metrics", {"Host": client.host, "Authorization": f"Bearer {token}"}, b""))
    assert reply.status == 200, reply
    return parse(reply.body.decode(), reply.headers["content-type"])


async def changed(settings: Settings, data: Path, sql: str) -> None:
    database = await Place(settings, data).open()
    try:
        await database.transact(lambda each: each.execute(sql))
    finally:
        await database.close()
