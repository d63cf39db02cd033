"""What docs/privacy.md promises of what is stored: what stands there, and what is gone when."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests.support.data import all_rows
from tests.support.engines import CHOSEN
from tests.support.servers import running_server
from watchword.client import IdentityClient
from watchword.revocations.store import RevocationStore
from watchword.storage.clock_watch import RESERVED_AHEAD
from watchword.storage.opening import open_database
from watchword.testing import MovableClock, RunningServer

ADA, GRACE = "ada@example.org", "grace@example.org"


def holds(server: RunningServer, text: str) -> bool:
    """Some row of the database, or some file of the data folder."""
    rows = [cell for rows in all_rows(server).values() for row in rows for cell in row.values()]
    return any(text in str(cell) for cell in rows) or in_files(server, text)


def in_files(server: RunningServer, text: str) -> bool:
    return any(text.encode() in file.read_bytes() for file in server.data.iterdir())


@contextmanager
def new_server(data: Path) -> Iterator[tuple[RunningServer, IdentityClient]]:
    with (
        running_server(data=data) as server,
        IdentityClient.from_connection_string(server.connection_string, verify=server.client_tls()) as client,
    ):
        yield server, client


async def purge(server: RunningServer, clock: MovableClock) -> None:
    """What a service does every half minute, from its first minute on."""
    database = await open_database(server.settings, server.data)
    await RevocationStore(database).purge(clock.micros())
    await database.close()


def test_a_deleted_identity_leaves_no_custom_id_once_the_server_has_stopped(tmp_path: Path) -> None:
    with new_server(tmp_path) as (server, client):
        ada, _ = (client.create_user(custom_id=custom_id) for custom_id in (ADA, GRACE))
        client.delete_user(ada)
        # SQLite's write-ahead log still has the pages as they were.
        assert CHOSEN == "postgres" or in_files(server, ADA)
    assert not holds(server, ADA)
    assert holds(server, GRACE)


async def test_the_revocation_of_a_deleted_identity_is_forgotten_soon_after_25_hours(tmp_path: Path) -> None:
    with new_server(tmp_path) as (server, client):
        ada = client.create_user()
        client.delete_user(ada)
    skype_id = ada.id.removeprefix("8:")
    clock = MovableClock()
    clock.move(timedelta(hours=24, minutes=59))
    await purge(server, clock)
    assert await asyncio.to_thread(holds, server, skype_id)
    # Issue times are reserved ten minutes ahead, and a revocation outlasts every token that may carry one.
    clock.move(timedelta(minutes=1) + RESERVED_AHEAD)
    await purge(server, clock)
    assert not await asyncio.to_thread(holds, server, skype_id)


def test_tokens_are_stored_nowhere(tmp_path: Path) -> None:
    with new_server(tmp_path) as (server, client):
        _, issued = client.create_user_and_token(["chat"])
        assert not any(holds(server, segment) for segment in issued.token.split(".")[1:])
    assert not any(holds(server, segment) for segment in issued.token.split(".")[1:])
