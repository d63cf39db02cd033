"""Users who hold tokens without being identities of ours: of a Teams tenant, or of an OpenID provider.

As an identity has, each has a generation that its tokens carry and that revoking raises; so what was issued before is
dead on every node, whatever its clock says.
"""

from __future__ import annotations

from watchword.clock import MonotoneClock
from watchword.revocations.feed import Feed
from watchword.revocations.statements import NEXT_CURSOR
from watchword.revocations.store import KEPT_MICROS
from watchword.storage import Database, Transaction


class ExchangedUsers:
    """`subject` is the skypeid in the tokens, such as `acs:<resource>_wf_<tenant>_<object>`."""

    def __init__(self, database: Database, feed: Feed, issue_clock: MonotoneClock) -> None:
        self._database = database
        self._feed = feed
        self._issue_clock = issue_clock

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

        async def record(transaction: Transaction) -> bool:
            raised = await transaction.execute(_RAISE, resource, subject)
            if not raised:
                return False
            await transaction.execute(NEXT_CURSOR)
            kept_until = self._issue_clock.micros() + KEPT_MICROS
            await transaction.execute(_RECORD, subject, resource, raised[0][0], kept_until)
            return True

        revoked = await self._database.transact(record)
        self._feed.wake()
        return revoked

    async def purge(self, resource: int, most: int) -> int:
        """Forget some users of a resource that is being deleted; how many went."""
        return len(await self._database.transact(lambda transaction: transaction.execute(_PURGE, resource, most)))


_FIND = "select generation from exchanged_users where resource = $1 and subject = $2"
_INSERT = "insert into exchanged_users (resource, subject) values ($1, $2) on conflict (resource, subject) do nothing"
_RAISE = """
    update exchanged_users set generation = generation + 1 where resource = $1 and subject = $2 returning generation
"""
_PURGE = """
    delete from exchanged_users where resource = $1 and subject in (
        select subject from exchanged_users where resource = $1 order by subject limit $2
    ) returning 1
"""
# The generation only ever grows, so the newest is the strictest.
_RECORD = """
    insert into revocations (kind, subject, resource, generation, cursor, expires_micros)
    values ('identity', $1, $2, $3, (select cursor from feed), $4)
    on conflict (kind, resource, subject) do update
    set generation = excluded.generation, cursor = excluded.cursor, expires_micros = excluded.expires_micros
"""
