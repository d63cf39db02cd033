"""A certificate of exactly its name for each resource's host: TLS names the host before HTTP does (SNI, RFC 6066).

The server's own certificate holds for the whole suffix by a wildcard, which some clients refuse under a suffix of one
label. So a host is shown a leaf that the local CA signs when it is first asked for. Anybody can ask for any name: only
so many are made in a minute and kept, and whoever comes above that is shown the wildcard.
"""

from __future__ import annotations

import ssl
from collections import OrderedDict, deque
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from watchword.certificates import LocalAuthority, issue_leaf
from watchword.clock import Clock, to_datetime
from watchword.errors import OperatorError
from watchword.http.tls import tls_context_of

_MOST_KEPT = 256
_MOST_IN_A_MINUTE = 60
_LIFETIME = timedelta(days=30)
_RENEWED_BEFORE_EXPIRY = timedelta(days=1)


class HostCertificates:
    """Chooses what a connection is shown, by the name that it asks for."""

    def __init__(self, authority: LocalAuthority, suffix: str, clock: Clock) -> None:
        self._authority = authority
        self._ending = f".{suffix.strip('.').lower()}"
        self._clock = clock
        self._kept: OrderedDict[str, tuple[ssl.SSLContext, datetime]] = OrderedDict()
        self._made: deque[datetime] = deque(maxlen=_MOST_IN_A_MINUTE)

    def choose(self, connection: ssl.SSLObject, name: str | None, default: ssl.SSLContext) -> None:
        """Is made for `SSLContext.sni_callback`; leaves the default where no other one is fit."""
        found = self._context((name or "").lower())
        if found is not None and found is not default:
            connection.context = found

    def _context(self, name: str) -> ssl.SSLContext | None:
        label = name.removesuffix(self._ending)
        if label == name or not label or "." in label:
            return None
        now = to_datetime(self._clock.micros())
        kept = self._kept.get(name)
        if kept is not None and now < kept[1] - _RENEWED_BEFORE_EXPIRY:
            self._kept.move_to_end(name)
            return kept[0]
        if len(self._made) == _MOST_IN_A_MINUTE and now - self._made[0] < timedelta(minutes=1):
            return None
        self._made.append(now)
        try:
            made = self._make(name, now)
        except OperatorError:
            # No name at all, or none that the CA may sign for.
            return None
        self._kept[name] = made
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return made[0]

    def _make(self, name: str, now: datetime) -> tuple[ssl.SSLContext, datetime]:
        leaf, key = issue_leaf(self._authority, [name], now, lifetime=_LIFETIME)
        chain = b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, self._authority.intermediate))
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return tls_context_of(chain, secret), leaf.not_valid_after_utc
