"""The HTTP server alone, under an application that a test writes."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from watchword.http.exchange import Exchange
from watchword.http.server import HttpServer
from watchword.http.sockets import bind
from watchword.rest.refusals import refusals_worded
from watchword.server.event_loop import run_event_loop
from watchword.wire.errors import describe

Application = Callable[[Exchange], Coroutine[Any, Any, None]]


@contextmanager
def http_server(
    application: Application,
    *,
    tls: ssl.SSLContext | None = None,
    head_deadline: float = 10.0,
    answer_deadline: float = 10.0,
    stop_deadline: float = 1.0,
    move_deadline: float = 5.0,
    keep_alive: float = 75.0,
    shares_sockets: bool = False,
) -> Iterator[tuple[HttpServer, int]]:
    """It, and its port; deadlines in seconds."""
    [listening] = bind(["127.0.0.1"], 0)

    async def serve() -> None:
        server = HttpServer(
            application,
            [listening],
            tls,
            head_deadline=timedelta(seconds=head_deadline),
            body_deadline=timedelta(seconds=10),
            answer_deadline=timedelta(seconds=answer_deadline),
            stop_deadline=timedelta(seconds=stop_deadline),
            keep_alive=timedelta(seconds=keep_alive),
            move_deadline=timedelta(seconds=move_deadline),
            shares_sockets=shares_sockets,
            on_stop=lambda: None,
            word_refusal=refusals_worded(lambda _: describe),
        )
        made.append(server)
        await server.run(is_listening.set)

    made: list[HttpServer] = []
    is_listening = threading.Event()
    thread = threading.Thread(target=lambda: run_event_loop(serve()), daemon=True)
    thread.start()
    try:
        assert is_listening.wait(20)
        yield made[0], listening.getsockname()[1]
    finally:
        made[0].stop()
        thread.join()
        listening.close()
