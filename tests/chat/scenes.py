"""Threads with everybody in them: who takes part, who was removed, who came back; and messages of every kind for each.

All content holds `SECRET`, so that a refusal which gives some of it away is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tests.support.chat_users import ChatUser, identifier, new_user, participant
from tests.support.data import OtherResource
from tests.support.signed import SignedClient
from watchword.testing import MovableClock, RunningServer

SECRET = "not for everybody"
NEVER, MEMBER, REMOVED, BACK = "never", "member", "removed", "back with later history"
MEMBERSHIPS = (NEVER, MEMBER, REMOVED, BACK)

_A_STEP = timedelta(seconds=10)
_A_DAY_AND_MORE = timedelta(hours=25)


@dataclass(frozen=True)
class Scene:
    """A thread by its path, and the ids of its messages by membership and kind."""

    path: str
    messages: Mapping[str, Mapping[str, str]]


class Cast:
    """The same people in every scene. `users` by membership; `ada` makes the threads, `target` is there to be removed,
    `guest` to be added.

    Of the tokens of `users` those in `expired` and in `revoked` are dead, and those that they have themselves are not.
    """

    def __init__(self, client: SignedClient, server: RunningServer, other: OtherResource) -> None:
        self.client = client
        self.clock: MovableClock = server.clock
        users = {membership: new_user(client) for membership in MEMBERSHIPS}
        self.expired = {membership: user.token for membership, user in users.items()}
        self.clock.move(_A_DAY_AND_MORE)
        self.revoked = {membership: client.new_token(user.id) for membership, user in users.items()}
        for user in users.values():
            assert client.revoke(user.id).status == 204
        self.clock.move(_A_STEP)
        self.users = {membership: user.with_token(client.new_token(user.id)) for membership, user in users.items()}
        self.ada, self.target, self.guest = (new_user(client) for _ in range(3))
        self.foreign = new_user(client, key=other.key)

    def scene(self) -> Scene:
        """A thread that is new, with the clock a little later."""
        ada, member, removed, back = self.ada, *(self.users[each] for each in MEMBERSHIPS[1:])
        thread = ada.new_thread(back, self.target, topic=SECRET, metadata={"k": SECRET})
        early, former = ada.send(thread, SECRET), back.send(thread, SECRET)
        self._remove(thread, back)
        added = self._add(thread, member, removed)
        kinds: dict[str, dict[str, str]] = {
            MEMBER: {"before history": early, "system": added},
            REMOVED: {"before history": early, "system": added},
            BACK: {"before history": former},
        }
        for membership, user in ((MEMBER, member), (REMOVED, removed)):
            kinds[membership] |= _own(user, thread)
        anothers, changed = ada.send(thread, SECRET), ada.send(thread, SECRET)
        self._remove(thread, removed)
        kinds[BACK]["system"] = self._add(thread, back)
        kinds[BACK] |= _own(back, thread)
        after = ada.send(thread, SECRET)
        assert ada.ask("PATCH", f"{thread}/messages/{changed}", {"content": f"{SECRET} any more"}).status == 204
        kinds[MEMBER] |= {"another's": anothers}
        kinds[BACK] |= {"another's": after}
        kinds[REMOVED] |= {"another's": anothers, "after removal": after, "changed after removal": changed}
        kinds[NEVER] = {**kinds[MEMBER], "another's": after}
        # Nobody who never took part has a message of their own.
        del kinds[NEVER]["own"]
        for each in kinds.values():
            each["unknown"] = "1600000000000"
        return Scene(thread, kinds)

    def renewed(self, scene: Scene, membership: str, message: str) -> Scene:
        """One in which nothing that is needed was taken away: with another message, or altogether new."""
        if message == "deleted":
            return scene
        if message != "own":
            return self.scene()
        kinds = {**scene.messages[membership], "own": self.users[membership].send(scene.path, SECRET)}
        return replace(scene, messages={**scene.messages, membership: kinds})

    def _add(self, thread: str, *users: ChatUser) -> str:
        """With history from between what was before and this; the id of the message that says so."""
        self.clock.move(_A_STEP)
        since = _text(self.clock.now() - _A_STEP / 2)
        entries = [participant(user.id, shareHistoryTime=since) for user in users]
        assert self.ada.ask("POST", f"{thread}/participants/:add", {"participants": entries}).status == 201
        [newest] = self.ada.ask("GET", f"{thread}/messages?maxPageSize=1").json["value"]
        assert newest["type"] == "participantAdded"
        id: str = newest["id"]
        return id

    def _remove(self, thread: str, user: ChatUser) -> None:
        assert self.ada.ask("POST", f"{thread}/participants/:remove", identifier(user.id)).status == 204


def _own(user: ChatUser, thread: str) -> dict[str, str]:
    found = {"own": user.send(thread, SECRET), "deleted": user.send(thread, SECRET)}
    assert user.ask("DELETE", f"{thread}/messages/{found['deleted']}").status == 204
    return found


def _text(moment: datetime) -> Any:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
