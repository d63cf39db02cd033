"""A table that the schema of the release before does not have; while nodes are replaced one by one, it comes later."""

from __future__ import annotations

from watchword.clock import steady_seconds
from watchword.storage.database import Database, Transaction

_LOOK_AGAIN_SECONDS = 1.0


class NewTable:
    """The table `name`, which is there from `version` on. Once it was seen, nobody looks again."""

    def __init__(self, database: Database, *, version: int, name: str) -> None:
        self._database = database
        self._name = name
        self._look_again = 0.0
        self.was_seen = database.schema.version >= version

    async def is_there(self) -> bool:
        """Whether it was there a second ago, or later.

        Raises:
            Unavailable: the database does not answer.
        """
        if not self.was_seen and steady_seconds() >= self._look_again:
            self._look_again = steady_seconds() + _LOOK_AGAIN_SECONDS
            self.was_seen = await self._database.transact(self._look)
        return self.was_seen

    async def _look(self, transaction: Transaction) -> bool:
        return await transaction.has_table(self._name)
