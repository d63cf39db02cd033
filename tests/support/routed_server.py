"""An HTTP server on loopback that gives each path an answer of the test's choosing, and counts who asks."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.scripted_server import HANG_UP, SILENCE

Answer = bytes | Callable[[str], bytes]
"""A whole reply; or what makes one from the raw query."""


@dataclass
class RoutedServer:
    """`received` holds the raw targets in the order in which they came."""

    endpoint: str
    answers: dict[str, Answer]
    received: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    def count(self, path: str) -> int:
        return sum(target.partition("?")[0] == path for target in list(self.received))

    def answer(self, target: str) -> bytes:
        path, _, query = target.partition("?")
        self.received.append(target)
        answer = self.answers.get(path, HANG_UP)
        return answer(query) if callable(answer) else answer


@contextlib.contextmanager
def routed_server(**answers: Answer) -> Iterator[RoutedServer]:
    """Serve on a free port of 127.0.0.1. Paths are given by name: `well_known` for the key set, else `/<name>`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = server.answer(self.path)
            if answer == SILENCE:
                server.ending.wait(timeout=10)
            if answer in (HANG_UP, SILENCE):
                self.close_connection = True
            else:
                self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    paths = {"/.well-known/jwks.json" if name == "well_known" else f"/{name}": each for name, each in answers.items()}
    server = RoutedServer(f"http://127.0.0.1:{listening.server_port}", paths)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.ending.set()
        listening.shutdown()
        thread.join()
        listening.server_close()
