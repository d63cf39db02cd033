"""An HTTP server on loopback that answers from a script and remembers every request, byte for byte.

It judges nothing: what a client does when a reply is late, torn or missing is seen here, on a real socket.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

# Entries of a script that are no reply.
HANG_UP = b"hang up"
SILENCE = b"silence"


@dataclass(frozen=True)
class Received:
    """A request as it came; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ScriptedServer:
    """`script` holds the replies that are yet to be given; bytes that are no whole reply are sent and hung up on."""

    endpoint: str
    script: list[bytes]
    received: list[Received] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)


def reply(status: int, body: str = "", **headers: str) -> bytes:
    """A whole reply; an underscore in a header's name stands for a hyphen."""
    lines = [f"HTTP/1.1 {status} Scripted", f"Content-Length: {len(body.encode())}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", body]).encode()


@contextlib.contextmanager
def scripted_server(*script: bytes, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Serve the script on a free port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scheme = "https" if tls else "http"
        server = ScriptedServer(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", list(script))
        threads: list[threading.Thread] = []
        accepting = threading.Thread(target=_accept, args=(listener, server, tls, threads))
        accepting.start()
        try:
            yield server
        finally:
            server.ending.set()
            # A connection of our own wakes accept() on every platform.
            with contextlib.suppress(OSError), socket.create_connection(listener.getsockname()):
                pass
            for thread in (accepting, *threads):
                thread.join(timeout=10)


def _accept(
    listener: socket.socket, server: ScriptedServer, tls: ssl.SSLContext | None, threads: list[threading.Thread]
) -> None:
    while not server.ending.is_set():
        connection, _ = listener.accept()
        if server.ending.is_set():
            connection.close()
            return
        thread = threading.Thread(target=_converse, args=(connection, server, tls))
        threads.append(thread)
        thread.start()


def _converse(connection: socket.socket, server: ScriptedServer, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), connection:
        connection.settimeout(10)
        stream = tls.wrap_socket(connection, server_side=True) if tls else connection
        with stream, stream.makefile("rb") as incoming:
            while (request := _read(incoming)) is not None:
                server.received.append(request)
                if not _answer(stream, server):
                    return


def _read(incoming: BinaryIO) -> Received | None:
    start = incoming.readline()
    if not start:
        return None
    method, target, _ = start.decode("ascii").split(" ")
    headers: dict[str, str] = {}
    while line := incoming.readline().strip():
        name, _, value = line.decode("ascii").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = incoming.read(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body)


def _answer(stream: socket.socket, server: ScriptedServer) -> bool:
    """Whether the connection goes on."""
    answer = server.script.pop(0) if server.script else reply(500, "the script has no further reply")
    if answer == HANG_UP:
        return False
    if answer == SILENCE:
        server.ending.wait(timeout=10)
        return False
    stream.sendall(answer)
    return answer.startswith(b"HTTP/1.1 ") and _is_whole(answer)


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(lengths) and int(lengths[0].partition(b":")[2]) == len(body)
