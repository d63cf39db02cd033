"""The rules of revocation for the server's own doors: exact from the acknowledgement on, read from committed state."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from watchword.clock import Clock
from watchword.errors import Unavailable
from watchword.revocations.feed import Feed
from watchword.revocations.statements import EVERY_RESOURCE
from watchword.revocations.store import RevocationStore
from watchword.storage import Row
from watchword.storage.clock_watch import ClockWatch
from watchword.tokens.cutoffs import CutOffs

_PURGE_EVERY_SECONDS = 30.0


class Revocations:
    """Records what is dead, and knows what is; every verb returns when it is durable."""

    def __init__(self, store: RevocationStore, feed: Feed, clock: Clock) -> None:
        self._store = store
        self._feed = feed
        self._clock = clock

    async def revoke_token(self, token_id: str, resource: int) -> None:
        await self._store.record("token", token_id, resource, now_micros=self._clock.micros())
        self._feed.wake()

    async def revoke_access_key(self, key_id: str, resource: int) -> None:
        """Everything that an access key asked for."""
        await self._store.record("accessKey", key_id, resource, now_micros=self._clock.micros())
        self._feed.wake()

    async def revoke_signing_key(self, kid: str) -> None:
        """Everything that a signing key signed, of every resource."""
        await self._store.record("signingKey", kid, EVERY_RESOURCE, now_micros=self._clock.micros())
        self._feed.wake()

    async def keep_purging(self, clock: Clock, clock_watch: ClockWatch) -> None:
        """Forget what no living token can be concerned by; until cancelled.

        Not in the first minute, and not by a clock that is wrong: what is purged leaves a mark, so nothing that was
        revoked would live again, but tokens that are good would be refused.
        """
        while True:
            await asyncio.sleep(_PURGE_EVERY_SECONDS)
            with contextlib.suppress(Unavailable):
                if clock_watch.may_purge:
                    # By the wall clock: issue times may be years ahead of it, where an earlier run's clock was.
                    await self._store.purge(clock.micros())


def cutoffs(rows: Sequence[Row]) -> CutOffs:
    """The strictest of all kinds; `rows` are those of `statements.standing`."""
    if not rows:
        return _NOTHING
    generation = resource_generation = valid_from = 0
    dead = {"token": False, "accessKey": False, "signingKey": False}
    deleted = False
    for kind, row_generation, row_valid_from, row_deleted in rows:
        deleted = deleted or bool(row_deleted)
        # Of an identity it is the time that somebody named; of a resource, the mark of what was purged.
        valid_from = max(valid_from, row_valid_from)
        if kind == "identity":
            generation = row_generation
        elif kind == "resource":
            resource_generation = row_generation
        else:
            dead[kind] = True
    return CutOffs(
        generation,
        resource_generation,
        valid_from,
        deleted,
        dead["token"],
        dead["accessKey"],
        dead["signingKey"],
    )


_NOTHING = CutOffs()
