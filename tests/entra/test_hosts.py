"""Several resources in one process: which of them a bearer means, and that none sees another's."""

from collections.abc import Iterator

import pytest

from tests.support.data import OtherResource, add_resource, first_resource, transact
from tests.support.engines import FreshSettings
from tests.support.provider import PRINCIPAL, TENANT, USER, Provider, running_provider
from tests.support.servers import running_server
from tests.support.signed import NEWEST, PREVIEW, Reply, Signed, SignedClient
from watchword.entra.store import Assignment, assign_role, put_assignment
from watchword.resources.store import Resource
from watchword.testing import MovableClock, RunningServer

SUFFIX = "acs.test"
ENTRA = f"/access/entra/:exchangeAccessToken?api-version={PREVIEW}"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider(MovableClock()) as running:
        yield running


@pytest.fixture(scope="module")
def server(provider: Provider, fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    settings = fresh_settings(entra_issuers=(provider.address,), resource_suffix=SUFFIX)
    with running_server(settings, clock=provider.clock) as running:
        yield running


@pytest.fixture(scope="module")
def other(server: RunningServer) -> OtherResource:
    """A second resource, on which principal and user are as welcome as on the first."""
    made = add_resource(server, "second")
    for resource in (first_resource(server), made.resource):
        allow(server, resource, PRINCIPAL)
    return made


def allow(server: RunningServer, resource: Resource, principal: str) -> None:
    transact(
        server, lambda transaction: assign_role(transaction, resource, principal, role="contributor", now_micros=0)
    )
    anybody = Assignment(USER, TENANT, "user", None)
    transact(server, lambda transaction: put_assignment(transaction, resource, "entra", wanted=anybody))


def send(server: RunningServer, token: str, host: str, target: str = f"/identities?api-version={NEWEST}") -> Reply:
    with SignedClient(server) as client:
        return client.send(Signed("POST", target, {"Host": host, "Authorization": f"Bearer {token}"}, b""))


def test_on_a_host_of_its_own_each_resource_is_meant_by_its_host(
    server: RunningServer, provider: Provider, other: OtherResource
) -> None:
    for resource in (first_resource(server), other.resource):
        host = f"{resource.name}.{SUFFIX}:{server.port}"
        assert send(server, provider.token(), host).json["identity"]["id"].startswith(f"8:acs:{resource.id}_")
        user = send(server, provider.user_token(), host, ENTRA)
        assert user.json["identity"]["id"].startswith(f"8:acs:{resource.id}_wf_")


def test_on_a_shared_host_a_bearer_of_two_resources_is_told_to_part_them(
    server: RunningServer, provider: Provider, other: OtherResource
) -> None:
    for token, target in ((provider.token(), f"/identities?api-version={NEWEST}"), (provider.user_token(), ENTRA)):
        reply = send(server, token, f"localhost:{server.port}", target)
        assert reply.status == 401
        assert "Give each resource a host of its own." in reply.error["message"]


def test_on_a_shared_host_the_one_resource_with_a_role_is_meant(
    server: RunningServer, provider: Provider, other: OtherResource
) -> None:
    transact(
        server, lambda transaction: assign_role(transaction, other.resource, USER, role="contributor", now_micros=0)
    )
    token = provider.token(oid=USER, sub=USER)
    made = send(server, token, f"localhost:{server.port}").json["identity"]["id"]
    assert made.startswith(f"8:acs:{other.resource.id}_")
    first = first_resource(server)
    refused = send(server, token, f"{first.name}.{SUFFIX}:{server.port}")
    assert "has no role" in refused.error["message"]


def test_an_identity_of_another_resource_is_not_owned(
    server: RunningServer, provider: Provider, other: OtherResource
) -> None:
    first = first_resource(server)
    theirs = send(server, provider.token(), f"second.{SUFFIX}").json["identity"]["id"]
    target = f"/identities/{theirs}/:revokeAccessTokens?api-version={NEWEST}"
    reply = send(server, provider.token(), f"{first.name}.{SUFFIX}", target)
    assert reply.error["code"] == "IdentityNotOwned"
