"""What docs/privacy.md promises of the files: what stands in them, and what is gone when."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from watchword.client import IdentityClient
from watchword.clock import MonotoneClock
from watchword.revocations.feed import Feed
from watchword.revocations.revocations import Revocations
from watchword.revocations.store import RevocationStore
from watchword.storage.opening import DATABASE_FILE
from watchword.storage.sqlite import SqliteDatabase
from watchword.testing import MovableClock, running_server

ADA, GRACE = "ada@example.org", "grace@example.org"


def holds(folder: Path, text: str) -> bool:
    return any(text.encode() in file.read_bytes() for file in folder.iterdir())


@contextmanager
def client_of_new_server(data: Path) -> Iterator[IdentityClient]:
    with (
        running_server(data=data) as server,
        IdentityClient.from_connection_string(server.connection_string, verify=server.client_tls()) as client,
    ):
        yield client


async def purge(folder: Path, clock: MovableClock) -> None:
    """What a service does at its start and every minute from then on."""
    database = SqliteDatabase(folder / DATABASE_FILE)
    store = RevocationStore(database)
    purging = asyncio.create_task(Revocations(store, Feed(store), MonotoneClock(clock)).keep_purging())
    await asyncio.sleep(0)
    # One writer serves all in turn: when this is answered, the purge before it is done.
    await database.transact(lambda transaction: transaction.execute("select 1"))
    purging.cancel()
    await asyncio.wait([purging])
    await database.close()


def test_a_deleted_identity_leaves_no_custom_id_once_the_server_has_stopped(tmp_path: Path) -> None:
    with client_of_new_server(tmp_path) as client:
        ada, _ = (client.create_user(custom_id=custom_id) for custom_id in (ADA, GRACE))
        client.delete_user(ada)
        # The write-ahead log still has the pages as they were.
        assert holds(tmp_path, ADA)
    assert not holds(tmp_path, ADA)
    assert holds(tmp_path, GRACE)


async def test_the_revocation_of_a_deleted_identity_is_forgotten_after_25_hours(tmp_path: Path) -> None:
    with client_of_new_server(tmp_path) as client:
        ada = client.create_user()
        client.delete_user(ada)
    skype_id = ada.id.removeprefix("8:")
    clock = MovableClock()
    clock.move(timedelta(hours=24, minutes=59))
    await purge(tmp_path, clock)
    assert holds(tmp_path, skype_id)
    clock.move(timedelta(minutes=1))
    await purge(tmp_path, clock)
    assert not holds(tmp_path, skype_id)


def test_tokens_are_stored_nowhere(tmp_path: Path) -> None:
    with client_of_new_server(tmp_path) as client:
        _, issued = client.create_user_and_token(["chat"])
        assert not any(holds(tmp_path, segment) for segment in issued.token.split(".")[1:])
    assert not any(holds(tmp_path, segment) for segment in issued.token.split(".")[1:])
