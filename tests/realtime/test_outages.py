"""The database is killed while people talk: sockets stay, and hear everything once, in order, when it is back."""

from __future__ import annotations

from typing import Any

from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.postgres import cluster, on_connection
from tests.support.realtime_clients import RealtimeWorld
from tests.support.signed import SignedClient
from watchword.testing import running_server


def test_nothing_is_lost_or_repeated_on_a_socket_that_outlives_the_database() -> None:
    with (
        cluster() as own,
        running_server(FreshSettings(own)(database_timeout=1.0)) as server,
        SignedClient(server) as client,
    ):
        world = RealtimeWorld(server, client)
        ada, ben = world.user(), world.user()
        thread = ada.new_thread(ben)
        of_ben = world.realtime(ben)
        committed: list[str] = []

        def send() -> bool:
            reply = ada.ask("POST", f"{thread}/messages", {"content": str(len(committed))})
            if reply.status == 201:
                committed.append(str(len(committed)))
            return bool(reply.status == 201)

        with of_ben.opened() as socket:
            assert send()
            heard = [socket.text()]
            for _ in range(2):
                own.kill()
                own.start()
                for _ in range(5):
                    until(send, bool)
                while heard[-1] != committed[-1]:
                    heard.append(socket.text())
            assert heard == sorted(set(heard), key=int)
            assert set(committed) <= set(heard)
            # And what it answered is known, so nothing of it comes again.
            until(lambda: _is_written(of_ben.epid, server.settings.database), bool)
        with of_ben.opened() as socket:
            assert socket.hears_nothing()


def test_an_answer_that_could_not_be_written_down_is_written_once_the_database_is_back() -> None:
    with (
        cluster() as own,
        running_server(FreshSettings(own)(database_timeout=0.5)) as server,
        SignedClient(server) as client,
    ):
        world = RealtimeWorld(server, client)
        ada, ben = world.user(), world.user()
        thread = ada.new_thread(ben)
        of_ben = world.realtime(ben)
        with of_ben.opened() as socket:
            ada.send(thread, "1")
            assert socket.text() == "1"
            own.kill()
            # Longer than it takes until the position is due, and given up.
            for _ in range(4):
                assert ada.ask("POST", f"{thread}/messages", {"content": "2"}).status == 503
            own.start()
            until(lambda: _is_written(of_ben.epid, server.settings.database), bool, 60.0)


def _is_written(epid: str, database: str) -> bool:
    """Whether its position is that of the newest entry, or counts that as answered above it."""

    async def look(connection: Any) -> bool:
        newest = await connection.fetchval("select max(id) from journal")
        row = await connection.fetchrow("select position, ahead from registrations where epid = $1", epid)
        return bool(row["position"] >= newest or str(newest) in row["ahead"].split(","))

    return on_connection(database, look)
