"""A port of their own for operators: the management API and metrics are there and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from azure.communication.identity import CommunicationIdentityClient, CommunicationTokenScope

from tests.management.support import GROUPS, NEWEST, Manager, is_active, management_clients
from tests.support.scraping import scrape
from tests.support.signed import SignedClient
from watchword.settings import Settings
from watchword.testing import RunningServer, running_server
from watchword.wire.connection_string import parse_connection_string

SETTINGS = Settings(request_log=False, operator_port=0)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(SETTINGS) as running:
        yield running


def get(server: RunningServer, address: str, **headers: str) -> httpx2.Response:
    return httpx2.get(address, headers=headers, verify=server.client_tls())


def test_official_clients_manage_there_and_are_led_to_the_clients_port(server: RunningServer) -> None:
    with management_clients(server) as (groups, services):
        groups.resource_groups.create_or_update("chatting", {"location": "westeurope"})
        wanted = {"location": "global", "properties": {"dataLocation": "Europe"}}
        made = services.communication_services.begin_create_or_update("chatting", "contoso", wanted).result()
        assert made.properties is not None
        assert made.properties.host_name == f"localhost:{server.port}"
        text = str(services.communication_services.list_keys("chatting", "contoso").primary_connection_string)
        assert parse_connection_string(text).endpoint.rstrip("/") == server.endpoint
        client = CommunicationIdentityClient.from_connection_string(text, connection_verify=str(server.ca_file))
        _, token = client.create_user_and_token([CommunicationTokenScope.CHAT])
        assert is_active(server, text, token.token)
        services.communication_services.begin_delete("chatting", "contoso").result()
        groups.resource_groups.begin_delete("chatting").result()
        assert not groups.resource_groups.check_existence("chatting")


def test_clients_come_back_to_the_operators_port_though_the_public_endpoint_is_another() -> None:
    settings = Settings(request_log=False, operator_port=0, public_endpoint="https://acs.example")
    with running_server(settings) as server, management_clients(server) as (groups, services):
        groups.resource_groups.create_or_update("chatting", {"location": "westeurope"})
        wanted = {"location": "global", "properties": {"dataLocation": "Europe"}}
        made = services.communication_services.begin_create_or_update("chatting", "contoso", wanted).result()
        assert made.properties is not None
        assert made.properties.host_name == "acs.example"
        services.communication_services.begin_delete("chatting", "contoso").result()


def test_who_proves_nothing_manages_nothing_there_either(server: RunningServer) -> None:
    assert Manager(server, "wwo_0123456789abcdef_wrong").call("GET", GROUPS).status_code == 401


@pytest.mark.parametrize("path", ["/metrics", f"{GROUPS}?api-version={NEWEST}", "/providers/Microsoft.Communication"])
def test_what_is_the_operators_is_not_on_the_clients_port(server: RunningServer, path: str) -> None:
    token = f"Bearer {server.operator_token}"
    assert get(server, f"{server.endpoint}{path}", Authorization=token).status_code == 404


@pytest.mark.parametrize("path", ["/identities", "/revocations", "/.well-known/jwks.json", "/introspect"])
def test_what_is_the_clients_is_not_on_the_operators_port(server: RunningServer, path: str) -> None:
    assert get(server, f"{server.operator_endpoint}{path}").status_code == 404
    assert get(server, f"{server.endpoint}{path}").status_code != 404


def test_the_port_is_the_sockets_and_not_what_a_client_says(server: RunningServer) -> None:
    operators = server.operator_endpoint.partition("://")[2]
    headers = {"Host": operators, "X-Forwarded-Host": operators, "Forwarded": f"host={operators}"}
    assert get(server, f"{server.endpoint}/metrics", **headers).status_code == 404


def test_health_is_on_both_and_metrics_are_for_everybody_there(server: RunningServer) -> None:
    for endpoint in (server.endpoint, server.operator_endpoint):
        assert [get(server, f"{endpoint}{path}").text for path in ("/healthz", "/readyz")] == ["ok\n", "ready\n"]
    with SignedClient(server) as client:
        client.new_identity()
    found = scrape(server, token="nobody's")
    assert found.value("watchword_requests_total", operation="CommunicationIdentity_Create") >= 1


def test_each_port_describes_what_it_serves(server: RunningServer) -> None:
    clients, operators = (
        get(server, f"{endpoint}/openapi.json").json()["paths"]
        for endpoint in (server.endpoint, server.operator_endpoint)
    )
    assert "/metrics" not in clients
    assert "/identities" in clients
    assert {"/metrics", "/healthz", "/readyz"} <= operators.keys()
    assert operators["/metrics"]["get"]["security"] == []
    assert "/identities" not in operators
