"""Users who hold tokens without being identities of ours: of a Teams tenant, or of an OpenID provider.

As an identity has, each has a generation that its tokens carry and that revoking raises; so what was issued before is
dead on every node, whatever its clock says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from watchword.clock import Clock
from watchword.errors import NotAuthenticated
from watchword.revocations.feed import Feed
from watchword.revocations.store import Revoked, record_all
from watchword.storage import Database, Lock, Transaction
from watchword.storage.database import BESIDE_OLDER, lock_resource
from watchword.storage.purge import Purge

Range: TypeAlias = tuple[str, str]
"""Those from the first to the last, both included, in the order of bytes."""


class ExchangedUsers:
    """`subject` is the skypeid in the tokens, such as `acs:<resource>_wf_<tenant>_<object>`."""

    def __init__(self, database: Database, feed: Feed, clock: Clock) -> None:
        self._database = database
        self._feed = feed
        self._clock = clock

    async def generation(self, resource: int, subject: str) -> int:
        """The generation of the user's tokens from now on; a user who was never seen is noted.

        Raises:
            NotAuthenticated: the resource was deleted since the caller was let in.
        """
        found = await self._database.query(_FIND, resource, subject)
        if not found:
            # An assignment that is taken away meanwhile has either raised this user's generation, or is seen to be gone
            # by whoever looks after this.
            await self._database.transact(
                lambda transaction: transaction.execute(_INSERT, resource, subject),
                BESIDE_OLDER,
                lock_resource(resource),
            )
            found = await self._database.query(_FIND, resource, subject)
        if not found:
            raise NotAuthenticated("The resource was deleted.")
        return int(found[0][0])

    async def revoke(self, resource: int, subject: str) -> bool:
        """Whether the user ever had a token; every one so far is dead when this returns."""
        ended = (subject, subject)
        revoked = await self._database.transact(
            lambda transaction: self.end_tokens(transaction, resource, [ended]), _lock(resource, ended)
        )
        self.wake()
        return revoked > 0

    async def end_tokens(self, transaction: Transaction, resource: int, ended: Sequence[Range]) -> int:
        """How many users had tokens; every one so far is dead once this is committed, and the feed must be woken then.

        It takes the feed's row, so it comes last: nobody else's revocation can commit until this transaction does.
        """
        raised: dict[str, int] = {}
        for each in ended:
            await transaction.lock(_lock(resource, each))
            raised |= dict(await transaction.execute(_RAISE, resource, *each))
        revoked = [Revoked("identity", resource, subject, generation=raised[subject]) for subject in raised]
        await record_all(transaction, revoked, self._clock.micros())
        return len(raised)

    def wake(self) -> None:
        """What `end_tokens` has recorded is committed."""
        self._feed.wake()


def _lock(resource: int, ended: Range) -> Lock:
    return Lock("exchanged_users", "resource = $1 and subject between $2 and $3", (resource, *ended))


def users_of_resource(database: Database) -> Purge:
    async def delete_some(resource: int, most: int) -> int:
        gone = await database.transact(
            lambda transaction: transaction.execute(_PURGE, resource, most), lock_resource(resource)
        )
        return len(gone)

    return Purge(("exchanged_users",), delete_some)


_FIND = "select generation from exchanged_users where resource = $1 and subject = $2"
_INSERT = """
    insert into exchanged_users (resource, subject)
    select number, cast($2 as text) from resources where number = $1 and state = 'active'
    on conflict (resource, subject) do nothing
"""
_RAISE = """
    update exchanged_users set generation = generation + 1
    where resource = $1 and subject between $2 and $3
    returning subject, generation
"""
_PURGE = """
    delete from exchanged_users where resource = $1 and subject in (
        select subject from exchanged_users where resource = $1 order by subject limit $2
    ) returning 1
"""
