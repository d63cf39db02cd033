"""Judges by its logs alone what the listeners of a history heard.

1. Whatever is there of a time in which somebody was in a room, is heard by them: each message, or that it was deleted;
   and who was added and removed, they themselves too.
2. On each socket a room is heard in its order, and so is what is heard for the first time. What is told again, on
   another socket, was not answered, or not for certain: a moment before a cut, or behind a push without an answer.
3. Nothing that was sent after the acknowledgement of a revocation is heard on a socket of its token. Such a socket is
   closed, and no other one opens.
4. Of what happened in a room between one's removal and the time when one is let in again, nothing is heard.
5. No text is heard of a message once its deletion was acknowledged.
6. What is heard of a message is what is there to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tests.history.checker import Finding
from tests.history.events import Outage, Pulse
from tests.history.fates import Truth
from tests.history.heard_rooms import NAMES, judge_heard
from tests.history.hearing import ListenerLog, Socket
from tests.history.hearing_events import RECEIVED, Pushed
from tests.history.room_checker import RoomLog
from tests.history.room_events import DOOR
from tests.history.windows import MACHINE_STOOD_STILL_NANOS, Windows

SETTLED_NANOS = 2_000_000_000
"""An answer that old is written down, for the socket that comes next: that is done each second."""

AT_ONCE_NANOS = 3_000_000_000
"""By then at the latest whatever takes effect at once has done so, on a busy machine too; outages are left out."""

FORBIDDEN = {
    "a socket opened with a dead token",
    "heard after the revocation",
    "heard after the removal",
    "the text of a deleted message was heard",
    "what was heard is not what is there",
}
"""What nobody may ever hear; the other rules are about what they should have heard, and when."""

_RECOVERING_NANOS = 1_500_000_000


def disturbed(outages: Iterable[Outage], pulses: Iterable[Pulse]) -> Windows:
    """When a node, the database or the machine was away, and a moment longer."""
    spans = [(each.began, each.ended) for each in outages if each.what.startswith(("node", "database"))]
    spans += [(each.due, each.came) for each in pulses if each.came - each.due > MACHINE_STOOD_STILL_NANOS]
    return Windows((began, ended + _RECOVERING_NANOS) for began, ended in spans)


def judge_listener(log: ListenerLog, rooms: Mapping[str, RoomLog], truth: Truth, away: Windows) -> list[Finding]:
    """`away` is when somebody was, whom it takes."""
    findings = [Finding(DOOR, rule, facts) for rule, facts in _dead_sockets(log, rooms, truth, away)]
    for name, room in rooms.items():
        rules = (judge_heard(room, log, name), _told_again(log, name, away), _deleted_texts(room, log, name, away))
        findings += [Finding(name, rule, facts) for each in rules for rule, facts in each]
    return findings


def closing_delays(log: ListenerLog, truth: Truth, away: Windows) -> list[int]:
    """From the acknowledgement of a revocation to the end of each socket of its token, where nobody was away."""
    found = []
    for socket in log.sockets.values():
        dead_from, ended = truth.fates[socket.opened.jti].dead_from, log.ended(socket)
        if dead_from is not None and socket.opened.at < dead_from < ended and not away.overlap(dead_from, ended):
            found.append(ended - dead_from)
    return found


def count_repeats(log: ListenerLog) -> int:
    told = [(each.room, each.name, each.id) for each in log.pushes if each.name in NAMES.values()]
    return len(told) - len(set(told))


def _dead_sockets(
    log: ListenerLog, rooms: Mapping[str, RoomLog], truth: Truth, away: Windows
) -> Iterator[tuple[str, str]]:
    for socket in log.sockets.values():
        dead_from = truth.fates[socket.opened.jti].dead_from
        if dead_from is None:
            continue
        facts = f"{log.user}, socket {socket.opened.socket}, token {socket.opened.jti}"
        if socket.opened.began > dead_from:
            yield "a socket opened with a dead token", facts
        if _calm_nanos(dead_from, log.ended(socket), away) > AT_ONCE_NANOS:
            told = max((each.at for each in socket.pushes), default=0)
            how = "still open" if socket.closed is None else f"{socket.closed.how} at {socket.closed.at}"
            yield "a socket outlived its token", f"{facts}, dead from {dead_from}, last push at {told}, {how}"
        for push in socket.pushes:
            room = rooms.get(push.room)
            sending = None if room is None or push.name != RECEIVED else room.sendings.get(push.text)
            if sending is not None and sending.began > dead_from:
                yield "heard after the revocation", f"{facts}: {push.text}"


def _told_again(log: ListenerLog, room: str, away: Windows) -> Iterator[tuple[str, str]]:
    settled: dict[tuple[str, str], int] = {}
    for number, socket in sorted(log.sockets.items()):
        pushes = [each for each in socket.pushes if each.room == room and each.name in NAMES.values()]
        for push in pushes:
            before = settled.get((push.name, push.id), number)
            if before != number:
                yield "told again what was answered", f"{log.user}: {push.id} on sockets {before} and {number}"
        known = {each.id for each in _settled(log, socket, away)}
        settled |= {(each.name, each.id): number for each in pushes if each.id in known}


def _settled(log: ListenerLog, socket: Socket, away: Windows) -> list[Pushed]:
    """What was answered early enough before the end of its socket."""
    found = []
    for push in socket.pushes:
        written = push.at + SETTLED_NANOS
        if not push.is_answered or written > log.ended(socket):
            break
        if not away.overlap(push.at, written):
            found.append(push)
    return found


def _deleted_texts(room: RoomLog, log: ListenerLog, name: str, away: Windows) -> Iterator[tuple[str, str]]:
    for push in log.heard_in(name):
        _, deleted = room.deletions.get(push.id, (None, None))
        if push.name != RECEIVED or not push.text or deleted is None:
            continue
        was_begun = log.sockets[push.socket].opened.began < deleted
        if not was_begun or _calm_nanos(deleted, push.at, away) > AT_ONCE_NANOS:
            yield "the text of a deleted message was heard", f"{log.user}: {push.text}"


def _calm_nanos(began: int, ended: int, away: Windows) -> float:
    return (ended - began) * (1 - away.share_of(began, ended)) if began < ended else 0
