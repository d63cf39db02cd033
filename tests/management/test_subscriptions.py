"""Subscriptions: what clients of the management API ask for before anything else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.management.support import SUBSCRIPTION, Manager
from tests.support.data import transact
from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from watchword.resources.groups import DEFAULT_SUBSCRIPTION
from watchword.resources.operators import create_operator
from watchword.testing import RunningServer

VERSION = "2022-12-01"
"""Of Microsoft.Resources, as .NET's client asks."""


@pytest.fixture
def server(fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    with running_server(fresh_settings()) as running:
        yield running


@pytest.fixture
def manager(server: RunningServer) -> Manager:
    return Manager(server)


def listed(manager: Manager) -> list[str]:
    reply = manager.call("GET", "/subscriptions", version=VERSION)
    assert reply.status_code == 200, reply.text
    return [each["subscriptionId"] for each in reply.json()["value"]]


def test_the_only_subscription_of_a_new_server_is_the_default_one(manager: Manager) -> None:
    """Java's client takes the only one, and refuses to choose among several."""
    assert listed(manager) == [DEFAULT_SUBSCRIPTION]


def test_a_subscription_is_listed_once_it_has_a_group_and_the_default_one_comes_first(manager: Manager) -> None:
    for group in ("one", "two"):
        manager.call("PUT", f"/subscriptions/{SUBSCRIPTION.upper()}/resourceGroups/{group}", {"location": "westeurope"})
    assert listed(manager) == [DEFAULT_SUBSCRIPTION, SUBSCRIPTION]


def test_every_subscription_can_be_asked_for_in_any_case_of_letters(manager: Manager) -> None:
    reply = manager.call("GET", f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}", version=VERSION)
    assert (reply.status_code, reply.json()) == (
        200,
        {
            "id": f"/subscriptions/{SUBSCRIPTION}",
            "subscriptionId": SUBSCRIPTION,
            "displayName": "Watchword",
            "state": "Enabled",
            "tenantId": "00000000-0000-0000-0000-000000000000",
        },
    )


def test_a_reader_sees_subscriptions_and_others_do_not(server: RunningServer) -> None:
    token = transact(server, lambda each: create_operator(each, "auditor", "reader", now_micros=0))
    for path in ("/subscriptions", f"/subscriptions/{SUBSCRIPTION}"):
        assert Manager(server, str(token)).call("GET", path).status_code == 200
        assert Manager(server, "wwo_0_0").call("GET", path).status_code == 401
    assert Manager(server).call("POST", "/subscriptions", {}).status_code == 405


def test_dotnet_is_told_that_resources_have_tags(manager: Manager) -> None:
    """Its AddTag asks so, and takes a refusal for the end of the matter."""
    reply = manager.call("GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Resources", version=VERSION)
    assert reply.status_code == 200
    assert reply.json()["namespace"] == "Microsoft.Resources"
    assert [each["resourceType"] for each in reply.json()["resourceTypes"]] == ["tags"]
