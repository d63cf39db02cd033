"""The official chat clients in a real Chromium: two users, and all ten events with their values, to both of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import bundle, served
from tests.support.chat_users import new_user
from tests.support.chromium import Chromium, Page, chromium
from tests.support.polling import until
from tests.support.signed import SignedClient
from watchword.testing import RunningServer

FOLDER = Path(__file__).parent / "js"
VERSIONS = {"1.6.0": (), "1.5.4": ("--alias:@azure/communication-chat=chat-1.5.4",)}
TOPIC = '100%41 é 你 %u4f60 "quoted" \\'
BOTH = ("ada", "ben")


@dataclass
class Person:
    """A user, and the page in which the client acts for them."""

    id: str
    page: Page

    def order(self, name: str, **given: Any) -> Any:
        return self.page.call("order", name, given)

    def begin(self, endpoint: str, token: str) -> None:
        self.order("begin", endpoint=endpoint, token=token)
        until(self.states, lambda states: states == ["Connected"])

    def states(self) -> list[str]:
        found: list[str] = self.page.run("states")
        return found

    def hears(self, *names: str) -> list[Any]:
        """Exactly these events, in this order; what the application is given of each."""
        heard: list[Any] = []

        def listen() -> list[Any]:
            heard.extend(self.page.run("takeHeard()"))
            return heard

        until(listen, lambda found: len(found) >= len(names))
        assert [name for name, _ in heard] == list(names), heard
        return [payload for _, payload in heard]


@dataclass
class Talk:
    ada: Person
    ben: Person

    def both_hear(self, name: str) -> dict[str, Any]:
        """One event, to whoever caused it as to the other; what differs is only for whom it is."""
        [first], [second] = self.ada.hears(name), self.ben.hears(name)
        assert (first.pop("recipient", self.ada.id), second.pop("recipient", self.ben.id)) == (self.ada.id, self.ben.id)
        assert first == second
        found: dict[str, Any] = first
        return found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """The address of the page of a version."""
    folder = tmp_path_factory.mktemp("pages")
    with served(folder) as address:

        @cache
        def page(version: str) -> str:
            bundle(FOLDER, "talk.mjs", folder / version, VERSIONS[version])
            return f"{address}{version}/talk.html"

        yield page


@pytest.fixture(scope="module")
def browser(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("profile"), trusting=[server.endpoint]) as browser:
        yield browser


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def talk(
    server: RunningServer, client: SignedClient, browser: Chromium, pages: Callable[[str], str], version: str
) -> Talk:
    people = []
    for _ in BOTH:
        user, page = new_user(client), browser.new_page()
        page.open(pages(version))
        people.append(Person(user.id, page))
        people[-1].begin(server.endpoint, user.token)
    return Talk(*people)


def test_all_ten_events_come_to_both_with_their_values(talk: Talk, client: SignedClient, version: str) -> None:
    ada, ben = talk.ada, talk.ben
    cleo = new_user(client)
    people = [{"id": ada.id, "displayName": "Ada %"}, {"id": ben.id}]

    thread = ada.order("createThread", topic=TOPIC, people=people)
    created = talk.both_hear("chatThreadCreated")
    assert (created["threadId"], created["properties"]["topic"]) == (thread, TOPIC)
    assert (created["createdBy"]["id"], created["createdBy"]["displayName"]) == (ada.id, "Ada %")
    assert [each["id"] for each in created["participants"]] == [ada.id, ben.id]
    assert created["createdOn"].endswith("Z")

    metadata = {"k": "v%41"}
    id = ada.order(
        "send", thread=thread, content="<b>100%</b> &amp; é", type="html", senderDisplayName="Ada %", metadata=metadata
    )
    received = talk.both_hear("chatMessageReceived")
    assert (received["id"], received["version"], received["threadId"]) == (id, id, thread)
    assert (received["type"].lower(), received["message"]) == ("richtext/html", "<b>100%</b> &amp; é")
    assert (received["sender"], received["senderDisplayName"]) == (ada.id, "Ada %")
    assert received["metadata"] == metadata

    assert ben.order("type", thread=thread, senderDisplayName="Ben")
    typing = talk.both_hear("typingIndicatorReceived")
    assert (typing["threadId"], typing["sender"], typing["senderDisplayName"]) == (thread, ben.id, "Ben")

    ben.order("read", thread=thread, id=id)
    read = talk.both_hear("readReceiptReceived")
    assert (read["threadId"], read["sender"], read["chatMessageId"]) == (thread, ben.id, id)
    assert read["readOn"] >= received["createdOn"]

    ada.order("edit", thread=thread, id=id, content="<i>edited</i>", metadata={"k": ""})
    edited = talk.both_hear("chatMessageEdited")
    assert (edited["id"], edited["message"], edited["metadata"]) == (id, "<i>edited</i>", {})
    assert (edited["createdOn"], edited["editedOn"] > edited["createdOn"]) == (received["createdOn"], True)
    assert edited["version"] > received["version"]

    ada.order("erase", thread=thread, id=id)
    deleted = talk.both_hear("chatMessageDeleted")
    assert (deleted["id"], deleted["deletedOn"] > edited["editedOn"]) == (id, True)
    assert "message" not in deleted

    entry = {"id": cleo.id, "displayName": "Cleo %", "since": "2026-01-02T03:04:05.000Z"}
    ben.order("add", thread=thread, people=[entry])
    added = talk.both_hear("participantsAdded")
    assert (added["threadId"], added["addedBy"]["id"]) == (thread, ben.id)
    [who] = added["participantsAdded"]
    assert (who["id"], who["displayName"], who["shareHistoryTime"]) == (cleo.id, "Cleo %", entry["since"])

    ben.order("topic", thread=thread, topic="Dinner %41")
    updated = talk.both_hear("chatThreadPropertiesUpdated")
    assert (updated["threadId"], updated["properties"]["topic"]) == (thread, "Dinner %41")
    assert updated["updatedBy"]["id"] == ben.id

    ada.order("remove", thread=thread, id=cleo.id)
    removed = talk.both_hear("participantsRemoved")
    assert (removed["removedBy"]["id"], [each["id"] for each in removed["participantsRemoved"]]) == (ada.id, [cleo.id])

    ada.order("deleteThread", thread=thread)
    ended = talk.both_hear("chatThreadDeleted")
    assert (ended["threadId"], ended["deletedBy"]["id"]) == (thread, ada.id)
    # Observed: the older client does not tell why.
    assert ended.get("reason") == (None if version == "1.5.4" else "deletedByUser")

    for person in (ada, ben):
        assert person.states() == ["Connected"]
        person.order("end")
        assert not person.page.trouble


def test_whoever_is_removed_hears_of_that_and_of_nothing_after_it(talk: Talk) -> None:
    ada, ben = talk.ada, talk.ben
    thread = ada.order("createThread", topic="Lunch", people=[{"id": ben.id}])
    other = ada.order("createThread", topic="Tea", people=[{"id": ben.id}])
    ada.order("remove", thread=thread, id=ben.id)
    ada.order("send", thread=thread, content="without Ben")
    ada.order("send", thread=other, content="with Ben")
    *_, removed, last = ben.hears(*["chatThreadCreated"] * 2, "participantsRemoved", "chatMessageReceived")
    assert (removed["threadId"], removed["participantsRemoved"][0]["id"]) == (thread, ben.id)
    assert (last["threadId"], last["message"]) == (other, "with Ben")
