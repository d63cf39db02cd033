"""Who was taken out of a thread and let in again hears nothing of the time between, at once or afterwards."""

from __future__ import annotations

import pytest

from tests.support.chat_users import ChatUser, identifier, participant
from tests.support.realtime_clients import RealtimeSocket, RealtimeWorld
from watchword.journal.entries import Entry
from watchword.realtime.absences import absences

LEFT, CAME = "participantsRemoved", "participantsAdded"


def take_out(host: ChatUser, thread: str, user: ChatUser) -> None:
    assert host.ask("POST", f"{thread}/participants/:remove", identifier(user.id)).status == 204


def let_in(host: ChatUser, thread: str, user: ChatUser) -> None:
    asked = {"participants": [participant(user.id)]}
    assert host.ask("POST", f"{thread}/participants/:add", asked).status == 201


def told_until(socket: RealtimeSocket, text: str) -> list[str]:
    """By the text of a message, else by the name of the event."""
    found: list[str] = []
    while not found or found[-1] != text:
        heard = socket.message()
        found.append(heard.text or heard.name)
    return found


def test_who_was_away_all_the_while_is_told_of_nothing_between(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(ben)
    with client.opened() as socket:
        ada.send(thread, "1")
        assert told_until(socket, "1") == ["1"]
    take_out(ada, thread, ben)
    ada.send(thread, "between")
    let_in(ada, thread, ben)
    ada.send(thread, "2")
    with client.opened() as socket:
        assert told_until(socket, "2") == [LEFT, CAME, "2"]


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_what_is_told_again_is_no_more_than_was_told(world: RealtimeWorld, answered: int) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(ben)
    with client.opened() as socket:
        ada.send(thread, "0")
        assert told_until(socket, "0") == ["0"]
        socket.answers = False
        for step in (take_out, lambda *_: ada.send(thread, "between"), let_in, lambda *_: ada.send(thread, "1")):
            step(ada, thread, ben)
        told = [socket.push() for _ in range(3)]
        assert [each.text or each.name for each in told] == [LEFT, CAME, "1"]
        for each in told[:answered]:
            socket.answer(each.id)
    with client.opened() as socket:
        assert told_until(socket, "1") == [LEFT, CAME, "1"][answered:]


def entry(id: int, thread: int = 1) -> Entry:
    return Entry(id, 1, thread, 1, "messageReceived", "", 0)


def test_an_absence_is_from_the_one_to_the_other_in_each_thread() -> None:
    entries = [entry(1), entry(2), entry(3), entry(4), entry(5, 2), entry(6, 2), entry(7, 3), entry(8)]
    comings = {1: False, 4: True, 6: True, 7: None}
    # Who comes to the second thread was no part of it before; nothing is known of the third.
    assert absences(entries, comings) == {2, 3, 5}
    assert absences(entries, {}) == set()
