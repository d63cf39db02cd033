"""An address as somebody wrote it, read once: what is resolved, what is sent and what a certificate has to name are one
reading, so that no two readers can understand it differently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import httpx2

from watchword.errors import AddressRefused

LONGEST_ADDRESS = 2_048

DEFAULT_PORTS = {"https": 443, "http": 80}

LOWEST_FREE_PORT = 1_024

BLOCKED_PORTS = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
)
"""Of those from 1024 on, where other protocols are spoken. Source: https://fetch.spec.whatwg.org/#port-blocking"""

_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?")
_LONGEST_NAME = 254
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\.?")
"""The last label of what `inet_aton` takes for an address: octal, hexadecimal, or with fewer than four parts."""


@dataclass(frozen=True, slots=True)
class Target:
    """`host` is a name in ASCII and lower case, or an address without brackets; `path` has the query too."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def server_name(self) -> str:
        """What a certificate has to name: a name that ends in a dot is the same one without it."""
        return self.host.rstrip(".")

    @property
    def authority(self) -> str:
        """The Host header."""
        return self.at(self.server_name)

    def at(self, host: str) -> str:
        """The authority with another host or address in its place."""
        shown = f"[{host}]" if ":" in host else host
        return shown if self.port == DEFAULT_PORTS[self.scheme] else f"{shown}:{self.port}"


def read_target(address: str) -> Target:
    """Read what may be called at all, wherever it leads.

    Raises:
        AddressRefused: it is no http or https address, holds a user or a fragment, or has an odd host or port.
    """
    if len(address) > LONGEST_ADDRESS or not address.isprintable() or " " in address or "\\" in address:
        raise AddressRefused(
            f"An address has at most {LONGEST_ADDRESS:,} characters, none of them a blank or backslash."
        )
    try:
        url = httpx2.URL(address)
    except (httpx2.InvalidURL, ValueError):
        raise AddressRefused("It cannot be read as an address, such as https://hooks.example/path.") from None
    if url.scheme not in DEFAULT_PORTS:
        raise AddressRefused("An address begins with https:// or http://.")
    if url.userinfo or "@" in address.partition("://")[2].partition("/")[0]:
        raise AddressRefused("An address holds no user and no password.")
    if url.fragment or "#" in address:
        raise AddressRefused("An address has no fragment (#...): it would not be sent.")
    host = url.raw_host.decode("ascii").lower()
    _require_host(host)
    port = url.port if url.port is not None else DEFAULT_PORTS[url.scheme]
    if (port not in DEFAULT_PORTS.values() and port < LOWEST_FREE_PORT) or port in BLOCKED_PORTS or port > 65_535:
        raise AddressRefused(f"Port {port} is not called: it is 443, 80, or from {LOWEST_FREE_PORT} on and no other's.")
    return Target(url.scheme, host, port, url.raw_path.decode("ascii") or "/")


def read_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, spelled in full; None of a name."""
    try:
        return IPv6Address(host) if ":" in host else IPv4Address(host)
    except AddressValueError:
        return None


def _require_host(host: str) -> None:
    if "%" in host:
        raise AddressRefused("A host has no zone and no percent codes.")
    if read_address(host) is not None:
        return
    if not _NAME.fullmatch(host) or len(host) > _LONGEST_NAME:
        raise AddressRefused("The host is neither a name nor an address.")
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        raise AddressRefused("A host that ends in a number is an address of four decimal numbers, such as 192.0.2.7.")
