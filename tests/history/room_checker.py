"""Judges the rooms of a history by its logs alone.

1. A message that was acknowledged is there at the end, once, under its id; none is there twice, and none that nobody
   sent. Of one that was deleted there is no text.
2. Numbers are consecutive, ids grow with them, and a message that was answered before another was sent comes first.
3. Nothing is there of somebody between the message that says they were removed and the one that says they were added.
4. Whoever reads after a removal was acknowledged, and before they were let in again, reads nothing that came after it.
5. Whoever takes part is let in, and reads what was acknowledged before, without a hole.
6. Who was removed is refused when sending: no such attempt that begins after the acknowledgement is answered 201.
7. The door of chat is exact, as introspection is: a dead token is let in by no request that begins after the
   acknowledgement; a live one is refused by none, but while a clock is wrong.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.history.checker import Finding, is_dated_right
from tests.history.events import Any
from tests.history.fates import Truth
from tests.history.room_events import Deleted, Deleting, Entered, Heard, Moved, Moving, Said, Sending, Sent, Transcript
from tests.history.windows import Windows

_FOREVER = 1 << 62


@dataclass(slots=True)
class Stay:
    """One time that somebody was in a room, or out of it, for certain: from an acknowledgement to the next attempt."""

    is_out: bool
    began: int
    ended: int = _FOREVER
    turn: int = 0
    """How many removals there were of them before, this one included."""


@dataclass
class RoomLog:
    """Everything that happened in one room; `transcript` in the order of numbers."""

    sendings: dict[str, Sending] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    deletions: dict[str, tuple[Deleting, int | None]] = field(default_factory=dict)
    """By the id of the message; when it was acknowledged, if it was."""
    heard: list[Heard] = field(default_factory=list)
    moves: list[tuple[Moving, int | None]] = field(default_factory=list)
    transcript: list[Said] = field(default_factory=list)

    def stays(self, user: str) -> list[Stay]:
        found, turn = [Stay(is_out=False, began=0)], 0
        for moving, acknowledged in self.moves:
            if moving.user == user:
                found[-1].ended = moving.began
                turn += moving.is_removal
                if acknowledged is None:
                    return found
                found.append(Stay(moving.is_removal, acknowledged, turn=turn))
        return found

    def removals(self, user: str) -> list[int]:
        """The numbers of the messages that say so."""
        return [each.sequence for each in self.transcript if each.kind == "participantRemoved" and user in each.about]


def read_rooms(events: Iterable[Any]) -> dict[str, RoomLog]:
    """By name."""
    events = list(events)
    rooms: dict[str, RoomLog] = defaultdict(RoomLog)
    room_of: dict[str, str] = {}
    sent: list[Sent] = []
    for event in events:
        match event:
            case Sending():
                rooms[event.room].sendings[event.text] = event
                room_of[event.text] = event.room
            case Sent():
                sent.append(event)
            case Heard():
                rooms[event.room].heard.append(event)
            case Transcript():
                rooms[event.room].transcript = sorted(event.items, key=lambda each: each.sequence)
    for answer in sent:
        rooms[room_of[answer.text]].sent[answer.text] = answer
    for deleting, at in _deletions(events):
        rooms[deleting.room].deletions[deleting.id] = deleting, at
    for moving, at in _moves(events):
        rooms[moving.room].moves.append((moving, at))
    return dict(rooms)


def _deletions(events: Iterable[Any]) -> Iterator[tuple[Deleting, int | None]]:
    """Each attempt, and when it was acknowledged."""
    attempts: list[Deleting] = []
    acknowledged: dict[str, int] = {}
    for event in events:
        match event:
            case Deleting():
                attempts.append(event)
            case Deleted():
                acknowledged[event.id] = event.at
    return ((each, acknowledged.get(each.id)) for each in attempts)


def _moves(events: Iterable[Any]) -> Iterator[tuple[Moving, int | None]]:
    """The first attempt of each number in the order of time, and when the last one was acknowledged."""
    moving: dict[str, Moving] = {}
    acknowledged: dict[str, int] = {}
    for event in events:
        match event:
            case Moving():
                moving.setdefault(event.number, event)
            case Moved():
                acknowledged[event.number] = event.at
    return ((each, acknowledged.get(each.number)) for each in sorted(moving.values(), key=lambda each: each.began))


def judge_room(name: str, log: RoomLog) -> list[Finding]:
    """Rules 1 to 6."""
    rules = (_losses, _order, _absent_writers, _readers, _senders)
    return [Finding(name, rule, facts) for each in rules for rule, facts in each(log)]


def judge_chat_door(truth: Truth, entered: Iterable[Entered], wrong: Windows) -> list[Finding]:
    """Rule 7."""
    findings = []
    for each in entered:
        fate = truth.fates.get(each.jti)
        if fate is None:
            continue
        if each.accepted and fate.dead_from is not None and fate.dead_from < each.began:
            facts = f"token {each.jti}, {(each.began - fate.dead_from) / 1e6:.1f} ms after the acknowledgement"
            findings.append(Finding(each.where, "let into chat when dead", facts))
        is_live = fate.suspect_from is None or each.ended < fate.suspect_from
        is_blamed = not wrong.overlap(each.began, each.ended) and is_dated_right(truth, fate)
        if not each.accepted and is_live and is_blamed:
            findings.append(Finding(each.where, "refused by chat when live", f"token {each.jti}"))
    return findings


def _losses(log: RoomLog) -> Iterator[tuple[str, str]]:
    are_there = {(each.id, each.text) for each in log.transcript if each.kind == "text"}
    texts = [each for each in log.transcript if each.kind == "text" and (each.text or each.id not in log.deletions)]
    for text, answer in log.sent.items():
        _, deleted = log.deletions.get(answer.id, (None, None))
        right = {""} if deleted is not None else {text, ""} if answer.id in log.deletions else {text}
        if answer.id and are_there.isdisjoint((answer.id, each) for each in right):
            yield "an acknowledged message is gone", text
    for text, count in Counter(each.text for each in texts).items():
        if count > 1:
            yield "a message is there twice", text
        if text not in log.sendings:
            yield "a message that nobody sent", text


def _order(log: RoomLog) -> Iterator[tuple[str, str]]:
    for place, (before, after) in enumerate(zip(log.transcript, log.transcript[1:], strict=False), 1):
        if (before.sequence, after.sequence) != (place, place + 1) or int(before.id) >= int(after.id):
            yield "numbers and ids are not in order", f"{before.sequence} and {after.sequence}"
    # Whatever began later than the answer to a message has a higher number.
    latest_begin = 0
    for each in log.transcript:
        if each.text in log.sendings:
            answer = log.sent.get(each.text)
            if answer is not None and answer.id and answer.at < latest_begin:
                yield "a message comes after one that was sent later", each.text
            latest_begin = max(latest_begin, log.sendings[each.text].began)


def _absent_writers(log: RoomLog) -> Iterator[tuple[str, str]]:
    absent: set[str] = set()
    for each in log.transcript:
        if each.kind == "participantRemoved":
            absent.update(each.about)
        elif each.kind == "participantAdded":
            absent.difference_update(each.about)
        elif each.kind == "text" and each.about[0] in absent:
            yield "a removed member wrote", each.text


def _readers(log: RoomLog) -> Iterator[tuple[str, str]]:
    readers = {each.reader for each in log.heard}
    stays = {each: log.stays(each) for each in readers}
    removals = {each: log.removals(each) for each in readers}
    numbers = {each.text: each.sequence for each in log.transcript if each.kind == "text"}
    answered = [(each.at, numbers[text]) for text, each in log.sent.items() if each.id and text in numbers]
    for heard in log.heard:
        stay = next(
            (each for each in stays[heard.reader] if each.began < heard.began and heard.ended < each.ended), None
        )
        shown = [number for number, _ in heard.items or ()]
        if shown and shown != list(range(shown[0], shown[0] - len(shown), -1)):
            yield "a page has a hole", f"{heard.reader}: {shown}"
        if stay is None:
            continue
        if heard.items is None:
            yield "a member was refused" if not stay.is_out else "a removed member may not read", heard.reader
            continue
        newest = max(shown, default=0)
        if stay.is_out:
            if len(removals[heard.reader]) < stay.turn:
                yield "a removal left no message", heard.reader
            elif newest > removals[heard.reader][stay.turn - 1]:
                yield "a removed member read what came afterwards", f"{heard.reader}: {newest}"
        elif newest < max((number for at, number in answered if at < heard.began), default=0):
            yield "a page lacks what was acknowledged before", f"{heard.reader}: {newest}"


def _senders(log: RoomLog) -> Iterator[tuple[str, str]]:
    stays = {each: log.stays(each) for each in {sending.sender for sending in log.sendings.values()}}
    for text, answer in log.sent.items():
        sending = log.sendings[text]
        for stay in stays[sending.sender]:
            if stay.began < sending.began and answer.at < stay.ended and stay.is_out == bool(answer.id):
                yield "a removed member may send" if stay.is_out else "a member was refused", text
