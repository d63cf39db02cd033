"""Which way requests leave this machine: straight, or through the proxy that the environment names.

A service on this very machine is never asked through a proxy, which could not reach it. For all others the HTTP library
obeys HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; here stands what people are told of that.
"""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx2

from watchword.client.errors import TransportError


@dataclass(frozen=True)
class Proxy:
    """`variable` names it, or is empty where the system's own settings do; `address` is without its password."""

    variable: str
    address: str

    def __str__(self) -> str:
        return f"the proxy {self.address}, which {self.variable or 'the settings of this system'} names"


def is_loopback(endpoint: str) -> bool:
    """Whether the endpoint's host can only be this machine."""
    try:
        host = urlsplit(endpoint).hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def find_proxy(endpoint: str) -> Proxy | None:
    """The proxy that requests to the endpoint go through, or None where they go straight."""
    if is_loopback(endpoint):
        return None
    parts = urlsplit(endpoint)
    with suppress(ValueError, OSError):
        if urllib.request.proxy_bypass(parts.hostname or ""):
            return None
    return next((proxy for scheme, proxy in _named() if scheme in (parts.scheme, "all")), None)


def advice(endpoint: str) -> str:
    """A sentence to add where no answer came through a proxy; empty where there is none."""
    proxy = find_proxy(endpoint)
    return f" It was asked through {proxy}; hosts in NO_PROXY are asked directly." if proxy else ""


@contextmanager
def proxies_obeyed(endpoint: str) -> Iterator[None]:
    """While a client of the HTTP library is made, which obeys the environment.

    Raises:
        TransportError: the environment names a proxy that cannot be used; the message names the variable.
    """
    try:
        yield
    except (ImportError, ValueError, httpx2.InvalidURL):
        # The library prepares every proxy that is named, so that the one at fault need not be the endpoint's own.
        for _, proxy in _named():
            if objection := _objection(proxy):
                raise TransportError(
                    f"{endpoint} cannot be asked: {proxy}, cannot be used: {objection}. Correct or unset it.",
                    sent=False,
                ) from None
        raise


def _named() -> Iterator[tuple[str, Proxy]]:
    named = urllib.request.getproxies()
    for scheme in ("https", "http", "all"):
        if named.get(scheme):
            lower = f"{scheme}_proxy"
            yield scheme, Proxy(next(filter(os.environ.get, (lower, lower.upper())), ""), _bare(named[scheme]))


def _objection(proxy: Proxy) -> str:
    if proxy.address.startswith("socks"):
        return "SOCKS needs the Python package socksio, which is not installed"
    try:
        httpx2.Proxy(proxy.address if "://" in proxy.address else f"http://{proxy.address}")
    except (ValueError, httpx2.InvalidURL):
        return "it is not of the form http://host:port"
    return ""


def _bare(address: str) -> str:
    """The address without user and password, which a message must not tell."""
    scheme, separator, rest = address.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else address.rpartition("@")[2]
