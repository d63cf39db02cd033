"""Subscriptions, which here are only the first part of names: any id will do, and none is made or deleted.

Clients ask for them before anything else: .NET's `GetDefaultSubscription` takes the first of the list, Java's
`withDefaultSubscription` the only one.
"""

from __future__ import annotations

from watchword.resources.groups import DEFAULT_SUBSCRIPTION, list_subscriptions
from watchword.rest.call import AnyBinding, Binding, Call
from watchword.rest.callers import Manager
from watchword.rest.doors import Doors
from watchword.storage import Database
from watchword.wire import management as wire
from watchword.wire import management_bodies as bodies

_TENANT = "00000000-0000-0000-0000-000000000000"
_TAGS_VERSIONS = ["2025-04-01", "2024-03-01"]


class SubscriptionOperations:
    """Each operation reads, if anything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        return [
            Binding(wire.LIST_SUBSCRIPTIONS, self.list_all, doors.operators, "waits"),
            Binding(wire.GET_SUBSCRIPTION, self.get, doors.operators, "waits"),
            Binding(wire.GET_TAGS_PROVIDER, self.provider, doors.operators, "waits"),
        ]

    async def list_all(self, call: Call[Manager]) -> bodies.SubscriptionList:
        """Those that have groups; where there are none yet, the one that the first resource is given."""
        del call
        found = await self._database.transact(list_subscriptions)
        return bodies.SubscriptionList([_body(each) for each in found or [DEFAULT_SUBSCRIPTION]])

    async def get(self, call: Call[Manager]) -> bodies.SubscriptionBody:
        """Also of one that has no group yet: a group can be put into it."""
        return _body(call.parts["subscriptionId"].lower())

    async def provider(self, call: Call[Manager]) -> bodies.ProviderBody:
        """Of Microsoft.Resources .NET asks whether it has tags, before it changes one."""
        kind: dict[str, str | list[str]] = {"resourceType": "tags", "locations": [], "apiVersions": _TAGS_VERSIONS}
        return bodies.ProviderBody(
            f"/subscriptions/{call.parts['subscriptionId']}/providers/Microsoft.Resources",
            "Microsoft.Resources",
            "Registered",
            "RegistrationFree",
            [kind],
        )


def _body(subscription: str) -> bodies.SubscriptionBody:
    return bodies.SubscriptionBody(f"/subscriptions/{subscription}", subscription, "Watchword", "Enabled", _TENANT)
