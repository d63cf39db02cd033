"""Communication resources, as those who manage the server see and change them; each verb is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from watchword.errors import InvalidProperty
from watchword.keyring.encryption import Encryption
from watchword.resources import holdings
from watchword.resources.access_keys import AccessKey, open_access_keys, regenerate_access_key
from watchword.resources.deletion import Deletions, begin_resource_deletion, is_resource_there
from watchword.resources.groups import get_group, get_group_in_force
from watchword.resources.holdings import Holding, Wanted, find_holding, get_holding, get_holding_in_force
from watchword.resources.store import Slot
from watchword.revocations.feed import Feed
from watchword.storage import Database, Transaction
from watchword.storage.database import TURN

Tags: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Named:
    """How who manages the server names a resource."""

    subscription: str
    group: str
    name: str


class Holdings:
    """Whatever changes a resource, or must see all of it at once, takes the turn."""

    def __init__(
        self, database: Database, encryption: Encryption, deletions: Deletions, *, feed: Feed, share_host: bool
    ) -> None:
        """`share_host` says that all resources are reached at one host."""
        self._database = database
        self._encryption = encryption
        self._deletions = deletions
        self._feed = feed
        self._share_host = share_host

    async def get(self, named: Named) -> Holding:
        """Find a resource by its subscription, group and name.

        Raises:
            ResourceNotFound: it is not there, or elsewhere.
        """
        return await self._database.transact(lambda transaction: _get(transaction, named))

    async def put(
        self, named: Named, *, region: str, data_location: str | None, wanted: Wanted, now_micros: int
    ) -> tuple[Holding, bool]:
        """The resource as it is wanted, and whether it is new.

        Raises:
            InvalidProperty: it is new, and nothing says where its data is kept; or as those who carry it out.
            GroupNotFound, BeingDeleted: of the group.
            InvalidName, NameTaken, TooManyResources: as `resources.holdings.create_holding`.
        """

        async def create_or_update(transaction: Transaction) -> tuple[Holding, bool]:
            group = await get_group_in_force(transaction, named.subscription, named.group)
            present = await find_holding(transaction, named.name)
            if present is not None and present.is_in(group):
                holdings.require_unmoved(present, region, data_location)
                return await holdings.update_holding(transaction, present, wanted), False
            if data_location is None:
                raise InvalidProperty("properties.dataLocation", "It says where the data is kept, and must be there.")
            created = await holdings.create_holding(
                transaction,
                self._encryption,
                now_micros,
                group=group,
                name=named.name,
                region=region,
                data_location=data_location,
                wanted=wanted,
                shares_host=self._share_host,
            )
            return created, True

        return await self._database.transact(create_or_update, TURN)

    async def update(self, named: Named, wanted: Wanted) -> Holding:
        """The resource as it is wanted.

        Raises:
            ResourceNotFound, InvalidProperty, BeingDeleted: as `resources.holdings.update_holding`.
        """
        return await self._update(named, lambda _: wanted)

    async def change_tags(self, named: Named, change: Callable[[Tags], Tags]) -> Holding:
        """The resource with the tags that `change` makes of those that it has.

        Raises:
            ResourceNotFound, InvalidProperty, BeingDeleted: as `update`.
        """
        return await self._update(named, lambda present: Wanted(tags=change(present.tags)))

    async def delete(self, named: Named, now_micros: int) -> Holding | None:
        """The resource, which is refused from now on; the rest happens behind. None where it is not there.

        Raises:
            GroupNotFound: not even the group is.
        """

        async def begin(transaction: Transaction) -> Holding | None:
            group = await get_group(transaction, named.subscription, named.group)
            found = await find_holding(transaction, named.name)
            if found is None or not found.is_in(group):
                return None
            await begin_resource_deletion(transaction, found.resource, now_micros)
            return found

        holding = await self._database.transact(begin, TURN)
        if holding is not None:
            self._feed.wake()
            self._deletions.nudge()
        return holding

    async def of_subscription(self, subscription: str) -> list[Holding]:
        """Those of a subscription, oldest first."""
        return await self._database.transact(lambda each: holdings.list_holdings(each, subscription))

    async def keys(self, named: Named) -> tuple[Holding, list[AccessKey]]:
        """Both access keys in the clear, the primary one first.

        Raises:
            ResourceNotFound, BeingDeleted: it has no keys to show.
        """

        async def opened(transaction: Transaction) -> tuple[Holding, list[AccessKey]]:
            holding = await _get_in_force(transaction, named)
            return holding, await open_access_keys(transaction, holding.resource, self._encryption)

        return await self._database.transact(opened, TURN)

    async def regenerate_key(self, named: Named, slot: Slot, now_micros: int) -> tuple[Holding, AccessKey]:
        """The new key. What the former one asked for is dead.

        Raises:
            ResourceNotFound, BeingDeleted: it has no keys to change.
        """

        async def regenerate(transaction: Transaction) -> tuple[Holding, AccessKey]:
            holding = await _get_in_force(transaction, named)
            return holding, await regenerate_access_key(
                transaction, self._encryption, holding.resource, slot=slot, now_micros=now_micros
            )

        changed = await self._database.transact(regenerate, TURN)
        self._feed.wake()
        return changed

    async def is_name_free(self, name: str) -> bool:
        """Ask whether no resource of this server has the name.

        Raises:
            InvalidName: nobody could have it.
        """
        return await self._database.transact(lambda transaction: holdings.is_name_free(transaction, name))

    async def is_there(self, id: str) -> bool:
        """Whether a resource of that guid is there, or still being deleted."""
        return await self._database.transact(lambda transaction: is_resource_there(transaction, id))

    async def _update(self, named: Named, want: Callable[[Holding], Wanted]) -> Holding:
        async def update(transaction: Transaction) -> Holding:
            present = await _get(transaction, named)
            return await holdings.update_holding(transaction, present, want(present))

        return await self._database.transact(update, TURN)


async def _get(transaction: Transaction, named: Named) -> Holding:
    return await get_holding(transaction, named.subscription, named.group, name=named.name)


async def _get_in_force(transaction: Transaction, named: Named) -> Holding:
    return await get_holding_in_force(transaction, named.subscription, named.group, name=named.name)
