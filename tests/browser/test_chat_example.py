"""The page of the example of an app with a chat, in a real Chromium: two people talk, and each sees it at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.chat_app import chat_app, signed_in
from tests.support.chromium import Page, chromium
from tests.support.polling import until
from tests.support.requirements import PROJECT, require
from tests.support.side_by_side import PICTURE, talk

PAGE = PROJECT / "examples/chat/built/page.js"


@contextmanager
def two_pages(app: str, profile: Path) -> Iterator[tuple[Page, Page]]:
    """The pages of Ada and Grace, who are signed in, and connected."""
    with signed_in(app, "hedy") as hedy:
        endpoint = hedy.post("token").json()["endpoint"]
    with chromium(profile, trusting=[endpoint]) as browser:
        pages = browser.new_page(), browser.new_page()
        for page, user in zip(pages, ("ada", "grace"), strict=True):
            page.open(f"{app}{user}/")
            page.run("document.getElementById('enter').click()")
            shows(page, "#state", "live")
        yield pages


@pytest.fixture(scope="module")
def app() -> Iterator[str]:
    require(PAGE.is_file(), "`make test-browser` bundles the page")
    with chat_app(None) as address:
        yield address


def say(page: Page, text: str) -> None:
    page.call("(text) => document.getElementById('text').value = text", text)
    page.run("document.getElementById('sending').requestSubmit()")


def press(page: Page, button: str) -> None:
    """A button of the newest message of one's own."""
    page.call("(text) => [...document.querySelectorAll('.own button')].findLast((each) => each.textContent === text)"
              ".click()", button)  # fmt: skip


def shows(page: Page, selector: str, text: str) -> str:
    return until(lambda: page.text(selector), lambda found: text in found)


def test_two_people_talk_and_see_at_once_what_the_other_does(app: str, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=document.title=1> & <b>bold</b>"
    with two_pages(app, tmp_path / "profile") as (ada, grace):
        shows(ada, ".system", "Grace Hopper came in")
        say(ada, "Shall we have lunch?")
        shows(grace, ".other", "Shall we have lunch?")
        shows(ada, ".own", "read by Grace Hopper")
        grace.run("document.getElementById('text').dispatchEvent(new Event('input'))")
        shows(ada, "#typing", "Grace Hopper is typing")
        say(grace, hostile)
        assert shows(ada, ".other", hostile).startswith("Grace Hopper\n")
        assert ada.text("#typing") == ""
        assert ada.run("document.title") == "Ada Lovelace"
        assert ada.run("document.querySelectorAll('#messages img, #messages b').length") == 0

        press(ada, "Edit")
        say(ada, "Shall we have dinner?")
        assert "edited" in shows(grace, ".other", "Shall we have dinner?")
        press(grace, "Delete")
        shows(ada, ".other", "(deleted)")
        assert not ada.trouble
        assert not grace.trouble


def test_signing_out_ends_one_page_at_once_and_no_other(app: str, tmp_path: Path) -> None:
    with two_pages(app, tmp_path / "profile") as (ada, grace):
        ada.run("document.getElementById('leave').click()")
        shows(ada, "#trouble", "revoked")
        assert ada.text("#login").strip() == "Sign in"
        say(grace, "Are you there?")
        shows(grace, ".own", "Are you there?")
        assert grace.text("#trouble") == ""
        ada.run("document.getElementById('enter').click()")
        shows(ada, ".other", "Are you there?")
        shows(grace, ".own", "read by Ada Lovelace")


def test_both_are_side_by_side_in_one_window(app: str, tmp_path: Path) -> None:
    # A picture of nothing but one colour is far smaller, and that in the README is to stay small.
    assert 20_000 < talk(app, tmp_path).stat().st_size < 100_000
    assert 20_000 < PICTURE.stat().st_size < 100_000


def test_a_browser_that_does_not_trust_the_service_says_what_to_do(app: str, tmp_path: Path) -> None:
    with chromium(tmp_path / "profile") as browser:
        page = browser.new_page()
        page.open(f"{app}ada/")
        page.run("document.getElementById('enter').click()")
        assert "https://localhost:" in shows(page, "#trouble", "watchword trust install")
        assert page.text("#login").strip() == "Sign in"
