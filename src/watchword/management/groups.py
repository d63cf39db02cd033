"""Resource groups, as those who manage the server see and change them; each verb is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from watchword.resources import groups
from watchword.resources.deletion import Deletions, begin_group_deletion, is_resource_there
from watchword.resources.groups import Group, get_group
from watchword.resources.holdings import Holding, list_holdings
from watchword.revocations.feed import Feed
from watchword.storage import Database, Transaction
from watchword.storage.database import TURN

Tags: TypeAlias = Mapping[str, str]


class Groups:
    """Names groups by their subscription and their own name. Whatever changes one takes the turn."""

    def __init__(self, database: Database, deletions: Deletions, feed: Feed) -> None:
        self._database = database
        self._deletions = deletions
        self._feed = feed

    async def find(self, subscription: str, name: str) -> Group | None:
        return await self._database.transact(lambda transaction: groups.find_group(transaction, subscription, name))

    async def get(self, subscription: str, name: str) -> Group:
        """Find a group by its name.

        Raises:
            GroupNotFound: there is none.
        """
        return await self._database.transact(lambda transaction: get_group(transaction, subscription, name))

    async def put(
        self, subscription: str, name: str, *, location: str, tags: Tags, now_micros: int
    ) -> tuple[Group, bool]:
        """The group, and whether it is new.

        Raises:
            InvalidName, InvalidProperty, BeingDeleted: as `resources.groups.create_group`.
        """
        return await self._database.transact(
            lambda transaction: groups.create_group(
                transaction, subscription, name, location=location, tags=tags, now_micros=now_micros
            ),
            TURN,
        )

    async def change_tags(self, subscription: str, name: str, change: Callable[[Tags], Tags]) -> Group:
        """The group with the tags that `change` makes of those that it has.

        Raises:
            GroupNotFound, InvalidProperty, BeingDeleted: as `resources.groups.update_group`.
        """

        async def update(transaction: Transaction) -> Group:
            group = await get_group(transaction, subscription, name)
            return await groups.update_group(transaction, group, change(group.tags))

        return await self._database.transact(update, TURN)

    async def delete(self, subscription: str, name: str, now_micros: int) -> Group:
        """The group, with which all that is in it is refused from now on; the rest happens behind.

        Raises:
            GroupNotFound: there is none.
        """

        async def begin(transaction: Transaction) -> Group:
            group = await get_group(transaction, subscription, name)
            await begin_group_deletion(transaction, group, now_micros)
            return group

        group = await self._database.transact(begin, TURN)
        self._feed.wake()
        self._deletions.nudge()
        return group

    async def of_subscription(self, subscription: str) -> list[Group]:
        """Those of a subscription, by name."""
        return await self._database.transact(lambda transaction: groups.list_groups(transaction, subscription))

    async def subscriptions(self) -> list[str]:
        """Those that have groups, by id."""
        return await self._database.transact(groups.list_subscriptions)

    async def content(self, subscription: str, name: str) -> list[Holding]:
        """What is in the group, oldest first.

        Raises:
            GroupNotFound: there is none.
        """

        async def listed(transaction: Transaction) -> list[Holding]:
            group = await get_group(transaction, subscription, name)
            return await list_holdings(transaction, group.subscription, group)

        return await self._database.transact(listed)

    async def is_there(self, id: str) -> bool:
        """Whether a group or a resource of that guid is there, or still being deleted."""

        async def is_there(transaction: Transaction) -> bool:
            return await groups.is_group_there(transaction, id) or await is_resource_there(transaction, id)

        return await self._database.transact(is_there)
