"""Which Hosts are answered: every request names one (RFC 9112, section 3.2), and by setting only some will do.

A page of any site can let its own name lead to 127.0.0.1 once the browser has loaded it (DNS rebinding). To the browser
this server then is that site, so the page may send what it likes and read the answers; and whoever knows the access
keys, as everybody does those of `watchword dev`, may do everything. But the browser says in Host whom it thinks it
talks to. TLS prevents the same by itself: no such name is in the certificate.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from watchword.errors import ForeignHost, InvalidHost, OperatorError
from watchword.http.exchange import Exchange
from watchword.http.forwarded import is_authority

_LOOPBACK = "localhost"
"""Nobody can have a name under it: browsers and resolvers answer for it themselves (RFC 6761, section 6.3)."""

_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)


class Hosts:
    """`names` are the only ones, where there are any, besides addresses, loopback names, the public endpoint and what
    is under the suffixes. No proxy's word counts: a page can write forwarding headers too.

    Raises:
        OperatorError: a name is none.
    """

    def __init__(self, names: Sequence[str] = (), public_endpoint: str = "", suffixes: Sequence[str] = ()) -> None:
        for name in names:
            if not _NAME.fullmatch(name.removesuffix(".")):
                raise OperatorError(
                    f"{name!r} is no host name.", "Write --host-names like acs.example, without a port."
                )
        known = [_LOOPBACK, *names, urlsplit(public_endpoint).hostname or "", *suffixes]
        self._names = frozenset(filter(None, map(_normal, known))) if names else None
        under = [_LOOPBACK, *suffixes]
        self._endings = tuple(f".{suffix}" for suffix in map(_normal, under) if suffix)

    def require(self, exchange: Exchange) -> None:
        """Let a request pass whose host is one of this server's.

        Raises:
            InvalidHost: there is none, or no single one.
            ForeignHost: the request is for somebody else.
        """
        host = exchange.headers.get("host")
        if host is None:
            # A client of HTTP/1.0 need not say it, and most of those are what asks for health.
            if exchange.is_modern:
                raise InvalidHost("The Host header is missing.")
        elif not is_authority(host):
            # Of a header that came twice both values are here.
            raise InvalidHost("The Host header is not one host with an optional port.")
        elif self._names is not None and not self._is_known(host):
            raise ForeignHost(host)

    def _is_known(self, host: str) -> bool:
        name = _normal(re.sub(r":[0-9]+\Z", "", host))
        return name in (self._names or ()) or name.endswith(self._endings) or _is_address(name)


def _normal(name: str) -> str:
    return name.lower().strip(".")


def _is_address(name: str) -> bool:
    """No DNS answer can make an address lead elsewhere."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
