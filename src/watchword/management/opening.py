"""The management API, put together."""

from __future__ import annotations

from collections.abc import Sequence

from watchword.ground import Ground
from watchword.management.groups import Groups
from watchword.management.holdings import Holdings
from watchword.management.operations import GroupOperations
from watchword.management.resource_operations import ResourceOperations
from watchword.management.subscription_operations import SubscriptionOperations
from watchword.management.tag_operations import TagOperations
from watchword.resources.deletion import Deletions
from watchword.rest.doors import Doors
from watchword.rest.resource_hosts import ResourceHosts
from watchword.rest.service import Service
from watchword.storage.purge import Purge


def open_management(
    ground: Ground, doors: Doors, purges: Sequence[Purge], *, own_endpoint: str | None = None
) -> Service:
    """It ends resources with all that the services keep of them: `purges` are theirs, so it is opened after them.

    `own_endpoint` is where clients reach resources, if not where operators come.
    """
    database, feed = ground.database, ground.feed
    deletions = Deletions(database, purges)
    hosts = ResourceHosts(ground.settings.resource_suffix)
    groups = Groups(database, deletions, feed)
    holdings = Holdings(database, ground.encryption, deletions, feed=feed, share_host=hosts.are_shared)
    bindings = [
        *SubscriptionOperations(groups).bindings(doors),
        *TagOperations(groups, holdings).bindings(doors),
        *GroupOperations(groups).bindings(doors),
        *ResourceOperations(groups, holdings, hosts, endpoint=own_endpoint).bindings(doors),
    ]
    return Service(bindings, background=[deletions.keep_finishing])
