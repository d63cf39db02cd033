"""One client, one socket after the other, in any order in which they come."""

from __future__ import annotations

from contextlib import ExitStack

from tests.support.realtime_clients import RealtimeWorld


def test_of_two_sockets_of_one_client_the_newer_one_is_told_and_the_older_one_is_closed_as_a_double(
    world: RealtimeWorld,
) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(ben)
    with client.opened(answers=False) as old:
        ada.send(thread, "1")
        assert old.text() == "1"
        with client.opened() as new:
            # It had no answer.
            assert new.text() == "1"
            assert old.last_words()[-1] == "0:::dup"
            ada.send(thread, "2")
            assert new.text() == "2"


def test_two_clients_of_a_user_are_both_told(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    with ExitStack() as stack:
        sockets = [stack.enter_context(world.realtime(ben).opened()) for _ in range(3)]
        ada.send(thread, "1")
        assert [socket.text() for socket in sockets] == ["1"] * 3


def test_a_thousand_messages_are_told_in_order_through_reconnects(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(ben)
    heard: list[int] = []
    sent = 0
    for _ in range(20):
        with client.opened() as socket:
            for _ in range(5):
                ada.send(thread, str(sent))
                sent += 1
            while len(heard) < sent - 2:
                number = int(socket.text())
                if not heard or number > heard[-1]:
                    heard.append(number)
    with client.opened() as socket:
        while len(heard) < sent:
            number = int(socket.text())
            if number > heard[-1]:
                heard.append(number)
    assert heard == list(range(sent))


def test_a_client_that_said_goodbye_for_good_is_told_nothing_of_what_it_missed(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(ben)
    with client.opened():
        pass
    reply = client.ask("DELETE", f"/v3/registrations/{client.epid}")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (202, b"", "0")
    with world.realtime(ada).opened() as of_ada:
        ada.send(thread, "1")
        # Then it is known here that it was said.
        assert of_ada.text() == "1"
    with client.opened() as socket:
        assert socket.hears_nothing()
