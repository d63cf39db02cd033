"""Which resource a Host names, where each has one of its own: `<name>.<suffix>`, in any case and with any port.

Every other Host is shared by all resources: localhost, an address, the public endpoint.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from watchword.rest.request import Request


class ResourceHosts:
    """`suffix` as it is set, or empty where all resources share every Host."""

    def __init__(self, suffix: str = "") -> None:
        self._ending = f".{suffix.strip('.').lower()}" if suffix.strip(".") else None

    @property
    def are_shared(self) -> bool:
        return self._ending is None

    def name(self, request: Request) -> str | None:
        """The name that the request's Host stands for, of a resource or of none; None where the Host is shared.

        What a trusted proxy forwarded counts where the proxy put a Host of its own.
        """
        ending = self._ending
        if ending is None:
            return None
        return _label(request.headers.get("host", ""), ending) or _label(request.origin.partition("://")[2], ending)

    def endpoint(self, origin: str, name: str) -> str:
        """The address of a resource, on the server that is reached at `origin`."""
        if self._ending is None:
            return origin
        parts = urlsplit(origin)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{name.lower()}{self._ending}{port}"


def _label(authority: str, ending: str) -> str | None:
    bare, _, port = authority.lower().rpartition(":")
    host = (bare if port.isdecimal() else authority.lower()).removesuffix(".")
    return host.removesuffix(ending) or None if host.endswith(ending) else None
