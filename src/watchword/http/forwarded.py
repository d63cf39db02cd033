"""Tells under which address the client reached us.

Behind a proxy the answer stands in `Forwarded` (RFC 7239) or `X-Forwarded-*`, which anybody can write; so they count
only when the connection comes from a proxy that the operator trusts, and a public endpoint by setting beats both.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence

from watchword.bounded_cache import bounded_cache
from watchword.errors import OperatorError
from watchword.http.exchange import Connection

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@bounded_cache(most_entries=256, longest_text=260)
def is_authority(host: str) -> bool:
    """Whether a Host header names a host, with or without a port."""
    return _AUTHORITY.fullmatch(host) is not None


class Origins:
    """Tells under which address a client reached the server.

    Raises:
        OperatorError: a trusted proxy is no address and no network.
    """

    def __init__(self, public_endpoint: str | None = None, trusted_proxies: Sequence[str] = ()) -> None:
        # An address without a scheme is of https, as in a connection string.
        scheme = "" if "://" in (public_endpoint or "") else "https://"
        self._public_endpoint = scheme + public_endpoint.rstrip("/") if public_endpoint else None
        self.public_host = self._public_endpoint.partition("://")[2] if self._public_endpoint else None
        self._trusted = [_network(text) for text in trusted_proxies]

    def origin(self, connection: Connection, headers: Mapping[str, str]) -> str:
        """Scheme and authority, such as `https://localhost:8443`."""
        if self._public_endpoint is not None:
            return self._public_endpoint
        scheme, host = connection.scheme, headers.get("host", "")
        if self._trusted and self._is_trusted(connection.client_host):
            scheme, host = _forwarded(headers, scheme, host)
        return f"{scheme}://{host if is_authority(host) else 'localhost'}"

    @staticmethod
    def is_loopback(host: str) -> bool:
        """Whether a Host header names this machine to itself, with or without a port."""
        return re.sub(r":[0-9]+$", "", host).lower() in _LOOPBACK_NAMES

    def _is_trusted(self, client: str | None) -> bool:
        try:
            address = ipaddress.ip_address(client or "")
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


def _forwarded(headers: Mapping[str, str], scheme: str, host: str) -> tuple[str, str]:
    # The last element is the one that our own proxy added; those before it came from further away.
    standard = headers.get("forwarded", "").rpartition(",")[2]
    pairs = dict(part.strip().lower().partition("=")[::2] for part in standard.split(";") if "=" in part)
    proto = pairs.get("proto") or _last(headers, "x-forwarded-proto")
    named = pairs.get("host") or _last(headers, "x-forwarded-host")
    proto, named = proto.strip('"').lower(), named.strip('"')
    return (proto if proto in ("http", "https") else scheme), (named or host)


def _last(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name, "").rpartition(",")[2].strip()


def _network(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise OperatorError(
            f"{text!r} is not an address or a network.", "Name trusted proxies like 127.0.0.1 or 10.0.0.0/8."
        ) from None
