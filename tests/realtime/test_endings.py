"""Whose token is no good any more hears nothing more: the socket is closed at once, with `unauthorized`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.support.chat_users import ChatUser
from tests.support.realtime_clients import RealtimeWorld

UNAUTHORIZED = '0:::{"reason":"unauthorized"}'


def _revoke_all(world: RealtimeWorld, user: ChatUser) -> None:
    path = f"/identities/{user.id}/:revokeAccessTokens?api-version=2023-10-01"
    assert world.client.call("POST", path).status == 204


def _delete(world: RealtimeWorld, user: ChatUser) -> None:
    assert world.client.call("DELETE", f"/identities/{user.id}?api-version=2023-10-01").status == 204


def _revoke_one(world: RealtimeWorld, user: ChatUser) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert world.client.call("POST", "/revoke", f"token={user.token}".encode(), headers=form).status == 200


WAYS = {"all of the identity's": _revoke_all, "this one": _revoke_one, "the identity is deleted": _delete}


@pytest.mark.parametrize("end", WAYS.values(), ids=WAYS.keys())
def test_a_revocation_closes_the_socket_and_nothing_after_it_is_heard(
    world: RealtimeWorld, end: Callable[[RealtimeWorld, ChatUser], None]
) -> None:
    ada, ben, cleo = world.user(), world.user(), world.user()
    thread = ada.new_thread(ben, cleo)
    client = world.realtime(ben)
    with client.opened() as socket, world.realtime(cleo).opened() as other:
        end(world, ben)
        ada.send(thread, "after")
        said = socket.last_words()
        assert said[-1] == UNAUTHORIZED
        assert not [frame for frame in said if "after" in frame]
        while other.push().name != "chatMessageReceived":
            pass
    for reply in (client.allocate(), client.ask("POST", "/v3/registrations", b"{}")):
        assert (reply.status, reply.json["error"]["code"]) == (401, "Unauthorized")


def test_a_token_that_expires_closes_the_socket_and_the_next_one_hears_what_was_missed(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(world.new_token(ben, minutes=60))
    with client.opened() as socket:
        world.server.clock.move(timedelta(minutes=59))
        ada.send(thread, "still")
        assert socket.text() == "still"
        world.server.clock.move(timedelta(minutes=2))
        assert socket.last_words()[-1] == UNAUTHORIZED
    ada.send(thread, "missed")
    client.user = world.new_token(ben)
    with client.opened() as socket:
        assert socket.text() == "missed"


def test_a_revocation_between_two_steps_is_told_at_the_next_one(world: RealtimeWorld) -> None:
    ben = world.user()
    client = world.realtime(ben)
    sid, query = client.session_id()
    _revoke_all(world, ben)
    assert client.ask("GET", f"/socket.io/1/websocket/{sid}?{query}", Upgrade="websocket").status == 401
