"""Subscriptions, which here are only the first part of names: any id will do, and none is made or deleted.

Clients ask for them before anything else: .NET's `GetDefaultSubscription` takes the first of the list, Java's
`withDefaultSubscription` the only one.
"""

from __future__ import annotations

from watchword.management.groups import Groups
from watchword.resources.groups import DEFAULT_SUBSCRIPTION
from watchword.rest.call import AnyBinding, Binding, Call
from watchword.rest.callers import Manager
from watchword.rest.doors import Doors
from watchword.wire import management as wire
from watchword.wire import management_bodies as bodies

_TENANT = "00000000-0000-0000-0000-000000000000"
_TAGS_VERSIONS = ["2025-04-01", "2024-03-01"]


class SubscriptionOperations:
    """Each operation reads, if anything."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        return [
            Binding(wire.LIST_SUBSCRIPTIONS, self.list_all, doors.operators, "waits"),
            Binding(wire.GET_SUBSCRIPTION, self.get, doors.operators, "waits"),
            Binding(wire.GET_TAGS_PROVIDER, self.provider, doors.operators, "waits"),
        ]

    async def list_all(self, call: Call[Manager]) -> bodies.SubscriptionList:
        """Those that have groups; where there are none yet, the one that the first resource is given."""
        del call
        found = await self._groups.subscriptions()
        return bodies.SubscriptionList([_body(each) for each in found or [DEFAULT_SUBSCRIPTION]])

    async def get(self, call: Call[Manager]) -> bodies.SubscriptionBody:
        """Finds one that has no group yet, too: a group can be put into it."""
        return _body(call.parts["subscriptionId"].lower())

    async def provider(self, call: Call[Manager]) -> bodies.ProviderBody:
        """.NET asks whether Microsoft.Resources has tags, before it changes one."""
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
