"""The rules of identities: who owns one, and what creating, revoking and deleting mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from watchword.clock import Clock, to_micros
from watchword.errors import IdentityNotFound, IdentityNotOwned
from watchword.identifiers import FlakeMinter, IdentityId, smallest_flake
from watchword.identity.store import IdentityRow, IdentityStore
from watchword.resources.store import Resource
from watchword.revocations.feed import Feed
from watchword.storage.clock_watch import ClockWatch

LARGEST_PAGE = 1_000
_LAST_FLAKE = b"\xff" * 16
_AHEAD_MICROS = 1_000_000


class Identity(msgspec.Struct, frozen=True, gc=False):
    """An identity of a resource, as it is committed."""

    id: IdentityId
    row: IdentityRow


@dataclass(frozen=True, slots=True)
class Filter:
    """Creation times in milliseconds since 1970: from the first on, and before the second."""

    custom_id: str | None = None
    created_from_millis: int = 0
    created_before_millis: int | None = None


class Identities:
    """Every verb first makes sure that the identity is the resource's own."""

    def __init__(
        self,
        store: IdentityStore,
        feed: Feed,
        minter: FlakeMinter,
        *,
        clock: Clock,
        reading_clock: Clock,
        clock_watch: ClockWatch,
    ) -> None:
        self._store = store
        self._feed = feed
        self._minter = minter
        self._clock = clock
        self._reading_clock = reading_clock
        self._clock_watch = clock_watch

    async def create(
        self, resource: Resource, custom_id: str | None = None, *, now_micros: int, with_token: bool = False
    ) -> tuple[Identity, bool]:
        """A new identity, or the one that has the custom id already; and whether it is new.

        `with_token` says that a token will be issued next: the row of a new one says so from the start.
        """
        flake, noted = self._minter.mint(), now_micros if with_token else None
        row = await self._store.insert(
            resource.number, flake, custom_id, created_micros=now_micros, last_token_micros=noted
        )
        return Identity(IdentityId(resource.id, row.flake), row), row.flake == flake

    async def get(self, resource: Resource, id: IdentityId) -> Identity:
        """Find an identity of the resource, as it is committed now.

        Raises:
            IdentityNotOwned: the identifier names another resource.
            IdentityNotFound: there is no such identity now.
        """
        _require_owned(resource, id)
        row = await self._store.find(resource.number, id.flake)
        if row is None:
            raise IdentityNotFound
        return Identity(id, row)

    async def revoke(self, resource: Resource, id: IdentityId) -> None:
        """Every token issued so far is dead when this returns.

        Raises:
            IdentityNotOwned, IdentityNotFound: as `get`.
        """
        _require_owned(resource, id)
        if not await self._store.revoke(resource.number, id, self._reading_clock.micros()):
            raise IdentityNotFound
        self._feed.wake()

    async def cut_off(self, resource: Resource, id: IdentityId, valid_from: datetime, *, now_micros: int) -> None:
        """Tokens issued before `valid_from` are dead; a time that has not come yet means now.

        Assumed: `tokensValidFrom` in the future means now. Taken literally it would also kill tokens that are yet to
        be issued.

        Raises:
            IdentityNotOwned, IdentityNotFound: as `get`.
        """
        micros, now = to_micros(valid_from), self._clock.micros()
        # By the clock that callers know. It may be wrong, and issue times may be ahead of it, after it was set back or
        # where a mark is: then they do not tell which token came before, so all of them go.
        ahead = max(self._reading_clock.micros(), resource.valid_from_micros) > now + _AHEAD_MICROS
        if micros >= now_micros or ahead or await self._clock_watch.misdates(now):
            await self.revoke(resource, id)
            return
        _require_owned(resource, id)
        if not await self._store.cut_off(resource.number, id, max(micros, 0), now_micros=self._reading_clock.micros()):
            raise IdentityNotFound
        self._feed.wake()

    async def delete(self, resource: Resource, id: IdentityId) -> None:
        """The identity, its custom id and all its tokens are gone when this returns.

        Raises:
            IdentityNotOwned, IdentityNotFound: as `get`.
        """
        _require_owned(resource, id)
        if not await self._store.delete(resource.number, id, self._reading_clock.micros()):
            raise IdentityNotFound
        self._feed.wake()

    async def list(self, resource: Resource, wanted: Filter, after: bytes | None, *, most: int) -> list[Identity]:
        """Identities whose flake is above `after`, oldest first; `most` is at most `LARGEST_PAGE`."""
        first = smallest_flake(wanted.created_from_millis)
        before = wanted.created_before_millis
        rows = await self._store.list(
            resource.number,
            # A flake of zeros in its last bytes is never minted, so "above" loses nothing.
            after=max(after or b"", first),
            before=_LAST_FLAKE if before is None else smallest_flake(before),
            custom_id=wanted.custom_id,
            most=most,
        )
        return [Identity(IdentityId(resource.id, row.flake), row) for row in rows]


def _require_owned(resource: Resource, id: IdentityId) -> None:
    if id.resource != resource.id:
        raise IdentityNotOwned
