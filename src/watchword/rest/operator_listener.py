"""A port of its own for operators: what is theirs is answered there, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from watchword.http.exchange import Exchange

Answering = Callable[[Exchange], Coroutine[Any, Any, None]]


def apart(answer: Answering, operator_answer: Answering, port: int) -> Answering:
    """What answers as the second one on `port`, and as the first on every other."""

    async def choose(exchange: Exchange) -> None:
        # The port is the socket's own; nothing that a client sends changes it.
        await (operator_answer if exchange.connection.server_port == port else answer)(exchange)

    return choose
