"""A real Chromium without a window, told what to do over its DevTools protocol."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.sync.client import ClientConnection, connect

from tests.support.polling import until
from tests.support.requirements import require

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-proxy-server", "--no-first-run", "--hide-scrollbars",
    "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0", "--window-size=760,640", "about:blank",
)  # fmt: skip


class Page:
    """A page in a context of its own, without the cookies of others. `trouble` is what it wrote as an error."""

    def __init__(self, connection: ClientConnection, session: str, ids: Iterator[int]) -> None:
        self._connection = connection
        self._session = session
        self._ids = ids
        self.trouble: list[str] = []

    def ask(self, method: str, **parameters: Any) -> Any:
        id = next(self._ids)
        said = {"id": id, "method": method, "params": parameters}
        self._connection.send(json.dumps(said | ({"sessionId": self._session} if self._session else {})))
        while True:
            answer = json.loads(self._connection.recv(timeout=30))
            if answer.get("id") == id:
                assert "error" not in answer, answer
                return answer["result"]
            if answer.get("sessionId") == self._session and _is_trouble(answer):
                self.trouble.append(json.dumps(answer["params"]))

    def open(self, address: str) -> None:
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        self.ask("Page.navigate", url=address)
        until(lambda: self.run("document.readyState"), lambda state: state == "complete")

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript; of a promise what it comes to."""
        found = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def call(self, function: str, *arguments: Any) -> Any:
        """What a function of the page gives."""
        return self.run(f"({function})(...{json.dumps(arguments)})")

    def text(self, selector: str) -> str:
        """What a person reads there; nothing of what is hidden."""
        return str(self.run(f"[...document.querySelectorAll({selector!r})].map((each) => each.innerText).join('\\n')"))

    def screenshot(self, path: Path) -> bytes:
        image = base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
        path.write_bytes(image)
        return image


class Chromium:
    """Opens pages."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._whole = Page(connection, "", self._ids)

    def new_page(self) -> Page:
        context = self._whole.ask("Target.createBrowserContext")["browserContextId"]
        target = self._whole.ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self._whole.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self._connection, session, self._ids)


@contextmanager
def chromium(folder: Path, *, trusting: Sequence[str] = ()) -> Iterator[Chromium]:
    """It keeps what it keeps in the folder; it trusts the certificates at these addresses beside what it trusts."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    require(program is not None, "only a real Chromium can judge it")
    keys = ",".join(map(_key_at, trusting))
    command = [
        str(program), *_OPTIONS[:-1], f"--user-data-dir={folder}", f"--ignore-certificate-errors-spki-list={keys}",
        _OPTIONS[-1],
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            address = next(
                match[1] for line in process.stderr if (match := re.match(r"DevTools listening on (ws://\S+)", line))
            )
            with connect(address, max_size=None, proxy=None) as connection:
                yield Chromium(connection)
        finally:
            process.terminate()


def _key_at(address: str) -> str:
    """The digest of a server's public key, as Chromium wants it named."""
    place = urlsplit(address)
    certificate = x509.load_pem_x509_certificate(
        ssl.get_server_certificate((place.hostname or "", place.port or 443)).encode()
    )
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def _is_trouble(said: dict[str, Any]) -> bool:
    if said["method"] == "Runtime.exceptionThrown":
        return True
    entry = said["params"]["entry"] if said["method"] == "Log.entryAdded" else {}
    return bool(entry.get("level") == "error")
