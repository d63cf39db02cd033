"""The trusted server sees a user's sockets and closes them, on every node; whoever is banned has none."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import pytest

from tests.realtime.test_nodes import Nodes, nodes, settings
from tests.support.chat_users import ChatUser
from tests.support.polling import until
from tests.support.realtime_clients import RealtimeWorld
from watchword.journal import following

__all__ = ["nodes", "settings"]

UNAUTHORIZED = '0:::{"reason":"unauthorized"}'


def ban(world: RealtimeWorld, user: ChatUser) -> str:
    """The path of it."""
    path = f"/trusted/restrictions/{user.id}"
    assert world.client.call("PUT", path, {"kind": "ban"}).status == 200
    return path


def open_sockets(world: RealtimeWorld, user: ChatUser) -> list[str]:
    listed = world.client.call("GET", f"/trusted/users/{user.id}/sockets")
    assert listed.status == 200, listed
    assert all(each["seenOn"].endswith("Z") for each in listed.json["value"])
    return sorted(each["id"] for each in listed.json["value"])


def test_a_ban_closes_the_sockets_nothing_after_it_is_heard_and_every_step_is_refused(world: RealtimeWorld) -> None:
    ada, ben, cleo = world.user(), world.user(), world.user()
    thread = ada.new_thread(ben, cleo)
    client, waiting = world.realtime(ben), world.realtime(ben)
    sid, query = waiting.session_id()
    allocated = client.allocate().json
    with client.opened() as socket, world.realtime(cleo).opened() as other:
        path = ban(world, ben)
        ada.send(thread, "after")
        said = socket.last_words()
        assert said[-1] == UNAUTHORIZED
        assert not [frame for frame in said if "after" in frame]
        assert other.text() == "after"
    for reply in (client.allocate(), client.begin(allocated), client.ask("POST", "/v3/registrations", b"{}")):
        assert (reply.status, reply.json["error"]["code"]) == (403, "Forbidden")
        assert "banned" in reply.json["error"]["message"]
    assert waiting.status(sid, query) == 403
    assert world.client.call("DELETE", path).status == 204
    with world.realtime(ben).opened() as socket:
        ada.send(thread, "again")
        assert socket.text() == "again"


def test_who_is_banned_in_a_thread_hears_of_the_removal_and_of_nothing_after_it(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread, other = ada.new_thread(ben), ada.new_thread(ben)
    with world.realtime(ben).opened() as socket:
        path = f"{thread.replace('/chat/', '/trusted/', 1)}/restrictions/{ben.id}"
        assert world.client.call("PUT", path, {"kind": "ban"}).status == 200
        ada.send(thread, "not for Ben")
        ada.send(other, "for Ben")
        heard = socket.message()
        assert heard.name == "participantsRemoved"
        assert '"participantId":"8:acs:' in heard.body["removedBy"]
        assert "_00000000-0000-0000-0000-000000000000" in heard.body["removedBy"]
        assert socket.text() == "for Ben"


def test_a_mute_leaves_the_sockets_open(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    with world.realtime(ben).opened() as socket:
        assert world.client.call("PUT", f"/trusted/restrictions/{ben.id}", {"kind": "mute"}).status == 200
        ada.send(thread, "heard")
        assert socket.text() == "heard"


def test_a_node_that_did_not_keep_up_with_the_journal_closes_them_all_the_same(
    world: RealtimeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben, cleo = world.user(), world.user(), world.user()
    thread = ada.new_thread(ben, cleo)
    with world.realtime(ben).opened() as socket, world.realtime(cleo).opened() as other:
        ada.send(thread, "before")
        assert (socket.text(), other.text()) == ("before", "before")
        # Whatever happens now is too much to be kept for who tells it.
        monkeypatch.setattr(following, "MOST_WAITING", 0)
        assert world.client.call("DELETE", f"/trusted/users/{ben.id}/sockets").status == 204
        assert socket.last_words()[-1] == UNAUTHORIZED
        ada.send(thread, "after")
        assert other.text() == "after"


def test_sockets_are_listed_and_closed_one_by_one_or_all_at_once(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    clients = [world.realtime(ben) for _ in range(3)]
    assert open_sockets(world, ben) == []
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(each.opened()) for each in clients)
        anothers = stack.enter_context(world.realtime(ada).opened())
        until(lambda: open_sockets(world, ben), lambda found: len(found) == 3)
        assert open_sockets(world, ben) == sorted(each.epid for each in clients)
        path = f"/trusted/users/{ben.id}/sockets"
        assert world.client.call("DELETE", f"{path}/{clients[0].epid}").status == 204
        assert first.last_words()[-1] == UNAUTHORIZED
        ada.send(thread, "still")
        assert [each.text() for each in (second, third, anothers)] == ["still"] * 3
        assert world.client.call("DELETE", f"{path}/nobody").status == 204
        assert world.client.call("DELETE", path).status == 204
        assert [each.last_words()[-1] for each in (second, third)] == [UNAUTHORIZED] * 2
        ada.send(thread, "missed")
        assert anothers.text() == "missed"
    until(lambda: open_sockets(world, ben), lambda found: not found)
    # The token is as good as ever, and nothing is lost.
    with clients[0].opened() as socket:
        assert [socket.text(), socket.text()] == ["still", "missed"]
    assert world.client.call("DELETE", path).status == 204


def test_a_socket_that_was_not_seen_for_long_is_not_listed(world: RealtimeWorld) -> None:
    ben = world.user()
    with world.realtime(ben).opened():
        until(lambda: open_sockets(world, ben), bool)
        world.server.clock.move(timedelta(minutes=6))
        assert open_sockets(world, ben) == []


def test_nobody_but_a_user_of_the_resource_has_sockets(world: RealtimeWorld) -> None:
    foreign = "8:acs:00000000-0000-4000-8000-000000000000_00000000-0000-4000-8000-000000000000"
    for method, part in (("GET", ""), ("DELETE", ""), ("DELETE", "/e")):
        assert world.client.call(method, f"/trusted/users/{foreign}/sockets{part}").status == 404
        assert world.client.call(method, f"/trusted/users/ben/sockets{part}").status == 400


def test_what_one_node_closes_or_bans_ends_on_the_other(nodes: Nodes) -> None:
    ada, ben = nodes.first.user(), nodes.first.user()
    thread = ada.new_thread(ben)
    client = nodes.realtime(nodes.first.realtime(ben), 1)
    with client.opened() as socket:
        until(lambda: open_sockets(nodes.first, ben), bool)
        assert nodes.first.client.call("DELETE", f"/trusted/users/{ben.id}/sockets").status == 204
        assert socket.last_words()[-1] == UNAUTHORIZED
    with client.opened() as socket:
        ban(nodes.first, ben)
        ada.send(thread, "after")
        said = socket.last_words()
        assert said[-1] == UNAUTHORIZED
        assert not [frame for frame in said if "after" in frame]
    assert client.allocate().status == 403
