"""A port of its own for operators: what is theirs is answered there, and nowhere else."""

from __future__ import annotations

from typing import Any


def apart(http: Any, operator_http: Any, port: int) -> Any:
    """An ASGI application that answers as the second one on `port`, and as the first on every other."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        # The port is the socket's own; nothing that a client sends changes it.
        chosen = operator_http if scope["server"][1] == port else http
        await chosen(scope, receive, send)

    return answer
