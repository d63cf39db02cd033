"""The end of resources and groups: refused and revoked at once, then emptied in small steps that a restart takes up.

    1  one transaction: state `deleting`, and the revocation that kills every token
    2  batches: what the services keep of the resource, each by its own purge
    3  one transaction: the row itself, and with it what refers to it (keys, credentials, roles, assignments); and the
       group, once it is empty

Whatever ends a process in the middle, the rows in state `deleting` say what is left to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from watchword.errors import Unavailable
from watchword.resources.groups import Group
from watchword.resources.store import Resource
from watchword.revocations.store import Revoked, record_all
from watchword.storage import Database, Row, Transaction
from watchword.storage.database import TURN
from watchword.storage.purge import Purge

_ROWS_IN_ONE_STEP = 500
_LOOK_EVERY_SECONDS = 5.0

_log = logging.getLogger(__name__)


async def begin_resource_deletion(transaction: Transaction, resource: Resource, now_micros: int) -> None:
    """Every key and token of the resource is refused from its commit on. The feed must be woken after."""
    await _begin(transaction, [(resource.number, resource.id)], now_micros)


async def begin_group_deletion(transaction: Transaction, group: Group, now_micros: int) -> None:
    """The same for all resources of the group; nothing can be put into it any more."""
    await transaction.execute("update resource_groups set state = 'deleting' where number = $1", group.number)
    rows = await transaction.execute(
        "select number, id from resources where resource_group = $1 and state = 'active' order by number",
        group.number,
    )
    await _begin(transaction, rows, now_micros)


async def _begin(transaction: Transaction, resources: Sequence[Row], now_micros: int) -> None:
    """`resources` are numbers and guids, by number: all rows of resources are locked before the first revocation."""
    begun = []
    for number, id in resources:
        if await transaction.execute(
            "update resources set state = 'deleting' where number = $1 and state = 'active' returning 1", number
        ):
            begun.append(Revoked("resource", number, id, deleted=True))
    if begun:
        await record_all(transaction, begun, now_micros)


async def is_resource_there(transaction: Transaction, id: str) -> bool:
    """Whether a resource, by its guid, is there or still being deleted."""
    return bool(await transaction.execute("select 1 from resources where id = $1", id))


class Deletions:
    """Finishes what was begun, by this process or by another."""

    def __init__(self, database: Database, purges: Sequence[Purge]) -> None:
        self._database = database
        self._purges = purges
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """A deletion was begun by this process."""
        self._nudged.set()

    async def keep_finishing(self) -> None:
        """Runs until it is cancelled; first of all it takes up what an earlier run left."""
        while True:
            self._nudged.clear()
            try:
                await self.finish()
            except Unavailable:
                _log.warning("a deletion has to wait: the database does not answer")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_SECONDS):
                    await self._nudged.wait()

    async def finish(self) -> None:
        """Nothing is in state `deleting` when this returns.

        Raises:
            Unavailable: the database does not answer; the next call goes on from there.
        """
        for (number,) in await self._database.query("select number from resources where state = 'deleting' order by 1"):
            await self._finish_resource(number)
        if await self._database.query("select 1 from resource_groups where state = 'deleting'"):
            await self._database.transact(
                lambda transaction: transaction.execute(
                    "delete from resource_groups where state = 'deleting'"
                    " and not exists (select 1 from resources r where r.resource_group = resource_groups.number)"
                ),
                TURN,
            )

    async def _finish_resource(self, number: int) -> None:
        while True:
            await self._purge(number)
            rows = await self._database.transact(
                lambda transaction: transaction.execute(
                    "delete from resources where number = $1"
                    " and not exists (select 1 from identities where resource = $1) returning 1",
                    number,
                ),
                TURN,
            )
            # A call that was let in just before may have added an identity since; another process may have been faster.
            if rows or not await self._database.query("select 1 from resources where number = $1", number):
                return

    async def _purge(self, number: int) -> None:
        for purge in self._purges:
            # Writers take their turns between the steps.
            while await purge.delete_some(number, _ROWS_IN_ONE_STEP):
                pass
