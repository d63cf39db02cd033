"""What is told from memory to a client that comes back soon, and what is asked of the database."""

from __future__ import annotations

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from tests.support.chat_users import identifier
from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.realtime_clients import RealtimeClient, RealtimeWorld
from tests.support.scraping import scrape
from tests.support.signed import SignedClient
from watchword.journal.entries import Entry
from watchword.realtime.recent import Recent
from watchword.storage.opening import DATABASE_FILE
from watchword.testing import RunningServer, running_server


def _entry(id: int, thread: int) -> Entry:
    return Entry(id, 1, thread, id, "messageReceived", "1", 0)


@given(threads=st.lists(st.integers(1, 4), max_size=60), most=st.integers(0, 20), after=st.integers(0, 70))
def test_memory_says_everything_above_an_id_or_that_it_does_not_know(threads: list[int], most: int, after: int) -> None:
    recent = Recent(most_bytes=most * 301)
    happened = [_entry(id, thread) for id, thread in enumerate(threads, 1)]
    for thread in (1, 2, 3):
        recent.begin(thread, 0)
    for entry in happened:
        recent.add(entry)
    kept = happened[len(happened) - most :] if most else []
    for thread in (1, 2, 3):
        mine = [entry for entry in happened if entry.thread == thread and entry.id > after]
        told = recent.above(thread, after)
        assert told in (mine, None)
        if all(entry in kept for entry in mine) and sum(entry.thread < 4 for entry in happened) <= most:
            assert told == mine
    assert recent.above(4, after) is None


def test_a_thread_that_was_forgotten_and_begun_again_is_known_from_there_on() -> None:
    recent = Recent()
    recent.begin(1, 0)
    recent.add(_entry(1, 1))
    recent.forget(1)
    recent.add(_entry(2, 1))
    recent.begin(1, 2)
    recent.add(_entry(3, 1))
    assert recent.above(1, 1) is None
    assert recent.above(1, 2) == [_entry(3, 1)]
    recent.clear()
    assert recent.above(1, 2) is None


class _Memory:
    """How many sockets were told what they missed from memory, since the last look."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._seen = self._now()

    def grew_by(self) -> int:
        before, self._seen = self._seen, self._now()
        return self._seen - before

    def _now(self) -> int:
        return round(scrape(self._server).value("watchword_realtime_sockets_recalled_total"))


def _hears(client: RealtimeClient, *texts: str) -> None:
    with client.opened() as socket:
        assert [socket.message().text for _ in texts] == list(texts)
        assert socket.hears_nothing(0.1)


def test_a_client_that_comes_back_soon_is_told_from_memory(world: RealtimeWorld, server: RunningServer) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    quiet = ada.new_thread(ben)
    client = world.realtime(ben)
    _hears(client)
    memory = _Memory(server)
    ada.send(thread, "1")
    deleted = ada.send(thread, "secret")
    ada.send(quiet, "2")
    ada.ask("DELETE", f"{thread}/messages/{deleted}")
    with client.opened() as socket:
        heard = socket.pushes(4)
        assert [each.text for each in heard] == ["1", "", "2", ""]
        assert [heard[1].name, heard[3].name] == ["chatMessageDeleted"] * 2
        assert socket.hears_nothing(0.1)
    assert memory.grew_by() == 1


def test_a_client_that_was_removed_and_added_while_it_was_away_asks_the_database(
    world: RealtimeWorld, server: RunningServer
) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(ben)
    _hears(client)
    memory = _Memory(server)
    ada.ask("POST", f"{thread}/participants/:remove", identifier(ben.id))
    ada.send(thread, "not for Ben")
    with client.opened() as socket:
        assert socket.message().name == "participantsRemoved"
        assert socket.hears_nothing(0.1)
    assert memory.grew_by() == 0
    ada.send(thread, "not for Ben either")
    _hears(client)
    assert memory.grew_by() == 1


def test_who_was_removed_while_nobody_could_look_hears_no_more_and_positions_of_another_history_count_for_nothing() -> (
    None
):
    # It goes behind the server's back, into its file.
    with running_server(FreshSettings(None)()) as server, SignedClient(server) as signed:
        world = RealtimeWorld(server, signed)
        ada, ben = world.user(), world.user()
        left, kept = ada.new_thread(ben), ada.new_thread(ben)
        with world.realtime(ben).opened() as socket:
            ada.send(kept, "1")
            assert socket.text() == "1"
            with sqlite3.connect(server.data / DATABASE_FILE, timeout=20) as file:
                # A backup from before is put in place: fewer things have happened in it.
                file.execute("delete from journal")
                file.execute("update sqlite_sequence set seq = 0 where name = 'journal'")
                number = "select number from threads where id = ?"
                file.execute(
                    f"update participants set removed_millis = 1 where thread = ({number}) and subject = ?",
                    (left.rpartition("/")[2], ben.id.removeprefix("8:")),
                )
                assert file.execute("select changes()").fetchone() == (1,)
                file.execute("update feed set epoch = 'another'")
            file.close()

            def sends() -> bool:
                # What is sent before anybody has looked again belongs to no history that was followed.
                ada.send(left, "not for Ben")
                ada.send(kept, "2")
                return not socket.hears_nothing(0.3)

            until(sends, bool)
            ada.send(left, "not for Ben")
            ada.send(kept, "3")
            heard = [socket.text()]
            while heard[-1] != "3":
                heard.append(socket.text())
            assert set(heard) <= {"2", "3"}
