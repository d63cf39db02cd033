"""The official management clients for Python, unmodified and over TLS: from a group to its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from azure.communication.identity import CommunicationIdentityClient, CommunicationTokenScope
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from tests.management.support import is_active, management_clients
from tests.support.data import all_rows, beside
from tests.support.servers import running_server
from watchword.client import IdentityClient
from watchword.revocations.store import RevocationStore
from watchword.storage.opening import DATABASE_FILE
from watchword.testing import RunningServer

IDENTITIES = 1_000


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with running_server() as running:
        yield running


def test_a_group_lives_and_dies_with_everything_in_it(server: RunningServer) -> None:
    with management_clients(server) as (groups, services):
        assert not groups.resource_groups.check_existence("chatting")
        group = groups.resource_groups.create_or_update(
            "chatting", {"location": "westeurope", "tags": {"team": "chat"}}
        )
        assert group.properties is not None
        assert group.properties.provisioning_state == "Succeeded"
        assert groups.resource_groups.check_existence("Chatting")
        created = services.communication_services.begin_create_or_update(
            "chatting",
            "contoso",
            {"location": "global", "properties": {"dataLocation": "United States"}, "tags": {"a": "b"}},
        ).result()
        assert created.properties is not None
        assert created.properties.provisioning_state == "Succeeded"
        assert created.properties.data_location == "United States"
        assert [each.name for each in services.communication_services.list_by_subscription()] == ["contoso"]
        assert [each.name for each in services.communication_services.list_by_resource_group("CHATTING")] == ["contoso"]
        keys = services.communication_services.list_keys("chatting", "contoso")
        primary, secondary = str(keys.primary_connection_string), str(keys.secondary_connection_string)

        by_primary, by_secondary = _identity_client(server, primary), _identity_client(server, secondary)
        made = [
            (by_primary, by_secondary)[n % 2].create_user_and_token([CommunicationTokenScope.CHAT])
            for n in range(IDENTITIES)
        ]
        tokens = [token.token for _, token in made]
        custom_id = "ada-of-contoso-4711"
        _with_custom_id(server, primary, custom_id)
        assert is_active(server, secondary, tokens[0])

        regenerated = services.communication_services.regenerate_key("chatting", "contoso", {"keyType": "Primary"})
        assert regenerated.primary_connection_string != primary
        assert regenerated.secondary_key is None
        assert not is_active(server, secondary, tokens[0]), "the former key asked for it"
        assert is_active(server, secondary, tokens[1]), "the other key asked for it"
        with pytest.raises(ClientAuthenticationError):
            by_primary.create_user()
        renewed = _identity_client(server, str(regenerated.primary_connection_string))
        assert renewed.create_user().properties["id"].startswith(f"8:acs:{created.properties.immutable_resource_id}_")

        groups.resource_groups.begin_delete("chatting").result()
        assert not groups.resource_groups.check_existence("chatting")
        for client in (by_secondary, renewed):
            with pytest.raises(ClientAuthenticationError):
                client.create_user()
        with pytest.raises(ResourceNotFoundError):
            services.communication_services.get("chatting", "contoso")
        assert not is_active(server, server.connection_string, tokens[1])
    resource = str(created.properties.immutable_resource_id)
    assert _tables_with(server, resource) == {"revocations"}
    server.clock.move(timedelta(hours=26))
    _let_purge(server)
    assert _tables_with(server, resource) == set()
    assert _tables_with(server, custom_id) == set()
    assert custom_id.encode() not in _all_bytes(server)


def test_a_group_must_be_there_and_its_absence_is_told_as_the_original_tells_it(server: RunningServer) -> None:
    with management_clients(server) as (groups, services):
        body = {"location": "global", "properties": {"dataLocation": "Europe"}}
        with pytest.raises(ResourceNotFoundError) as missing:
            services.communication_services.begin_create_or_update("nowhere", "contoso", body).result()
        assert missing.value.error is not None
        assert missing.value.error.code == "ResourceGroupNotFound"
        groups.resource_groups.create_or_update("a", {"location": "westeurope"})
        services.communication_services.begin_create_or_update("a", "contoso", body).result()
        with pytest.raises(HttpResponseError) as no_hub:
            services.communication_services.link_notification_hub(
                "a", "contoso", {"resourceId": "x", "connectionString": "y"}
            )
        assert no_hub.value.status_code == 501


def test_the_pollers_of_one_resource_end(server: RunningServer) -> None:
    with management_clients(server) as (groups, services):
        groups.resource_groups.create_or_update("a", {"location": "westeurope"})
        body = {"location": "global", "properties": {"dataLocation": "Europe"}}
        assert services.communication_services.check_name_availability(
            {"name": "contoso", "type": "Microsoft.Communication/CommunicationServices"}
        ).name_available
        services.communication_services.begin_create_or_update("a", "contoso", body).result()
        taken = services.communication_services.check_name_availability(
            {"name": "CONTOSO", "type": "Microsoft.Communication/CommunicationServices"}
        )
        assert (taken.name_available, taken.reason) == (False, "AlreadyExists")
        updated = services.communication_services.update("a", "contoso", {"tags": {"x": "y"}})
        assert updated.tags == {"x": "y"}
        services.communication_services.begin_delete("a", "contoso").result()
        with pytest.raises(ResourceNotFoundError):
            services.communication_services.get("a", "contoso")
        services.communication_services.begin_delete("a", "contoso").result()


def _identity_client(server: RunningServer, connection_string: str) -> CommunicationIdentityClient:
    return CommunicationIdentityClient.from_connection_string(connection_string, connection_verify=str(server.ca_file))


def _with_custom_id(server: RunningServer, connection_string: str, custom_id: str) -> None:
    with IdentityClient.from_connection_string(connection_string, verify=server.client_tls()) as client:
        client.create_user(custom_id=custom_id)


def _tables_with(server: RunningServer, text: str) -> set[str]:
    """Those in which something of it is left, or whose rows are of a resource that is gone."""
    tables = all_rows(server)
    numbers = {row["number"] for row in tables["resources"]}
    return {
        table
        for table, rows in tables.items()
        for row in rows
        if any(text in str(value) for value in row.values())
        or (table != "revocations" and row.get("resource", 0) not in numbers | {0})
    }


def _let_purge(server: RunningServer) -> None:
    """What a running service does every minute, once, from a second process's view."""
    beside(server, lambda database: RevocationStore(database).purge(server.clock.micros()))


def _all_bytes(server: RunningServer) -> bytes:
    """The bytes of SQLite's files. In PostgreSQL's, what was deleted stays until a vacuum, as docs/privacy.md says."""
    if server.settings.database:
        return b""
    with closing(sqlite3.connect(server.data / DATABASE_FILE)) as database:
        database.execute("pragma wal_checkpoint(truncate)")
    return b"".join(path.read_bytes() for path in server.data.glob(f"{DATABASE_FILE}*"))
