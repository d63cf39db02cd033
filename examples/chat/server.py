"""An app with a chat: its own trusted server, and a page that talks to Watchword by itself.

    GET /                  two people side by side
    GET /ada/              the page of one of them
    POST /ada/session      -> 204 with a cookie for /ada/: this stands for your app's own login
    POST /ada/token        -> 200 {"endpoint", "thread", "identity", "name", "token"}: what the page needs to chat
    DELETE /ada/token      -> 204; the user is signed out, and every token that they were given is dead

`make example-chat` bundles the page, then runs it. PORT is where it listens, 8000 by default.
"""

import json
import os
import secrets
import signal
import sys
from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
from lobby import Lobby
from service import connection_string

from watchword.client import WatchwordError

FOLDER = Path(__file__).parent
Answer = tuple[int, Mapping[str, object] | None]

# Your app's users, and its sessions, are in your database.
USERS = {"ada": "Ada Lovelace", "grace": "Grace Hopper", "hedy": "Hedy Lamarr"}
SESSIONS: dict[str, str] = {}

HTML = "text/html; charset=utf-8"
FILES = {
    "/": ("both.html", HTML),
    **{f"/{user}/": ("page.html", HTML) for user in USERS},
    "/page.js": ("built/page.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}


class App(BaseHTTPRequestHandler):
    lobby: Lobby

    def do_GET(self) -> None:
        name, kind = FILES.get(self.path, ("", ""))
        if not name or not (FOLDER / name).is_file():
            self.send_error(404)
            return
        self.answer(200, (FOLDER / name).read_bytes(), kind)

    def do_POST(self) -> None:
        user, _, what = self.path.removeprefix("/").partition("/")
        if what == "session" and user in USERS:
            self.sign_in(user)
        else:
            self.answer_user(self.enter)

    def do_DELETE(self) -> None:
        self.answer_user(self.leave)

    def sign_in(self, user: str) -> None:
        session = secrets.token_urlsafe(32)
        SESSIONS[session] = user
        print(f"{USERS[user]} signed in", file=sys.stderr)
        # Two people may share a browser, side by side: the cookie of each is for their own page.
        self.answer(204, b"", cookie=f"session={session}; HttpOnly; SameSite=Strict; Path=/{user}/")

    def answer_user(self, answer: Callable[[str], Answer]) -> None:
        session = SimpleCookie(self.headers.get("Cookie")).get("session")
        user = SESSIONS.get(session.value) if session else None
        status: int
        body: Mapping[str, object] | None
        try:
            if self.path not in {f"/{each}/token" for each in USERS}:
                status, body = 404, {"error": "There is nothing here."}
            elif user is None or self.path != f"/{user}/token":
                status, body = 401, {"error": "Sign in first."}
            else:
                status, body = answer(user)
        except (WatchwordError, httpx2.HTTPError) as error:
            # The reason is for your log; your users can do nothing about it.
            print(f"no chat for {user}: {error}", file=sys.stderr)
            status, body = 503, {"error": "Try again later."}
        self.answer(status, json.dumps(body).encode() if body else b"")

    def enter(self, user: str) -> Answer:
        return 200, self.lobby.enter(user, USERS[user])

    def leave(self, user: str) -> Answer:
        self.lobby.leave(user)
        for session in [each for each, whose in SESSIONS.items() if whose == user]:
            del SESSIONS[session]
        return 204, None

    def answer(self, status: int, content: bytes, kind: str = "application/json", cookie: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        # The page talks to this server and to Watchword, and to nobody else.
        service = f"{self.lobby.endpoint} {self.lobby.endpoint.replace('http', 'ws', 1)}"
        policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; frame-src 'self'; "
        policy += f"connect-src 'self' {service}"
        self.send_header("Content-Security-Policy", policy)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing of each request."""


def main() -> None:
    # What it started ends with it, however it is asked to end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        connection_string() as text,
        ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), App) as server,
    ):
        App.lobby = Lobby(text)
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)


if __name__ == "__main__":
    main()
