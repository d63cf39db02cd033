"""The official UI library's chat composite, unmodified, in a real Chromium: it shows what happens, whatever happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import bundle, served
from tests.support.chat_users import ChatUser, identifier, new_user, participant
from tests.support.chromium import Chromium, Page, chromium
from tests.support.polling import until
from tests.support.relays import Relay, relay
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.testing import RunningServer

FOLDER = Path(__file__).parent / "ui"
OPTIONS = ('--define:process.env.NODE_ENV="production"',)

# What a page shows; the texts of messages and all that the composite says around them.
SEEN = "[aria-label='Message seen by others']"

CLOCK = """
let shift = 0;
const Real = Date;
globalThis.Date = class extends Real {
  constructor(...given) { super(...(given.length ? given : [Real.now() + shift])); }
  static now() { return Real.now() + shift; }
};
globalThis.moveClock = (milliseconds) => { shift += milliseconds; };
"""

HOSTILE = {
    "a script": "<script>struck()</script>",
    "a frame with a page": "<iframe srcdoc='<script>parent.struck()</script>'></iframe>",
    "a frame with an address": "<iframe src='javascript:parent.struck()'></iframe>",
    "a form": "<form action='javascript:struck()'><button class='trap'>press</button></form>",
    "a handler": "<img src='x' onerror='struck()'>",
    "a drawing": "<svg onload='struck()'><a href='javascript:struck()' class='trap'>press</a></svg>",
    "a link": "<a class='trap' href='javascript:struck()'>press</a>",
    "a style": "<style>body { display: none }</style>",
    "a style sheet": "<link rel='stylesheet' href='/struck.css'>",
    "a base": "<base href='https://hostile.example/'>",
    "a redirection": "<meta http-equiv='refresh' content='0; url=/struck.html'>",
    "a picture for wide screens": "<img srcset='/struck.png 1x'>",
    "a cover": "<div style='position: fixed; inset: 0; z-index: 9999'>cover</div>",
}


@dataclass
class Room:
    """Ada looks at a thread in the composite, through a relay; Ben acts over REST."""

    server: RunningServer
    client: SignedClient
    browser: Chromium
    address: str
    between: Relay
    ada: ChatUser
    ben: ChatUser
    thread: str
    page: Page

    def enter(self) -> None:
        self.page.ask("Page.addScriptToEvaluateOnNewDocument", source=CLOCK)
        self.page.open(self.address)
        self.page.run("globalThis.struck = () => told.push(['struck'])")
        given = {
            "endpoint": f"https://localhost:{self.between.port}", "thread": self.thread.rpartition("/")[2],
            "user": self.ada.id, "name": "Ada", "token": self.ada.token,
        }  # fmt: skip
        self.page.call("begin", given)

    def shows(self, text: str) -> str:
        return until(partial(self.page.text, "body"), lambda found: text in found)

    def says(self, text: str) -> None:
        """Ada writes into the composite and presses Enter."""
        until(lambda: self.page.run("document.getElementById('sendbox') !== null"), bool)
        self.page.run("document.getElementById('sendbox').focus()")
        self.page.ask("Input.insertText", text=text)
        for kind in ("keyDown", "keyUp"):
            self.page.ask("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13)
        self.shows(text)

    def ids_of(self, content: str) -> list[str]:
        """Which messages say this."""
        messages = self.ben.ask("GET", f"{self.thread}/messages").json["value"]
        return [each["id"] for each in messages if each["content"].get("message") == content]

    def told(self) -> list[Any]:
        """What the application was told."""
        found: list[Any] = self.page.run("told")
        return found

    def counts(self, selector: str) -> int:
        return int(self.page.run(f"document.querySelectorAll({json.dumps(selector)}).length"))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    bundle(FOLDER, "room.jsx", folder, OPTIONS)
    with served(folder) as found:
        yield f"{found}room.html"


@pytest.fixture
def room(tmp_path: Path, address: str) -> Iterator[Room]:
    """A server of its own: its clock is moved."""
    with (
        running_server() as server,
        SignedClient(server) as client,
        relay(server.port) as between,
        chromium(tmp_path / "profile", trusting=[server.endpoint]) as browser,
    ):
        ada, ben = new_user(client), new_user(client)
        named = [participant(ada.id, displayName="Ada"), participant(ben.id, displayName="Ben")]
        thread = ben.new_thread(participants=named)
        yield Room(server, client, browser, address, between, ada, ben, thread, browser.new_page())


def test_it_shows_the_history_and_what_happens_from_then_on(room: Room, tmp_path: Path) -> None:
    room.ben.send(room.thread, "from before", senderDisplayName="Ben")
    room.enter()
    room.shows("from before")
    id = room.ben.send(room.thread, "from then on", senderDisplayName="Ben")
    room.shows("from then on")
    assert "Edited" not in room.page.text("body")
    room.ben.ask("PATCH", f"{room.thread}/messages/{id}", {"content": "thought better of it"})
    assert "Edited" in room.shows("thought better of it")
    room.ben.ask("POST", f"{room.thread}/typing", {"senderDisplayName": "Ben"})
    room.shows("Ben is typing")

    room.says("my own words")
    [own] = until(lambda: room.ids_of("my own words"), bool)
    assert room.counts(SEEN) == 0
    room.ben.ask("POST", f"{room.thread}/readReceipts", {"chatMessageId": own})
    until(lambda: room.counts(SEEN), lambda number: number == 1)
    assert room.page.text("body").count("my own words") == 1
    assert len(room.page.screenshot(tmp_path / "talk.png")) > 10_000

    room.ben.ask("DELETE", f"{room.thread}/messages/{id}")
    until(lambda: room.page.text("body"), lambda found: "thought better of it" not in found)
    room.ben.ask("PATCH", room.thread, {"topic": "Dinner at eight"})
    room.shows("Dinner at eight")
    assert room.told() == []
    # The composite asks a host of its maker's for letters; nothing else may go wrong.
    assert not [each for each in room.page.trouble if "/assets/fonts/" not in each]


def test_it_goes_on_after_a_cut_and_misses_nothing(room: Room) -> None:
    room.enter()
    room.ben.send(room.thread, "before the cut", senderDisplayName="Ben")
    room.shows("before the cut")
    room.between.is_up = False
    room.between.cut()
    room.ben.send(room.thread, "while it was away", senderDisplayName="Ben")
    room.between.is_up = True
    room.shows("while it was away")
    room.says("back again")
    assert room.page.text("body").count("before the cut") == 1


def test_it_goes_on_after_its_token_has_expired(room: Room) -> None:
    path = f"/identities/{room.ada.id}/:issueAccessToken?api-version=2023-10-01"
    body = {"scopes": ["chat"], "expiresInMinutes": 60}
    room.ada = room.ada.with_token(room.client.call("POST", path, body).json["token"])
    room.enter()
    id = room.ben.send(room.thread, "in its time", senderDisplayName="Ben")
    room.shows("in its time")
    # The list may have told of that, but only the socket tells of this.
    room.ben.ask("PATCH", f"{room.thread}/messages/{id}", {"content": "in good time"})
    room.shows("in good time")
    hour = timedelta(minutes=61)
    fresh = room.client.call("POST", path, {"scopes": ["chat"], "expiresInMinutes": 1_440}).json["token"]
    room.page.call("(token, millis) => { fresh = token; moveClock(millis); }", fresh, hour.total_seconds() * 1_000)
    room.server.clock.move(hour)
    room.ben.send(room.thread, "after its time", senderDisplayName="Ben")
    room.shows("after its time")
    assert room.page.run("asked") >= 1
    room.says("with a new token")


def test_whoever_is_removed_is_told_so_and_sees_nothing_after_it(room: Room) -> None:
    room.enter()
    room.ben.send(room.thread, "still here", senderDisplayName="Ben")
    room.shows("still here")
    room.ben.ask("POST", f"{room.thread}/participants/:remove", identifier(room.ada.id))
    until(room.told, lambda found: ["removed", [room.ada.id], room.ben.id] in found)
    room.ben.send(room.thread, "without Ada", senderDisplayName="Ben")
    other = room.ben.new_thread(room.ada)
    room.ben.send(other, "elsewhere")
    until(lambda: room.page.run("heardElsewhere"), lambda found: found == ["elsewhere"])
    assert "without Ada" not in room.page.text("body")


def test_nothing_of_hostile_html_runs_or_changes_the_page(room: Room, tmp_path: Path) -> None:
    before = {name: room.ben.send(room.thread, f"{name}: {html}", type="html") for name, html in HOSTILE.items()}
    room.enter()
    room.page.run("history.pushState({}, '', '#stays')")
    there = room.page.run("location.href")
    for name in before:
        room.shows(f"{name}:")
    struck = "iframe, form, base, meta[http-equiv], link[href*=struck], [srcset], .trap, [style*='9999']"
    assert room.counts(struck) == 0
    for number, (name, html) in enumerate(HOSTILE.items()):
        room.ben.send(room.thread, f"pushed {number}, {name}: {html}", type="html")
        room.ben.ask("PATCH", f"{room.thread}/messages/{before[name]}", {"content": f"edited {number}, {name}: {html}"})
    for number in range(len(HOSTILE)):
        room.shows(f"pushed {number},")
        room.shows(f"edited {number},")
    # Whatever is there to be pressed is pressed.
    room.page.run("[...document.querySelectorAll('.trap, [href^=javascript]')].map((each) => each.click())")
    assert room.told() == []
    assert room.page.run("location.href") == there
    assert room.counts(struck) == 0
    assert room.page.run("getComputedStyle(document.body).display") == "block"
    assert len(room.page.screenshot(tmp_path / "hostile.png")) > 10_000
    room.ben.send(room.thread, "<b>bold</b> and <i>slanted</i>", type="html")
    room.shows("bold and slanted")
