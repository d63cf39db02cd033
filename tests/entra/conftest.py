"""A provider, a server that trusts it, and callers that bring its tokens."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.support.data import transact
from tests.support.engines import FreshSettings
from tests.support.exchanges import ASSIGNMENTS, EXTENSION_ASSIGNMENT, listed
from tests.support.provider import APPLICATION, TENANT, Provider, running_provider
from tests.support.servers import running_server
from tests.support.signed import NEWEST, PREVIEW, Reply, Signed, SignedClient
from watchword.entra.store import assign_role, remove_role
from watchword.resources.store import Resource, list_resources
from watchword.storage import Transaction
from watchword.testing import MovableClock, RunningServer

Bear = Callable[..., Reply]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider(MovableClock()) as running:
        yield running


@pytest.fixture(scope="module")
def server(provider: Provider, fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    settings = fresh_settings(entra_issuers=(provider.address,), entra_tenants=(TENANT,))
    with running_server(settings, clock=provider.clock) as running:
        give_role(running, APPLICATION)
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[SignedClient]:
    with SignedClient(server) as signed:
        yield signed


@pytest.fixture
def bear(client: SignedClient) -> Bear:
    """Send a request with a bearer token."""

    def send(token: str, method: str = "POST", path: str = "/identities", body: bytes = b"", **parts: Any) -> Reply:
        version = parts.pop("version", NEWEST)
        headers = {"Host": client.host, "Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return client.send(Signed(method, f"{path}?api-version={version}", headers | parts, body))

    return send


@pytest.fixture
def nobody_assigned(client: SignedClient) -> None:
    """Begin without any assignment."""
    changes = dict.fromkeys(each["objectId"] for each in listed(client))
    client.call("PATCH", f"{ASSIGNMENTS}?api-version={PREVIEW}", changes)
    client.call("DELETE", f"{EXTENSION_ASSIGNMENT}?api-version={PREVIEW}")


def on_first_resource(server: RunningServer, work: Callable[[Transaction, Resource], Awaitable[object]]) -> None:
    """One transaction beside the server, as an operator's command makes it."""

    async def carry_out(transaction: Transaction) -> None:
        await work(transaction, (await list_resources(transaction))[0])

    transact(server, carry_out)


def give_role(server: RunningServer, principal: str) -> None:
    on_first_resource(
        server,
        lambda transaction, resource: assign_role(transaction, resource, principal, role="contributor", now_micros=0),
    )


def take_role(server: RunningServer, principal: str) -> None:
    on_first_resource(server, lambda transaction, resource: remove_role(transaction, resource, principal))
