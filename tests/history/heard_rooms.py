"""What one listener heard of one room, beside what is there to be read of it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from tests.history.hearing import ListenerLog
from tests.history.hearing_events import ADDED, DELETED, RECEIVED, REMOVED, Pushed
from tests.history.room_checker import RoomLog
from tests.history.room_events import FAREWELL, Said

NOT_HEARD = "a member did not hear"
"""The rule that something of a room was never told to who was in it."""

NAMES = {"text": RECEIVED, "participantAdded": ADDED, "participantRemoved": REMOVED}
"""By which event a kind of message is told; of others none is."""

_NEVER = 1 << 62


@dataclass(slots=True)
class Item:
    """A message of a room as it concerns one user. `began` is the attempt that led to it.

    It is due to them where they were in the room, or it says that they came or went; else it is none of theirs.
    """

    said: Said
    text: str
    began: int
    is_due: bool


def items_for(room: RoomLog, user: str) -> dict[str, Item]:
    """By id, in the order of the room. Everybody is in it from the beginning."""
    texts = {each.id: text for text, each in room.sent.items()}
    moves = _Moves(room)
    items, is_in = {}, True
    for said in room.transcript:
        text, began, is_own = said.text or texts.get(said.id, ""), 0, False
        if said.kind == "text":
            began = room.sendings[text].began if text in room.sendings else 0
        elif said.kind in NAMES and said is not room.transcript[0]:
            is_own = user in said.about
            began = moves.begin_of_next(said)
            is_in = said.kind == "participantAdded" if is_own else is_in
        items[said.id] = Item(said, text, began, is_in or is_own)
    return items


class _Moves:
    """When each was attempted first: the first removal of somebody led to the first message that says so."""

    def __init__(self, room: RoomLog) -> None:
        self._begins: defaultdict[tuple[str, bool], deque[int]] = defaultdict(deque)
        for moving, _ in room.moves:
            self._begins[(moving.user, moving.is_removal)].append(moving.began)

    def begin_of_next(self, said: Said) -> int:
        """0 where none is known, as of a room with a bug."""
        begins = self._begins[(said.about[0], said.kind == "participantRemoved")]
        return begins.popleft() if begins else 0


def judge_heard(room: RoomLog, log: ListenerLog, name: str) -> Iterator[tuple[str, str]]:
    """Rules 1, 2, 4 and 6 of what is heard.

    Each socket tells without a hole, and begins before the first push without an answer. So whatever two of them tell
    at a time, nothing is heard for the first time before something earlier.
    """
    items, heard = items_for(room, log.user), log.heard_in(name)
    yield from _missed(room, log, name, items)
    first: dict[str, Pushed] = {}
    for push in heard:
        item, facts = items.get(push.id), f"{log.user}: {push.id} on socket {push.socket}"
        if push.name == RECEIVED and (item is None or push.text != item.text):
            yield "what was heard is not what is there", facts
        elif push.name in NAMES.values() and item is not None:
            first.setdefault(push.id, push)
            if not item.is_due:
                yield "heard after the removal", facts
    yield from _disorder(items, [each.id for each in first.values()], log.user)
    for number, socket in log.sockets.items():
        told = [each.id for each in socket.pushes if each.room == name and each.name in NAMES.values()]
        yield from _disorder(items, told, f"{log.user} on socket {number}")
    for socket in log.sockets.values():
        yield from _late_deletions(room, log.user, [each for each in socket.pushes if each.room == name])


def _late_deletions(room: RoomLog, user: str, pushes: list[Pushed]) -> Iterator[tuple[str, str]]:
    """On one socket. What was deleted before it was told at all is told so in its place, even after a removal."""
    known: set[str] = set()
    outside = [each for each in room.stays(user) if each.is_out]
    for push in pushes:
        deletion = room.deletions.get(push.id)
        if push.name == RECEIVED:
            known.add(push.id)
        if push.name != DELETED or push.id not in known or deletion is None:
            continue
        if any(each.began < deletion[0].at and push.at < each.ended for each in outside):
            yield "heard after the removal", f"{user}: that {push.id} was deleted"


def _missed(room: RoomLog, log: ListenerLog, name: str, items: dict[str, Item]) -> Iterator[tuple[str, str]]:
    heard = {(each.name, each.id) for each in log.heard_in(name)}
    last = max((each.said.sequence for each in items.values() if each.text.startswith(FAREWELL)), default=_NEVER)
    for id, item in items.items():
        if not item.is_due or item.began <= log.since or item.said.sequence > last or item.said.kind not in NAMES:
            continue
        was_told_deleted = id in room.deletions and (DELETED, id) in heard
        if (NAMES[item.said.kind], id) not in heard and not was_told_deleted:
            yield NOT_HEARD, f"{log.user}: {item.said.kind} {id} {item.text}"
    stays = room.stays(log.user)
    for id, (deleting, acknowledged) in room.deletions.items():
        if acknowledged is None or deleting.at <= log.since or (DELETED, id) in heard:
            continue
        if any(not each.is_out and each.began < deleting.at and acknowledged < each.ended for each in stays):
            yield NOT_HEARD, f"{log.user}: that {id} was deleted"


def _disorder(items: dict[str, Item], told: list[str], who: str) -> Iterator[tuple[str, str]]:
    numbers = [items[id].said.sequence for id in told if id in items]
    for before, after in pairwise(numbers):
        if after <= before:
            yield "not heard in the order of the room", f"{who}: {after} after {before}"
