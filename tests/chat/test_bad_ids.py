"""Identifiers, cursors, page sizes and callers that chat does not take: a right status, a sentence, never a 5xx."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from tests.support.chat_users import identifier, participant
from tests.support.chat_world import World, refused, writes

GUID = "00000000-0000-4000-8000-000000000000"

ODD_SIZES = ["0", "-1", "1.5", "", "ten", "1e9", "99999999999999999999", "٣", "\0", "NaN", "21474836480", "0x1"]
ODD_CURSORS = ["", "A", "====", "A" * 4_000, "../..", "\0", "%00", "é", "MTIz"]
ODD_THREADS = [
    "x",
    "19:",
    "19:x@thread.v2",
    "19:acsV1_..%2f..1@thread.v2",
    "%00",
    "%ff",
    "19%3AacsV1_%F0%9F%98%801%40thread.v2",
    quote("19:acsV1_'; drop table threads; --1@thread.v2", safe=""),
    "19:" + "a" * 5_000 + "@thread.v2",
    f"20:acsV1_{43 * '0'}1@thread.v2",
]
ODD_MESSAGES = [
    "x",
    "0",
    "-1",
    "1.5",
    "1e3",
    "00000000000001",
    "9" * 19,
    "9" * 40,
    "%00",
    "%D9%A3",
    "1795898679444 ",
    "+1",
]
ODD_IDENTIFIERS = [
    "",
    "x",
    "8:acs:",
    "8:acs:invalidUserId",
    f"8:acs:{GUID}",
    f"8:acs:{GUID}_",
    f"8:acs:{GUID}_%00",
    f"8:orgid:{GUID}x",
    "8:orgid:",
    "4:+15551234567",
    f"28:orgid:{GUID}",
    f"48:{GUID}",
    f"8:acs:{GUID}_" + "x" * 10_000,
    "\u202e8:acs:",
    "8:live:somebody",
    f"8:teamsvisitor:{GUID}",
]


@pytest.mark.parametrize("thread", ODD_THREADS)
def test_a_malformed_thread_id_is_refused_at_every_operation(world: World, thread: str) -> None:
    path = f"/chat/threads/{thread}"
    for method, target, body in writes(world):
        if world.thread in target:
            reply = world.ada.ask(method, target.replace(world.thread, path), body)
            # The oldest form of ids is one of 32 digits, so an odd one may be well-formed and unknown.
            refused(reply, 400, 404)
    for of in ("", "/messages", "/participants", "/readReceipts", f"/messages/{world.message}"):
        refused(world.ada.ask("GET", f"{path}{of}"), 400, 404)


@pytest.mark.parametrize("message", ODD_MESSAGES)
def test_a_malformed_message_id_is_refused_at_every_operation(world: World, message: str) -> None:
    before = world.state()
    target = f"{world.thread}/messages/{quote(message, safe='%')}"
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"content": "c"})):
        refused(world.ada.ask(method, target, body), 400, 404)
    refused(world.ada.ask("POST", f"{world.thread}/readReceipts", {"chatMessageId": message}), 400, 404)
    assert world.state() == before


@pytest.mark.parametrize("id", ODD_IDENTIFIERS, ids=ascii)
def test_what_is_no_user_is_refused_and_nobody_is_added(world: World, id: str) -> None:
    before = world.state()
    entries = [participant(world.stranger.id), participant(id)]
    for target, body in (
        ("/chat/threads", {"topic": "t", "participants": entries}),
        (f"{world.thread}/participants/:add", {"participants": entries}),
        (f"{world.thread}/participants/:remove", identifier(id)),
    ):
        message = refused(world.ada.ask("POST", target, body))
        assert len(message) < 400
    assert world.state() == before


def test_users_of_others_are_entries_and_never_members(world: World) -> None:
    teams, missing = f"8:orgid:{GUID}", f"{world.ada.id.partition('_')[0]}_{GUID}"
    entries = [participant(each) for each in (world.foreign.id, teams, missing, world.stranger.id)]
    reply = world.ada.ask("POST", f"{world.thread}/participants/:add", {"participants": entries})
    assert reply.status == 201
    assert {(each["target"], each["code"]) for each in reply.json["invalidParticipants"]} == {
        (world.foreign.id, "403"),
        (teams, "403"),
        (missing, "404"),
    }
    listed = world.ada.ask("GET", f"{world.thread}/participants").json["value"]
    assert [each["communicationIdentifier"]["rawId"] for each in listed] == [
        world.ada.id,
        world.bob.id,
        world.stranger.id,
    ]


def test_a_thread_of_another_resource_is_not_found(world: World) -> None:
    for of in ("", "/messages", "/participants", "/readReceipts", f"/messages/{world.message}"):
        refused(world.foreign.ask("GET", f"{world.thread}{of}"), 404)
    for method, target, body in writes(world):
        if world.thread in target:
            refused(world.foreign.ask(method, target, body), 404)


@pytest.mark.parametrize("text", ODD_SIZES, ids=ascii)
def test_a_page_size_or_skip_of_another_kind_is_refused(world: World, text: str) -> None:
    for target in ("/chat/threads", *(f"{world.thread}/{of}" for of in ("messages", "participants", "readReceipts"))):
        assert "maxPageSize" in refused(world.ada.ask("GET", f"{target}?{urlencode({'maxPageSize': text})}"))
    for of in ("participants", "readReceipts"):
        if text != "0":
            assert "skip" in refused(world.ada.ask("GET", f"{world.thread}/{of}?{urlencode({'skip': text})}"))


def test_a_page_size_above_the_largest_means_the_largest(world: World) -> None:
    for of in ("messages", "participants", "readReceipts"):
        assert world.ada.ask("GET", f"{world.thread}/{of}?maxPageSize=2147483647").status == 200
        assert world.ada.ask("GET", f"{world.thread}/{of}?maxPageSize=1&skip=2147483647").status == 200


@pytest.mark.parametrize("cursor", ODD_CURSORS, ids=lambda each: ascii(each[:10]))
def test_a_cursor_that_is_none_is_refused(world: World, cursor: str) -> None:
    for target in ("/chat/threads", f"{world.thread}/messages"):
        assert "syncState" in refused(world.ada.ask("GET", f"{target}?{urlencode({'syncState': cursor})}"))


def test_a_cursor_is_of_its_list_its_thread_and_its_user(world: World) -> None:
    for _ in range(3):
        world.ada.send(world.thread)
    elsewhere = world.ada.new_thread(world.bob)
    link = world.ada.ask("GET", f"{world.thread}/messages?maxPageSize=2").json["nextLink"]
    cursor = dict(parse_qsl(urlsplit(link).query))["syncState"]
    target = urlencode({"syncState": cursor, "maxPageSize": "2"})
    assert world.ada.ask("GET", f"{world.thread}/messages?{target}").status == 200
    refused(world.bob.ask("GET", f"{world.thread}/messages?{target}"))
    refused(world.ada.ask("GET", f"{elsewhere}/messages?{target}"))
    refused(world.ada.ask("GET", f"/chat/threads?{target}"))
    for at in range(0, len(cursor) - 1, 5):
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        refused(world.ada.ask("GET", f"{world.thread}/messages?{urlencode({'syncState': changed})}"))


def test_a_start_that_is_no_time_is_refused_and_one_that_is_to_come_is_not(world: World) -> None:
    for target in ("/chat/threads", f"{world.thread}/messages"):
        for text in ("", "yesterday", "2020-13-01T00:00:00Z", "1600000000"):
            assert "startTime" in refused(world.ada.ask("GET", f"{target}?{urlencode({'startTime': text})}"))
        for text in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2020-01-01T00:00:00+14:00"):
            assert world.ada.ask("GET", f"{target}?{urlencode({'startTime': text})}").status == 200


@pytest.mark.parametrize("value", ["", " ", "x" * 20_000, "é", "a,b"])
def test_a_repeatability_id_is_opaque(world: World, value: str) -> None:
    headers = {"repeatability-request-id": value}
    first, second = (world.ada.ask("POST", "/chat/threads", {"topic": "t"}, headers=headers) for _ in range(2))
    assert (first.status, second.status) == (201, 201)
    assert (first.json == second.json) == bool(value.strip())


def test_a_repeatability_id_is_of_its_caller_and_the_first_body_counts(world: World) -> None:
    headers = {"repeatability-request-id": "one"}
    first = world.ada.ask("POST", "/chat/threads", {"topic": "first"}, headers=headers)
    second = world.ada.ask("POST", "/chat/threads", {"topic": "second"}, headers=headers)
    assert (second.status, second.body, second.headers["location"]) == (201, first.body, first.headers["location"])
    others = world.bob.ask("POST", "/chat/threads", {"topic": "first"}, headers=headers)
    assert others.json["chatThread"]["id"] != first.json["chatThread"]["id"]
    # A thread that is deleted is not handed out again.
    assert world.ada.ask("DELETE", f"/chat/threads/{first.json['chatThread']['id']}").status == 204
    third = world.ada.ask("POST", "/chat/threads", {"topic": "third"}, headers=headers)
    assert third.json["chatThread"]["topic"] == "third"


def test_a_caller_without_a_users_token_is_told_what_is_wanted(world: World) -> None:
    signed = world.client.call("GET", f"{world.thread}?api-version=2025-03-15")
    operators = world.ada.with_token(world.server.operator_token).ask("GET", world.thread)
    nobody = world.ada.ask("GET", world.thread, headers={"Authorization": ""})
    skype = world.ada.ask("GET", world.thread, headers={"Authorization": "", "X-Skypetoken": world.ada.token})
    for reply in (signed, operators, nobody, skype):
        assert "This operation takes a user's access token" in refused(reply, 401)
        assert "www-authenticate" not in reply.headers


@pytest.mark.parametrize("version", [None, "", "2020-11-01-preview3", "2099-01-01", "2025-03-15 "])
def test_an_api_version_that_is_not_served_is_told_in_both_shapes(world: World, version: str | None) -> None:
    reply = world.ada.ask(
        "GET",
        world.thread if version is None else f"{world.thread}?{urlencode({'api-version': version})}",
        version=None,
    )
    assert "2025-03-15" in refused(reply)


def test_images_are_refused_in_words(world: World) -> None:
    for method, of in (("POST", ""), ("GET", "/1/view/original"), ("DELETE", "/1")):
        reply = world.ada.ask(method, f"{world.thread}/images{of}", version="2024-06-05-preview")
        assert "are not stored here" in refused(reply, 501)


def test_a_path_that_leads_nowhere_is_told_in_chats_shape(world: World) -> None:
    for target in ("/chat", "/chat/threads//messages/x/y", "/Chat/threads/x/members"):
        assert "no operation at this path" in refused(world.ada.ask("GET", target), 404)
    assert set(world.ada.ask("GET", "/identitie").json) == {"error"}
