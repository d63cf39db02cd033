"""Users who hold tokens without being identities of ours: of a Teams tenant, or of an OpenID provider.

As an identity has, each has a generation that its tokens carry and that revoking raises; so what was issued before is
dead on every node, whatever its clock says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from watchword.clock import Clock
from watchword.revocations.feed import Feed
from watchword.revocations.store import Revoked, record_all
from watchword.storage import Database, Transaction

Subjects: TypeAlias = tuple[str, str]
"""Those from the first to the last, both included, in the order of bytes."""


class ExchangedUsers:
    """`subject` is the skypeid in the tokens, such as `acs:<resource>_wf_<tenant>_<object>`."""

    def __init__(self, database: Database, feed: Feed, clock: Clock) -> None:
        self._database = database
        self._feed = feed
        self._clock = clock

    async def generation(self, resource: int, subject: str) -> int:
        """Of the user's tokens from now on; a user who was never seen is noted."""
        found = await self._database.query(_FIND, resource, subject)
        if not found:
            await self._database.transact(lambda transaction: transaction.execute(_INSERT, resource, subject))
            found = await self._database.query(_FIND, resource, subject)
        [(generation,)] = found
        return int(generation)

    async def revoke(self, resource: int, subject: str) -> bool:
        """Whether the user ever had a token; every one so far is dead when this returns."""
        revoked = await self._database.transact(
            lambda transaction: self.end_tokens(transaction, resource, [(subject, subject)])
        )
        self.wake()
        return revoked > 0

    async def end_tokens(self, transaction: Transaction, resource: int, ended: Sequence[Subjects]) -> int:
        """How many users had tokens; every one so far is dead once this is committed, and the feed must be woken then.

        It takes the feed's row, so it comes last: nobody else's revocation can commit until this transaction does.
        """
        raised: dict[str, int] = {}
        for first, last in ended:
            raised |= dict(await transaction.execute(_RAISE, resource, first, last))
        revoked = [Revoked("identity", resource, subject, generation=raised[subject]) for subject in raised]
        await record_all(transaction, revoked, self._clock.micros())
        return len(raised)

    def wake(self) -> None:
        """What `end_tokens` has recorded is committed."""
        self._feed.wake()

    async def purge(self, resource: int, most: int) -> int:
        """Forget some users of a resource that is being deleted; how many went."""
        return len(await self._database.transact(lambda transaction: transaction.execute(_PURGE, resource, most)))


_FIND = "select generation from exchanged_users where resource = $1 and subject = $2"
_INSERT = "insert into exchanged_users (resource, subject) values ($1, $2) on conflict (resource, subject) do nothing"
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
