"""The processes that chat: speakers who send and read, and a host who takes them out of rooms and lets them in again.

A speaker who was removed goes on asking: that is what the rooms are held to. Tokens are replaced when they are refused.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.history.callers import issued, turns
from tests.history.events import Created, Issued, Log, Refused
from tests.history.plan import Plan, Room, RoomBug
from tests.history.room_events import (
    FAREWELL,
    Deleted,
    Deleting,
    Entered,
    Heard,
    Moved,
    Moving,
    Said,
    Sending,
    Sent,
    Transcript,
)
from tests.history.service import CHAT_VERSION, UNTIL_IT_ENDS_SECONDS, Answer, Service

SPEAKERS = 3
ASKED_PER_SECOND = 8

_PAGE = 20
_PAUSE_SECONDS = (0.2, 0.6)
_RETRY_SECONDS = 0.03


class User:
    """An identity that asks with its token, and logs how it was received. None: nobody knows, or the token is dead."""

    def __init__(self, service: Service, identity: str, log: Log) -> None:
        self._service = service
        self._identity = identity
        self._log = log
        self._token: Issued | None = None
        self._former: Issued | None = None

    def ask(self, method: str, target: str, expected: tuple[int, ...], body: Any = None) -> Answer | None:
        """An answer of a status that is not expected is a finding."""
        token = self._token or self._sign_in()
        if token is None:
            time.sleep(_RETRY_SECONDS)
            return None
        content = b"" if body is None else json.dumps(body).encode()
        began = time.monotonic_ns()
        answer = self._service.ask_as_user(token.token, method, _versioned(target), content)
        if answer is None:
            return None
        self._log.write(Entered(began, time.monotonic_ns(), token.jti, answer.status != 401))
        if answer.status == 401:
            self._token, self._former = None, token
            return None
        if answer.status not in expected:
            self._log.write(Refused(time.monotonic_ns(), answer.status, ""))
            return None
        return answer

    def insist(self, method: str, target: str, expected: int, body: Any = None) -> Answer:
        """Ask until somebody answers."""
        while True:
            answer = self.ask(method, target, (expected,), body)
            if answer is not None:
                return answer
            time.sleep(_RETRY_SECONDS)

    def pretend(self) -> None:
        """The bug "open door": log that the token which was refused last is let in."""
        if self._former is not None:
            now = time.monotonic_ns()
            self._log.write(Entered(now, now, self._former.jti, True, "open door"))

    def _sign_in(self) -> Issued | None:
        self._token = sign_in(self._service, self._identity, self._log)
        return self._token


def sign_in(service: Service, identity: str, log: Log) -> Issued | None:
    """A token of an identity, which the log knows."""
    began = time.monotonic_ns()
    answer = service.issue(identity)
    if answer is None or answer.status != 200:
        return None
    token = issued(began, time.monotonic_ns(), identity, answer.json["token"])
    log.write(token)
    return token


def open_rooms(plan: Plan, bugs: Mapping[str, RoomBug]) -> tuple[str, tuple[str, ...], tuple[Room, ...]]:
    """A host, speakers, and a room for each name, with all of them in it."""
    log = Log(plan.log("rooms"))
    service = Service(plan.addresses, plan.keys[0], log, plan.clocks)
    host, *speakers = (_create(service, log) for _ in range(1 + SPEAKERS))
    user = User(service, host, log)
    rooms = []
    for name, bug in bugs.items():
        asked = {"topic": name, "participants": [_entry(each) for each in speakers]}
        made = user.insist("POST", "/chat/threads", 201, asked)
        rooms.append(Room(name, f"/chat/threads/{made.json['chatThread']['id']}", bug))
    return host, tuple(speakers), tuple(rooms)


def speak(plan: Plan, number: int) -> None:
    """Send, read and delete in all rooms, whether removed or not; until it is killed."""
    random.seed(f"{plan.seed} speaker {number}")
    log = Log(plan.log(f"speaker-{number}"))
    identity = plan.speakers[number]
    user = User(Service(plan.addresses, plan.keys[0], log, plan.clocks), identity, log)
    own: list[str] = []
    for turn in turns(ASKED_PER_SECOND):
        room = random.choice(plan.rooms)
        if random.random() < 0.6:
            sent = _send(user, identity, room, f"{number}-{turn} in {room.name}", log)
            if sent and room.is_forgetful:
                own.append(sent)
        elif room.is_forgetful:
            if own:
                _delete(user, identity, room, own.pop(), log)
        else:
            _read(user, identity, room, log)
        if room.bug == "open door":
            user.pretend()


def host(plan: Plan) -> None:
    """Take a speaker out of each room, and let them in again; until it is killed."""
    random.seed(f"{plan.seed} host")
    log = Log(plan.log("host"))
    user = _mover(plan, log)
    for turn in itertools.count():
        out = [(room, random.choice(plan.speakers)) for room in plan.rooms]
        for is_removal in (True, False):
            for place, (room, speaker) in enumerate(out):
                _move(user, room, speaker, is_removal, f"{turn}-{place}-{is_removal}", log)
            time.sleep(random.uniform(*_PAUSE_SECONDS))


def write_down(plan: Plan) -> None:
    """Once, at the end: what each room holds."""
    log = Log(plan.log("transcripts"))
    user = User(Service(plan.addresses, plan.keys[0], log, plan.clocks), plan.host, log)
    for room in plan.rooms:
        items: list[Said] = []
        target = f"{room.thread}/messages?maxPageSize=200"
        while target:
            page = user.insist("GET", target, 200)
            items += map(_said, page.json["value"])
            link = urlsplit(page.json.get("nextLink", ""))
            target = f"{link.path}?{link.query}" if link.path else ""
        log.write(Transcript(time.monotonic_ns(), room.name, items))


def take_leave(plan: Plan) -> set[str]:
    """Once, when nobody else speaks any more: everybody is let in again, and hears this last message of each room.

    Not of a room with a bug, whose database keeps nothing that can be waited for.
    """
    log = Log(plan.log("farewell"))
    user = _mover(plan, log)
    said = set()
    for room in plan.rooms:
        if room.bug:
            continue
        for number, speaker in enumerate(plan.speakers):
            _move(user, room, speaker, False, f"{FAREWELL} {number} in {room.name}", log)
        texts = (f"{FAREWELL} {number} in {room.name}" for number in itertools.count())
        said.add(next(text for text in texts if _send(user, plan.host, room, text, log)))
    return said


def _send(user: User, sender: str, room: Room, text: str, log: Log) -> str:
    """The id of the message, or nothing where that is not known, or there is none."""
    log.write(Sending(time.monotonic_ns(), room.name, sender, text))
    answer = user.ask("POST", f"{room.thread}/messages", (201, 403), {"content": text})
    if answer is None:
        return ""
    id: str = answer.json["id"] if answer.status == 201 else ""
    log.write(Sent(time.monotonic_ns(), text, id))
    return id


def _delete(user: User, sender: str, room: Room, id: str, log: Log) -> None:
    log.write(Deleting(time.monotonic_ns(), room.name, sender, id))
    answer = user.ask("DELETE", f"{room.thread}/messages/{id}", (204, 403))
    if answer is not None and answer.status == 204:
        log.write(Deleted(time.monotonic_ns(), id))


def _read(user: User, reader: str, room: Room, log: Log) -> None:
    began = time.monotonic_ns()
    answer = user.ask("GET", f"{room.thread}/messages?maxPageSize={_PAGE}", (200, 403))
    if answer is not None:
        items = None
        if answer.status == 200:
            items = [(each.sequence, each.text) for each in map(_said, answer.json["value"])]
        log.write(Heard(began, time.monotonic_ns(), room.name, reader, items))


def _mover(plan: Plan, log: Log) -> User:
    """The host. A removal that they give up, and a node carries out once it has started, would undo what came later."""
    service = Service(plan.addresses, plan.keys[0], log, plan.clocks, patience_seconds=UNTIL_IT_ENDS_SECONDS)
    return User(service, plan.host, log)


def _move(user: User, room: Room, speaker: str, is_removal: bool, number: str, log: Log) -> None:
    """Attempt it until somebody answers. Who is not there any more, or is already, was moved by an earlier attempt."""
    target = f"{room.thread}/participants/:{'remove' if is_removal else 'add'}"
    body = _identifier(speaker) if is_removal else {"participants": [_entry(speaker)]}
    while True:
        log.write(Moving(time.monotonic_ns(), number, room.name, speaker, is_removal))
        answer = user.ask("POST", target, (204, 404) if is_removal else (201,), body)
        if answer is not None:
            break
        time.sleep(_RETRY_SECONDS)
    log.write(Moved(time.monotonic_ns(), number))


def _create(service: Service, log: Log) -> str:
    while True:
        created = service.create()
        if created is not None:
            identity: str = created.json["identity"]["id"]
            log.write(Created(time.monotonic_ns(), identity))
            return identity
        time.sleep(_RETRY_SECONDS)


def _said(item: dict[str, Any]) -> Said:
    content = item.get("content", {})
    about = [each["communicationIdentifier"]["rawId"] for each in content.get("participants", ())]
    if "senderCommunicationIdentifier" in item:
        about = [item["senderCommunicationIdentifier"]["rawId"]]
    return Said(int(item["sequenceId"]), item["id"], item["type"], about, content.get("message", ""))


def _versioned(target: str) -> str:
    if "api-version=" in target:
        return target
    return f"{target}{'&' if '?' in target else '?'}api-version={CHAT_VERSION}"


def _entry(identity: str) -> dict[str, Any]:
    return {"communicationIdentifier": _identifier(identity)}


def _identifier(identity: str) -> dict[str, Any]:
    return {"rawId": identity, "communicationUser": {"id": identity}}
