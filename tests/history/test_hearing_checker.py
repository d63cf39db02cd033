"""The checker of what listeners hear, on histories written by hand: it finds each bug, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.history.events import Acknowledged, Issued, Outage, Revoking
from tests.history.fates import read_truth
from tests.history.hearing import ListenerLog, read_listeners
from tests.history.hearing_checker import AT_ONCE_NANOS, SETTLED_NANOS, count_repeats, disturbed, judge_listener
from tests.history.hearing_events import (
    ADDED,
    CUT,
    DELETED,
    RECEIVED,
    REMOVED,
    UNAUTHORIZED,
    Closed,
    Listening,
    Opened,
    Pushed,
)
from tests.history.room_checker import read_rooms
from tests.history.room_events import FAREWELL, Deleted, Deleting, Moved, Moving, Said, Sending, Sent, Transcript

ADA, BEN = "ada", "ben"
SECOND = 1_000_000_000
LONG = max(SETTLED_NANOS, AT_ONCE_NANOS) + SECOND

ROOM = [
    Said(1, "1", "participantAdded", [ADA, BEN], ""),
    Said(2, "2", "topicUpdated", [], ""),
    Said(3, "100", "text", [ADA], "one"),
    Said(4, "210", "participantRemoved", [BEN], ""),
    Said(5, "250", "text", [ADA], "between"),
    Said(6, "310", "participantAdded", [BEN], ""),
    Said(7, "350", "text", [BEN], "two"),
]
HAPPENED = (
    *(Moving(200, "1", "r", BEN, True), Moved(220, "1"), Moving(300, "2", "r", BEN, False), Moved(320, "2")),
    *(Sending(90, "r", ADA, "one"), Sent(110, "one", "100"), Sending(245, "r", ADA, "between")),
    *(Sent(255, "between", "250"), Sending(345, "r", BEN, "two"), Sent(355, "two", "350")),
    *(Issued(0, 1, jti, BEN, "key", "primary", 1, "") for jti in ("dead", "live")),
    Listening(50, "l", BEN),
)
TOLD = [(RECEIVED, "100", "one"), (REMOVED, "210", ""), (ADDED, "310", ""), (RECEIVED, "350", "two")]
"""To Ben, as it should be."""

DELETION = (Deleting(400, "r", ADA, "100"), Deleted(410, "100"))


def opened(number: int, at: int, jti: str = "live") -> Opened:
    return Opened(at - 5, at, "l", number, jti)


def push(at: int, number: int, told: tuple[str, str, str], *, is_answered: bool = True) -> Pushed:
    name, id, text = told
    return Pushed(at, "l", number, name, "r", id, text, is_answered)


def pushes(at: int, number: int, told: list[tuple[str, str, str]]) -> list[Pushed]:
    return [push(at + place, number, each) for place, each in enumerate(told)]


def rules(*heard: Any, happened: tuple[Any, ...] = (), room: list[Said] = ROOM) -> list[str]:
    outages = [each for each in happened if isinstance(each, Outage)]
    events = [*HAPPENED, *happened, *heard, Transcript(1 << 60, "r", room)]
    [log] = read_listeners(events).values()
    found = judge_listener(log, read_rooms(events), read_truth(events), disturbed(outages, []))
    return [each.rule for each in found]


def test_what_is_heard_as_it_should_be_has_no_findings() -> None:
    assert rules(opened(1, 60), *pushes(500, 1, TOLD)) == []


@pytest.mark.parametrize("lost", range(len(TOLD)))
def test_what_is_not_heard_is_found(lost: int) -> None:
    kept = [each for place, each in enumerate(TOLD) if place != lost]
    assert rules(opened(1, 60), *pushes(500, 1, kept)) == ["a member did not hear"]


def test_nobody_is_promised_what_began_before_they_listened_or_came_after_the_farewell() -> None:
    later = [*ROOM[:-1], Said(7, "350", "text", [ADA], FAREWELL), Said(8, "360", "text", [ADA], "late")]
    said = (Sending(346, "r", ADA, FAREWELL), Sent(355, FAREWELL, "350"), Sending(356, "r", ADA, "late"))
    told = [*TOLD[1:3], (RECEIVED, "350", FAREWELL)]
    assert rules(Listening(95, "l", BEN), opened(1, 96), *pushes(500, 1, told), happened=said, room=later) == []


def test_an_order_that_is_not_the_rooms_is_found() -> None:
    swapped = [TOLD[0], TOLD[1], TOLD[3], TOLD[2]]
    rule = "not heard in the order of the room"
    # As a whole, and on the one socket.
    assert rules(opened(1, 60), *pushes(500, 1, swapped)) == [rule, rule]
    # On another one, something is heard for the first time that should have come before what is known already.
    first, second = pushes(500, 1, [TOLD[0], TOLD[1], TOLD[3]]), pushes(700, 2, TOLD[1:])
    assert rules(opened(1, 60), *first, Closed(600, "l", 1, CUT), opened(2, 650), *second) == [rule]


def test_what_a_former_socket_tells_late_is_in_order_wherever_the_next_one_has_come_meanwhile() -> None:
    told, again = pushes(500, 1, TOLD[:2]), pushes(600, 2, TOLD[1:])
    # It did not notice that it was followed, or was read later; the next one began with what had no answer.
    for place in range(len(again) + 1):
        heard = [*again[:place], push(700, 1, TOLD[2]), *again[place:]]
        assert rules(opened(1, 60), *told, opened(2, 590), *heard) == [], place


def test_what_is_heard_twice_on_one_socket_is_found() -> None:
    assert rules(opened(1, 60), *pushes(500, 1, TOLD), push(510, 1, TOLD[-1])) == ["not heard in the order of the room"]


def test_what_was_answered_long_before_a_cut_is_not_told_again() -> None:
    def again(first: list[Pushed], *happened: Any) -> list[str]:
        cut = first[-1].at + LONG
        more = (Closed(cut, "l", 1, CUT), opened(2, cut + 10), push(cut + 20, 2, TOLD[-1]))
        return rules(opened(1, 60), *first, *more, happened=happened)

    told = pushes(500, 1, TOLD)
    assert again(told) == ["told again what was answered"]
    # The answer may not have been written down; or it came behind a push without one.
    assert again(told, Outage(400, 600, "database killed", [])) == []
    assert again([*told[:2], push(502, 1, TOLD[2], is_answered=False), told[3]]) == []
    recent = (Closed(550, "l", 1, CUT), opened(2, 560), push(570, 2, TOLD[-1]))
    assert rules(opened(1, 60), *told, *recent) == []
    [log] = read_listeners([opened(1, 60), *told, *recent]).values()
    assert count_repeats(log) == 1


REVOKED = (Revoking(330, "1", "token", "dead"), Acknowledged(340, "1"))


def test_what_was_sent_after_a_revocation_is_not_heard_on_its_socket() -> None:
    ended = Closed(600, "l", 1, UNAUTHORIZED)
    after = rules(opened(1, 60, "dead"), *pushes(500, 1, TOLD), ended, happened=REVOKED)
    assert after == ["heard after the revocation"]
    # What was sent before it may still be under way.
    rest = (opened(2, 610), push(620, 2, TOLD[-1]))
    assert rules(opened(1, 60, "dead"), *pushes(500, 1, TOLD[:-1]), ended, *rest, happened=REVOKED) == []


def test_a_socket_that_outlives_its_token_is_found_and_one_that_opens_afterwards() -> None:
    told = pushes(500, 1, TOLD[:-1])

    def after(*events: Any, away: tuple[Outage, ...] = ()) -> list[str]:
        fresh = (opened(9, LONG + 700), push(LONG + 710, 9, TOLD[-1]))
        return rules(*events, *told, *fresh, happened=(*REVOKED, *away))

    assert after(opened(1, 60, "dead"), Closed(340 + LONG, "l", 1, UNAUTHORIZED)) == ["a socket outlived its token"]
    assert after(opened(1, 60, "dead")) == ["a socket outlived its token"]
    paused = Outage(350, 340 + LONG, "node stopped", [])
    assert after(opened(1, 60, "dead"), Closed(340 + LONG, "l", 1, UNAUTHORIZED), away=(paused,)) == []
    assert after(opened(1, 400, "dead"), Closed(600, "l", 1, UNAUTHORIZED)) == ["a socket opened with a dead token"]


def test_what_happened_between_removal_and_return_is_not_heard() -> None:
    between = [*TOLD[:2], (RECEIVED, "250", "between"), *TOLD[2:]]
    assert rules(opened(1, 60), *pushes(500, 1, between)) == ["heard after the removal"]
    gone = (Deleting(230, "r", ADA, "100"), Deleted(240, "100"))
    room = [*ROOM[:2], Said(3, "100", "text", [ADA], ""), *ROOM[3:]]
    told = [*pushes(120, 1, TOLD[:1]), *pushes(221, 1, [TOLD[1], (DELETED, "100", "")]), *pushes(500, 1, TOLD[2:])]
    assert rules(opened(1, 60), *told, happened=gone, room=room) == ["heard after the removal"]


def test_no_text_of_a_deleted_message_is_heard() -> None:
    room = [*ROOM[:2], Said(3, "100", "text", [ADA], ""), *ROOM[3:]]
    gone = (DELETED, "100", "")
    rest = TOLD[1:]
    assert rules(opened(1, 60), *pushes(500, 1, [gone, *rest]), happened=DELETION, room=room) == []
    assert rules(opened(1, 60), *pushes(120, 1, TOLD), push(500, 1, gone), happened=DELETION, room=room) == []
    rule = "the text of a deleted message was heard"
    assert rules(opened(1, 450), *pushes(500, 1, [*TOLD, gone]), happened=DELETION, room=room) == [rule]
    late = pushes(410 + LONG, 1, [*TOLD, gone])
    assert rules(opened(1, 60), *late, happened=DELETION, room=room) == [rule]
    # It may have been written before, and read a moment later.
    assert rules(opened(1, 60), *pushes(500, 1, [*TOLD, gone]), happened=DELETION, room=room) == []


def test_a_deletion_that_is_not_heard_is_found() -> None:
    room = [*ROOM[:2], Said(3, "100", "text", [ADA], ""), *ROOM[3:]]
    assert rules(opened(1, 60), *pushes(120, 1, TOLD), happened=DELETION, room=room) == ["a member did not hear"]


@pytest.mark.parametrize("wrong", [(RECEIVED, "100", "another"), (RECEIVED, "99", "one")])
def test_what_is_not_there_to_be_read_is_found(wrong: tuple[str, str, str]) -> None:
    told = [wrong, *TOLD] if wrong[1] == "99" else [wrong, *TOLD[1:]]
    assert rules(opened(1, 60), *pushes(500, 1, told)) == ["what was heard is not what is there"]


def test_a_log_keeps_what_was_heard_by_socket_and_by_room() -> None:
    told = pushes(500, 1, TOLD)
    [log] = read_listeners([Listening(50, "l", BEN), opened(1, 60), *told, opened(2, 700)]).values()
    assert isinstance(log, ListenerLog)
    assert (log.user, log.since, log.until) == (BEN, 50, 700)
    assert (log.heard_in("r"), log.heard_in("other"), log.sockets[1].pushes) == (told, [], told)
    assert log.ended(log.sockets[1]) == 700
