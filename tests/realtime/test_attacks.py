"""What strangers and hostile clients try: each is refused or closed, and nobody else notices."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from tests.support.chat_users import ChatUser
from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.raw_websocket import FIRST_TEXT, MORE, PING, TEXT, RawWebSocket, frame
from tests.support.realtime_clients import RealtimeSocket, RealtimeWorld
from tests.support.signed import SignedClient
from watchword.testing import RunningServer, running_server

UNAUTHORIZED = '0:::{"reason":"unauthorized"}'


def test_a_session_id_opens_one_socket(world: RealtimeWorld) -> None:
    client = world.realtime(world.user())
    sid, query = client.session_id()
    assert client.status(sid, query) == 101
    assert client.status(sid, query) == 401


@pytest.mark.parametrize("sid", ["nobody-made-this", "A" * 700, "%00", "Aé"])
def test_a_session_id_that_nobody_gave_out_is_refused(world: RealtimeWorld, sid: str) -> None:
    client = world.realtime(world.user())
    assert client.status(sid) == 401


def test_an_allocation_is_no_session_id_nor_the_other_way_round(world: RealtimeWorld) -> None:
    client = world.realtime(world.user())
    allocated = client.allocate().json
    assert client.status(allocated["connectparams"]["sig"]) == 401
    sid = client.begin(allocated).body.decode().partition(":")[0]
    allocated["connectparams"]["sig"] = sid
    assert client.begin(allocated).status == 401


def test_anothers_allocation_and_endpoint_id_give_nothing(world: RealtimeWorld) -> None:
    ada, ben, eve = world.user(), world.user(), world.user()
    thread = ada.new_thread(ben)
    of_ben, of_eve = world.realtime(ben), world.realtime(eve)
    of_eve.epid = of_ben.epid
    with of_ben.opened() as socket_of_ben:
        allocated = of_ben.allocate().json
        assert of_eve.begin(allocated).status == 401
        with of_eve.opened() as socket_of_eve:
            ada.send(thread, "for Ben")
            assert socket_of_ben.text() == "for Ben"
            assert socket_of_eve.hears_nothing()
            assert of_eve.ask("DELETE", f"/v3/registrations/{of_ben.epid}").status == 202
    ada.send(thread, "missed")
    with of_ben.opened() as socket_of_ben:
        assert socket_of_ben.text() == "missed"


@pytest.mark.parametrize("epid", ["", "a b", "x" * 65, "é", "a/../b"])
def test_an_endpoint_id_that_cannot_be_one_is_refused(world: RealtimeWorld, epid: str) -> None:
    client = world.realtime(world.user())
    client.epid = epid
    reply = client.allocate()
    assert (reply.status, reply.json["error"]["target"]) == (400, "epid")


def test_without_a_token_or_with_voice_alone_nothing_is_allocated(world: RealtimeWorld) -> None:
    voice = world.realtime(world.user("voip"))
    assert voice.allocate().status == 403
    assert voice.ask("GET", "/chat/config/realTimeNotifications?api-version=2024-09-01").status == 403
    stranger = world.realtime(voice.user.with_token("x"))
    for method, target in (
        ("GET", "/chat/config/realTimeNotifications?api-version=2024-09-01"),
        ("POST", f"/v4/a?epid={stranger.epid}"),
        ("GET", f"/socket.io/1/?epid={stranger.epid}"),
        ("POST", "/v3/registrations"),
        ("DELETE", f"/v3/registrations/{stranger.epid}"),
    ):
        assert stranger.ask(method, target).status == 401


def test_a_user_has_room_for_twenty_clients_with_sockets(world: RealtimeWorld) -> None:
    ben, cleo = world.user(), world.user()
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(world.realtime(ben).opened())
        reply = world.realtime(ben).allocate()
        assert (reply.status, reply.json["error"]["code"]) == (403, "QuotaExceeded")
        assert "20 realtime sockets of the user" in reply.json["error"]["message"]
        assert world.realtime(cleo).allocate().status == 200
    # Their sockets are closed now, and the oldest makes room.
    until(lambda: world.realtime(ben).allocate().status, lambda status: status == 200)


def test_sockets_that_went_with_their_node_keep_nobody_out(world: RealtimeWorld, narrow: RealtimeWorld) -> None:
    for each, most in ((world, 20), (narrow, 2)):
        ben = each.user()

        def asked(world: RealtimeWorld = each, ben: ChatUser = ben) -> int:
            return world.realtime(ben).allocate().status

        with ExitStack() as stack:
            sockets = [stack.enter_context(each.realtime(ben).opened()) for _ in range(most)]
            until(asked, lambda status: status == 403)
            # Nobody has seen them for that long, as it is after a node was killed.
            each.server.clock.move(timedelta(minutes=6))
            until(asked, lambda status: status == 200)
            if each is world:
                # One has made room for the new client; should it be there all the same, it does not stay.
                until(lambda: any(map(is_closed, sockets)), bool)  # noqa: B023


def is_closed(socket: RealtimeSocket) -> bool:
    try:
        return socket.frame(0.02) == UNAUTHORIZED
    except TimeoutError:
        return False


def test_hundreds_of_allocations_that_get_no_socket_keep_nobody_out(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    assert [world.realtime(ben).allocate().status for _ in range(100)] == [200] * 100
    with world.realtime(ben).opened() as socket_of_ben:
        ada.send(thread, "1")
        assert socket_of_ben.text() == "1"


def test_pings_in_a_flood_and_nonsense_end_their_own_socket_alone(world: RealtimeWorld) -> None:
    ada, ben, eve = world.user(), world.user(), world.user()
    thread = ada.new_thread(ben, eve)
    with world.realtime(ben).opened() as of_ben:
        for flood in (['5:1+::{"name":"ping"}'] * 2_000, ["nonsense"], ["9:::"], ["5:x+::"]):
            client = world.realtime(eve)
            sid, query = client.session_id()
            with socket.create_connection(("127.0.0.1", world.server.port), timeout=20) as connection:
                raw = RawWebSocket.open(connection, f"/socket.io/1/websocket/{sid}?{query}")
                raw.send(*(frame(TEXT, text.encode()) for text in flood))
                while (read := raw.read())[0] not in (0, 0x88):
                    pass
                assert int.from_bytes(read[1][:2], "big") in (1002, 1008)
        ada.send(thread, "1")
        assert of_ben.text() == "1"


def test_a_fragment_or_frame_that_is_too_large_ends_its_own_socket_alone(world: RealtimeWorld) -> None:
    ada, ben, eve = world.user(), world.user(), world.user()
    thread = ada.new_thread(ben, eve)
    piece = b"x" * 40_000
    with world.realtime(ben).opened() as of_ben:
        for frames in (
            [frame(TEXT, b"", length=1 << 40)],
            [frame(TEXT, piece * 2)],
            [frame(FIRST_TEXT, piece), frame(MORE, piece)],
            [frame(FIRST_TEXT, b""), *[frame(MORE, b"x" * 1_000)] * 70],
        ):
            client = world.realtime(eve)
            sid, query = client.session_id()
            with socket.create_connection(("127.0.0.1", world.server.port), timeout=20) as connection:
                raw = RawWebSocket.open(connection, f"/socket.io/1/websocket/{sid}?{query}")
                raw.send(*frames)
                assert raw.read()[1] == b"1::"
                raw.read()
                assert raw.read_close() == 1009
        ada.send(thread, "1")
        assert of_ben.text() == "1"


def test_answers_to_what_was_never_asked_change_nothing(world: RealtimeWorld) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(ben)
    with client.opened(answers=False) as of_ben:
        for id in (0, -1, 1, 10**18):
            of_ben.answer(id)
        of_ben.connection.send("3:::{}")
        of_ben.connection.send('3:::{"id":"x","status":{}}')
        ada.send(thread, "1")
        assert of_ben.text() == "1"
    with client.opened() as of_ben:
        assert of_ben.text() == "1"


def test_a_client_that_reads_nothing_is_closed_and_others_hear_all(world: RealtimeWorld) -> None:
    ada, ben, eve = world.user(), world.user(), world.user()
    thread = ada.new_thread(ben, eve)
    client = world.realtime(eve)
    sid, query = client.session_id()
    count = 300
    with socket.create_connection(("127.0.0.1", world.server.port), timeout=20) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        RawWebSocket.open(connection, f"/socket.io/1/websocket/{sid}?{query}")
        with world.realtime(ben).opened() as of_ben:
            for number in range(count):
                ada.send(thread, f"{number} " + "x" * 20_000)
                assert int(of_ben.text().partition(" ")[0]) == number
    with client.opened() as of_eve:
        assert [int(of_eve.text().partition(" ")[0]) for _ in range(count)] == list(range(count))


def test_a_push_that_the_client_gives_up_ends_the_socket_and_is_passed_over_at_the_fourth_time(
    world: RealtimeWorld,
) -> None:
    ada, ben = world.user(), world.user()
    thread = ada.new_thread(ben)
    client = world.realtime(ben)
    for turn in range(3):
        with client.opened(answers=False) as of_ben:
            if turn == 0:
                ada.send(thread, "poison")
                ada.send(thread, "fine")
            heard = of_ben.message()
            assert (heard.text, of_ben.text()) == ("poison", "fine")
            of_ben.answer(heard.id, status=504)
            of_ben.last_words()
    with client.opened() as of_ben:
        assert of_ben.text() == "fine"
        assert of_ben.hears_nothing()


@pytest.fixture(scope="module")
def closed(fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    settings = fresh_settings(synchronous="OFF", cors_origins=("https://app.example",), realtime_sockets_of_resource=2)
    with running_server(settings) as running:
        yield running


@pytest.fixture
def narrow(closed: RunningServer) -> Iterator[RealtimeWorld]:
    """A world of named origins, and room for two sockets."""
    with SignedClient(closed) as client:
        yield RealtimeWorld(closed, client)


def test_pages_of_foreign_origins_get_no_socket_where_origins_are_named(narrow: RealtimeWorld) -> None:
    for origin, status in (("https://evil.example", 403), ("https://app.example", 101), (None, 101)):
        client = narrow.realtime(narrow.user())
        sid, query = client.session_id()
        assert client.status(sid, query, origin) == status
    client = narrow.realtime(narrow.user())
    for origin, allowed in (("https://evil.example", None), ("https://app.example", "https://app.example")):
        reply = client.ask("POST", f"/v4/a?epid={client.epid}", Origin=origin)
        assert reply.headers.get("access-control-allow-origin") == allowed


def test_a_resource_has_room_for_as_many_sockets_as_the_setting_says(narrow: RealtimeWorld) -> None:
    def refused() -> bool:
        reply = narrow.realtime(narrow.user()).allocate()
        return bool(reply.status == 403 and json.loads(reply.body)["error"]["code"] == "QuotaExceeded")

    with narrow.realtime(narrow.user()).opened(), narrow.realtime(narrow.user()).opened():
        until(refused, bool)
    until(refused, lambda is_refused: not is_refused)


def test_control_frames_of_the_protocol_beneath_do_no_harm(world: RealtimeWorld) -> None:
    client = world.realtime(world.user())
    sid, query = client.session_id()
    with socket.create_connection(("127.0.0.1", world.server.port), timeout=20) as connection:
        raw = RawWebSocket.open(connection, f"/socket.io/1/websocket/{sid}?{query}")
        assert raw.read()[1] == b"1::"
        raw.read()
        raw.send(frame(PING, b"?"))
        assert raw.read() == (0x8A, b"?")
        raw.send(frame(TEXT, b"x" * 70_000))
        assert raw.read_close() == 1009
