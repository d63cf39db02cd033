"""The checker of rooms itself, on histories written by hand: it finds what is wrong, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.history.events import Acknowledged, Issued, Revoking
from tests.history.fates import read_truth
from tests.history.room_checker import judge_chat_door, judge_room, read_rooms
from tests.history.room_events import Deleted, Deleting, Entered, Heard, Moved, Moving, Said, Sending, Sent, Transcript
from tests.history.windows import Windows

ADA, BEN = "ada", "ben"
START = [Said(1, "1", "participantAdded", [ADA, BEN], ""), Said(2, "2", "topicUpdated", [], "")]
GOOD = [
    *START,
    Said(3, "100", "text", [ADA], "one"),
    Said(4, "210", "participantRemoved", [BEN], ""),
    Said(5, "250", "text", [ADA], "two"),
    Said(6, "310", "participantAdded", [BEN], ""),
    Said(7, "350", "text", [BEN], "three"),
]
MOVES = (Moving(200, "1", "r", BEN, True), Moved(220, "1"), Moving(300, "2", "r", BEN, False), Moved(320, "2"))


def sent(began: int, at: int, sender: str, text: str, id: str) -> tuple[Sending, Sent]:
    return Sending(began, "r", sender, text), Sent(at, text, id)


SENT = (*sent(90, 110, ADA, "one", "100"), *sent(245, 255, ADA, "two", "250"), *sent(345, 355, BEN, "three", "350"))


def rules(*events: Any, transcript: list[Said] | None = None) -> list[str]:
    items = GOOD if transcript is None else transcript
    rooms = read_rooms([*MOVES, *SENT, *events, Transcript(9_000, "r", items[::-1])])
    return [finding.rule for finding in judge_room("r", rooms["r"])]


def without(*sequences: int) -> list[Said]:
    return [each for each in GOOD if each.sequence not in sequences]


def test_a_room_as_it_should_be_has_no_findings() -> None:
    heard = [
        Heard(120, 130, "r", BEN, [(3, "one"), (2, ""), (1, "")]),
        # While the removal was under way either is right.
        Heard(205, 215, "r", BEN, [(4, ""), (3, "one")]),
        Heard(260, 270, "r", BEN, [(4, ""), (3, "one")]),
        Heard(305, 315, "r", BEN, [(6, ""), (5, "two")]),
        Heard(360, 370, "r", BEN, [(7, "three"), (6, ""), (5, "two")]),
    ]
    # Nobody knows what became of the one; the other was refused, and so is one that was under way with the removal.
    others = (Sending(130, "r", ADA, "lost"), *sent(230, 240, BEN, "late", ""), *sent(199, 221, BEN, "under way", ""))
    assert rules(*heard, *others) == []


def test_a_message_that_is_gone_or_twice_or_nobodys_is_found() -> None:
    assert set(rules(transcript=without(5))) == {
        "an acknowledged message is gone",
        "numbers and ids are not in order",
    }
    other_id = [*GOOD[:-1], Said(7, "351", "text", [BEN], "three")]
    assert rules(transcript=other_id) == ["an acknowledged message is gone"]
    twice = [*GOOD, Said(8, "360", "text", [BEN], "three")]
    assert rules(transcript=twice) == ["a message is there twice"]
    assert rules(transcript=[*GOOD, Said(8, "360", "text", [ADA], "x")]) == ["a message that nobody sent"]


@pytest.mark.parametrize("said", [Said(9, "400", "text", [ADA], "late"), Said(8, "350", "text", [ADA], "late")])
def test_a_hole_in_the_numbers_and_an_id_that_does_not_grow_are_found(said: Said) -> None:
    assert rules(*sent(380, 390, ADA, "late", said.id), transcript=[*GOOD, said]) == [
        "numbers and ids are not in order"
    ]


def test_a_message_after_one_that_was_sent_later_is_found() -> None:
    late = [*GOOD, Said(8, "400", "text", [ADA], "early")]
    assert rules(*sent(10, 20, ADA, "early", "400"), transcript=late) == [
        "a message comes after one that was sent later"
    ]
    # While both were under way, either may come first.
    assert rules(*sent(10, 350, ADA, "early", "400"), transcript=late) == []


def test_a_message_of_somebody_who_was_removed_is_found() -> None:
    wrote = [*GOOD[:4], Said(5, "250", "text", [BEN], "two"), *GOOD[5:]]
    assert rules(transcript=wrote) == ["a removed member wrote"]


def test_a_removed_member_who_may_send_and_a_member_who_may_not_are_found() -> None:
    more = [*GOOD, Said(8, "400", "text", [BEN], "sent")]
    assert rules(*sent(230, 290, BEN, "sent", "400"), transcript=more)[-1] == "a removed member may send"
    assert rules(*sent(330, 340, BEN, "not sent", "")) == ["a member was refused"]
    assert rules(*sent(290, 340, BEN, "under way", "")) == []


def test_what_a_removed_member_reads_is_held_to_the_removal() -> None:
    assert rules(Heard(260, 270, "r", BEN, [(5, "two"), (4, "")])) == ["a removed member read what came afterwards"]
    assert rules(Heard(205, 270, "r", BEN, [(5, "two"), (4, "")])) == []
    assert rules(Heard(260, 270, "r", BEN, None)) == ["a removed member may not read"]
    assert rules(Heard(360, 370, "r", BEN, None)) == ["a member was refused"]


def test_a_page_that_lacks_something_is_found() -> None:
    assert rules(Heard(360, 370, "r", ADA, [(7, "three"), (5, "two")])) == ["a page has a hole"]
    assert rules(Heard(260, 270, "r", ADA, [(4, ""), (3, "one")])) == ["a page lacks what was acknowledged before"]
    assert rules(Heard(254, 270, "r", ADA, [(4, ""), (3, "one")])) == []


def test_a_removal_without_a_message_is_found() -> None:
    silent = [*GOOD[:3], Said(4, "210", "topicUpdated", [], ""), *GOOD[4:]]
    assert rules(Heard(260, 270, "r", BEN, [(3, "one")]), transcript=silent) == ["a removal left no message"]


def test_a_deleted_message_is_there_without_its_text() -> None:
    def deleted(id: str) -> list[Said]:
        return [
            Said(each.sequence, each.id, each.kind, each.about, "" if each.id == id else each.text) for each in GOOD
        ]

    begun = Deleting(400, "r", ADA, "100")
    assert rules(begun, Deleted(410, "100"), transcript=deleted("100")) == []
    assert rules(begun, Deleted(410, "100")) == ["an acknowledged message is gone"]
    # Nobody knows what became of the attempt.
    assert rules(begun) == rules(begun, transcript=deleted("100")) == []
    others = rules(begun, Deleted(410, "100"), transcript=deleted("250"))
    assert others == [
        "an acknowledged message is gone",
        "an acknowledged message is gone",
        "a message that nobody sent",
    ]


def test_a_removal_that_nobody_acknowledged_promises_nothing() -> None:
    begun = Moving(400, "3", "r", ADA, True)
    more = [*GOOD, Said(8, "420", "text", [ADA], "after")]
    assert rules(begun, *sent(410, 430, ADA, "after", "420"), transcript=more) == []
    assert rules(begun, *sent(410, 430, ADA, "refused", "")) == []


def test_the_door_of_chat_is_exact() -> None:
    dead, live = (Issued(0, 1, jti, identity, "key", "primary", 1, "") for jti, identity in (("d", "x"), ("l", "y")))
    truth = read_truth((dead, live, Revoking(100, "1", "token", "d"), Acknowledged(110, "1")))
    asked = [
        Entered(109, 120, "d", True),
        Entered(111, 120, "d", True),
        Entered(101, 105, "d", False),
        Entered(50, 60, "l", False),
        Entered(500, 510, "l", False),
    ]
    found = judge_chat_door(truth, asked, Windows([(490, 520)]))
    assert [finding.rule for finding in found] == ["let into chat when dead", "refused by chat when live"]
