"""The certificate of a running server: it changes when its files do, and no connection notices."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from watchword.certificates.authority import RENEWED_BEFORE_EXPIRY
from watchword.clock import Clock, to_datetime
from watchword.errors import OperatorError
from watchword.http.tls import load_pair, tls_context, tls_context_of
from watchword.server.certificate import ServerCertificate
from watchword.server.terminal import say

LOOK_SECONDS = 1.0
_RENEWAL_RETRIED_AFTER = timedelta(hours=1)

_log = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int, int] | None, ...]


class LiveCertificate:
    """`context` is what a server shows from now on; `prepare` says which files are in force, and renews the local CA's.

    A new pair is tried apart first. If it does not hold, the one in force stays, and a line says why.

    Raises:
        OperatorError: the files are no certificate chain and its key.
    """

    def __init__(
        self, in_force: ServerCertificate, prepare: Callable[[datetime], ServerCertificate], clock: Clock
    ) -> None:
        self._in_force = in_force
        self._prepare = prepare
        self._clock = clock
        self._loaded = self._stamp()
        self._refused: Stamp = ()
        self._is_refusal_told = False
        self._renews_from = in_force.expires - RENEWED_BEFORE_EXPIRY
        self.context = tls_context(in_force.certificate, in_force.key)

    async def keep_fresh(self) -> None:
        """Runs until it is cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Load what is new. Two files change one after the other, so a pair is called bad when it was so twice."""
        self._renew_if_due()
        stamp = self._stamp()
        if stamp == self._loaded or (stamp == self._refused and self._is_refusal_told):
            return
        try:
            self._load()
        except (OSError, ssl.SSLError) as error:
            self._is_refusal_told = stamp == self._refused
            self._refused = stamp
            if self._is_refusal_told:
                _log.error("the certificate %s was not loaded, and the one before stays: %s", self._what(), error)
            return
        self._loaded, self._refused = stamp, ()
        say(f"watchword: loaded the certificate {self._what()} anew")

    def _renew_if_due(self) -> None:
        now = to_datetime(self._clock.micros())
        if self._in_force.authority is None or now < self._renews_from:
            return
        self._renews_from = now + _RENEWAL_RETRIED_AFTER
        try:
            self._in_force = self._prepare(now)
        except OperatorError as error:
            _log.error("the certificate was not renewed: %s", error)
            return
        self._renews_from = self._in_force.expires - RENEWED_BEFORE_EXPIRY

    def _load(self) -> None:
        chain, key = self._in_force.certificate.read_bytes(), self._in_force.key.read_bytes()
        tls_context_of(chain, key)
        load_pair(self.context, chain, key)

    def _stamp(self) -> Stamp:
        return tuple(_stamp(path) for path in (self._in_force.certificate, self._in_force.key))

    def _what(self) -> str:
        return f"{self._in_force.certificate} with the key {self._in_force.key}"


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Which file it is, also where a link was turned to another one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
