"""Sockets whose tokens are no good any more: revoked, expired, of somebody or something deleted. They end at once.
So do those of who is banned, and those that the trusted server closes.

The client is told `unauthorized`, asks its application for another token, and connects with that.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import defaultdict
from collections.abc import Sequence

from watchword.clock import ServiceClock
from watchword.errors import InvalidToken
from watchword.journal.entries import Entry
from watchword.realtime.roster import CLOSING, Roster
from watchword.realtime.session import Session
from watchword.rest.live_tokens import LiveTokens
from watchword.revocations.store import PAGE_OF_MANY, RevocationRow, RevocationStore
from watchword.tokens.cutoffs import CutOffs
from watchword.wire.socket_io import UNAUTHORIZED

_RESOURCES_AT_ONCE = 200
_CHUNK = 250


class Endings:
    """Knows revocations up to `cursor`, and which token expires next."""

    def __init__(
        self, roster: Roster, revocations: RevocationStore, *, live_tokens: LiveTokens, clock: ServiceClock
    ) -> None:
        self._roster = roster
        self._revocations = revocations
        self._live_tokens = live_tokens
        self._clock = clock
        self._expiring: defaultdict[int, list[tuple[int, int, Session]]] = defaultdict(list)
        self._numbers = itertools.count()
        self._cursor: int | None = None

    async def admit(self, session: Session) -> bool:
        """Whether its token is still good; it must be in the roster, so that a revocation from here on finds it.

        Raises:
            Unavailable: the database does not answer.
        """
        if not await self._is_good(session):
            session.end(UNAUTHORIZED)
            return False
        heapq.heappush(self._expiring[session.resource], (session.claims.exp, next(self._numbers), session))
        return True

    async def apply(self, feed_cursor: int) -> None:
        """End whatever is revoked up to there.

        Raises:
            Unavailable: the database does not answer.
        """
        if self._cursor is None or feed_cursor < self._cursor:
            # Whoever is here was asked when they came, after this process had begun to follow; but a restored backup
            # counts from an earlier number.
            self._cursor = 0 if self._cursor is None else self._cursor
            await self.apply_all()
            self._cursor = feed_cursor
        if feed_cursor > self._cursor:
            resources = self._roster.resources
            for place in range(0, max(1, len(resources)), _RESOURCES_AT_ONCE):
                await self._apply_to(resources[place : place + _RESOURCES_AT_ONCE], self._cursor)
            self._cursor = feed_cursor

    async def _apply_to(self, resources: Sequence[int], cursor: int) -> None:
        while True:
            rows = await self._revocations.of_resources(resources, cursor)
            for resource, row in rows:
                await self._end(resource, row)
            if len(rows) < PAGE_OF_MANY:
                return
            cursor = rows[-1][1].cursor

    async def _end(self, resource: int, row: RevocationRow) -> None:
        cutoffs = CutOffs(
            generation=row.generation if row.kind == "identity" else 0,
            resource_generation=row.generation if row.kind == "resource" else 0,
            valid_from_micros=row.valid_from_micros,
            deleted=row.deleted,
            token_revoked=row.kind == "token",
            access_key_revoked=row.kind == "accessKey",
            signing_key_revoked=row.kind == "signingKey",
        )
        for number, session in enumerate(self._roster.concerned(row.kind, resource, row.subject, cutoffs=cutoffs), 1):
            session.end(UNAUTHORIZED)
            if number % _CHUNK == 0:
                await asyncio.sleep(0)

    async def apply_all(self) -> None:
        """Ask of everybody who is here anew: what was revoked meanwhile is not known.

        Raises:
            Unavailable: the database does not answer.
        """
        sessions = list(self._roster.sessions)
        for place in range(0, len(sessions), _CHUNK):
            chunk = sessions[place : place + _CHUNK]
            for session, is_good in zip(chunk, await asyncio.gather(*map(self._is_good, chunk)), strict=True):
                if not is_good:
                    session.end(UNAUTHORIZED)

    def close(self, entries: Sequence[Entry]) -> None:
        """End the sockets of who was banned, and those that were closed, as the entries say."""
        for entry in entries:
            if entry.kind not in CLOSING:
                continue
            subject, _, registration = entry.reference.partition("/")
            user = self._roster.find(entry.resource, subject)
            for session in list(user.sessions) if user is not None else ():
                if registration in ("", str(session.claim.registration)):
                    session.end(UNAUTHORIZED)

    def expire(self) -> None:
        """End those whose time is over."""
        for resource, expiring in list(self._expiring.items()):
            now_seconds = self._clock.micros(resource) // 1_000_000
            while expiring and (expiring[0][0] <= now_seconds or expiring[0][2].has_ended):
                _, _, session = heapq.heappop(expiring)
                if not session.has_ended:
                    session.end(UNAUTHORIZED)
            if not expiring:
                del self._expiring[resource]

    async def _is_good(self, session: Session) -> bool:
        try:
            _, ban = await self._live_tokens.require(session.claims, session.kid)
        except InvalidToken:
            return False
        return ban is None
