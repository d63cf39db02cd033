"""Two people side by side on the page of the example of an app with a chat; and the picture of them in the README.

python -m tests.support.side_by_side
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.support.chat_app import chat_app, signed_in
from tests.support.chromium import Page, chromium
from tests.support.polling import until
from tests.support.requirements import PROJECT

PICTURE = PROJECT / "docs/chat.png"
LEFT, RIGHT = 0, 1
_WIDTH, _HEIGHT = 900, 520


class SideBySide:
    """The page with both of them, who have signed in and are connected."""

    def __init__(self, page: Page, app: str) -> None:
        self.page = page
        page.ask("Emulation.setDeviceMetricsOverride", width=_WIDTH, height=_HEIGHT, deviceScaleFactor=1, mobile=False)
        page.open(app)
        for side in (LEFT, RIGHT):
            self.run(side, "found('enter').click()")
            self.shows(side, "#state", "live")

    def run(self, side: int, script: str) -> object:
        """The value of an expression in one of the frames; `found` looks up what has an id."""
        found = f"((document) => {{ const found = (id) => document.getElementById(id); return {script}; }})"
        return self.page.run(f"{found}(frames[{side}].document)")

    def shows(self, side: int, selector: str, text: str) -> None:
        look = f"[...document.querySelectorAll({json.dumps(selector)})].map((each) => each.innerText).join()"
        until(lambda: str(self.run(side, look)), lambda shown: text in shown)

    def say(self, side: int, text: str) -> None:
        self.run(side, f"[found('text').value = {json.dumps(text)}, found('sending').requestSubmit()]")
        self.shows(side, ".own .said", text)
        self.shows(1 - side, ".other .said", text)

    def type(self, side: int, text: str) -> None:
        self.run(side, f"[found('text').value = {json.dumps(text)}, found('text').dispatchEvent(new Event('input'))]")


def talk(app: str, into: Path) -> Path:
    """The picture of a talk, in the folder."""
    with signed_in(app, "hedy") as hedy:
        endpoint = hedy.post("token").json()["endpoint"]
    with chromium(into / "profile", trusting=[endpoint]) as browser:
        both = SideBySide(browser.new_page(), app)
        both.say(LEFT, "Shall we have lunch?")
        both.say(RIGHT, "Gladly. At noon?")
        both.say(LEFT, "At noon. I bring the punched cards.")
        both.shows(LEFT, ".readers", "read by Grace Hopper")
        both.type(RIGHT, "And I the moth")
        both.shows(LEFT, "#typing", "Grace Hopper is typing")
        assert not both.page.trouble
        both.page.screenshot(into / "chat.png")
    return into / "chat.png"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, chat_app(None) as app:
        PICTURE.write_bytes(talk(app, Path(folder)).read_bytes())
