"""A request, as whoever judges it is given it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Request(msgspec.Struct, frozen=True):
    """A request as it stood on the wire.

    `target` is exactly what was signed: path and query as sent. `headers` have lower-case names; a header that was
    sent twice holds both values, joined by a comma, and so matches nothing. `origin` is the address under which the
    client reached us, such as `https://localhost:8443`. `ignored` is for the request log: whoever reads the body adds
    the names of members that only other api-versions know.
    """

    method: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    origin: str
    server_port: int | None
    body: bytes
    ignored: list[str] = []

    def __repr__(self) -> str:
        """Leaves out what may hold a secret."""
        return f"Request({self.method})"
