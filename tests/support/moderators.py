"""A moderator on loopback: a real HTTP server that remembers what it is asked, and answers as a test says."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from watchword.settings import Settings

SECRET = "a secret that the tests share"
ALLOW = {"action": "allow"}

Question = dict[str, Any]
Answer = dict[str, Any] | bytes | tuple[int, bytes, dict[str, str]]


def change(content: str) -> Answer:
    return {"action": "change", "content": content}


def refuse(reason: str) -> Answer:
    return {"action": "refuse", "reason": reason}


@dataclass
class Moderator:
    """`answer` is called in a thread of each question; `release` ends every wait for it."""

    address: str
    answer: Callable[[Question], Answer] = lambda _: ALLOW
    asked: list[Question] = field(default_factory=list)
    forged: list[Question] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def settings(self, **more: Any) -> Settings:
        """A server's that asks it."""
        asked: dict[str, Any] = {
            "moderation_url": self.address,
            "moderation_secret": SECRET,
            # Two seconds may be short on a busy machine.
            "moderation_timeout": 30.0,
            "outbound_networks": ("127.0.0.1",),
            "request_log": False,
            "tls": False,
        }
        return Settings(**(asked | more))

    def hang(self, _: Question) -> Answer:
        """An answer that comes once it is released."""
        self.released.wait(60)
        return ALLOW


@contextmanager
def moderator() -> Iterator[Moderator]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            question = json.loads(body)
            made.asked.append(question)
            if not _is_signed(self.headers["Watchword-Signature"], body):
                made.forged.append(question)
            answer = made.answer(question)
            status, content, headers = answer if isinstance(answer, tuple) else (200, answer, {})
            if isinstance(content, dict):
                content = json.dumps(content).encode()
            # Who asked may have given up.
            with suppress(OSError):
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        made = Moderator(f"http://127.0.0.1:{server.server_port}/moderate")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield made
        finally:
            made.released.set()
            server.shutdown()
            thread.join()


def _is_signed(header: str, body: bytes) -> bool:
    """Written from the documentation, and not with our own code."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    proof = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(proof, parts["v1"])
