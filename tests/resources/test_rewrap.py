"""The change of the encryption key within one database: everything that is encrypted, at one commit, or nothing."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.support.engines import Place
from watchword.app import open_watchword
from watchword.clock import MonotoneClock, SystemClock
from watchword.errors import OperatorError
from watchword.keyring.encryption import Encryption
from watchword.keyring.encryption_key import EncryptionKey
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import Schedule
from watchword.resources.access_keys import create_resource, open_access_keys, regenerate_access_key
from watchword.resources.first_resource import FirstResource
from watchword.resources.rewrap import Rewrapped, rewrap
from watchword.resources.store import list_resources
from watchword.resources.verifier_credentials import create_verifier_credential
from watchword.storage import Database

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
BOTH = Encryption(OLD, NEW)
SCHEDULE = Schedule(None, timedelta(hours=1))

UNDER_THE_KEY = {
    ("access_keys", "secret"),
    ("access_keys", "fingerprint"),
    ("signing_keys", "private_key"),
    ("key_check", "encrypted"),
}
NEEDS_NO_KEY = {
    ("threads", "request"),
    ("messages", "key"),
    ("spent_tickets", "ticket"),
    ("identities", "flake"),
    ("custom_ids", "flake"),  # On PostgreSQL only.
    ("operators", "secret_hash"),
    ("verifier_credentials", "secret_hash"),
}

Cells = dict[tuple[str, str], list[bytes]]


@pytest.fixture
async def database(place: Place) -> AsyncIterator[Database]:
    """The database of a first start, with a verifier and a published signing key besides."""
    opened = await place.open()
    await opened.transact(BOTH.in_force)
    await opened.transact(
        lambda transaction: create_resource(transaction, BOTH, SystemClock().micros(), name="first", location="europe")
    )
    [resource] = await opened.transact(list_resources)
    await opened.transact(lambda transaction: create_verifier_credential(transaction, resource, 0))
    keyring = Keyring(opened, BOTH, MonotoneClock(SystemClock()), algorithm="ES256", schedule=SCHEDULE)
    await keyring.prepare()
    await opened.transact(lambda transaction: keyring.add_key(transaction, 1 << 60))
    yield opened
    await opened.close()


async def columns(place: Place, database: Database) -> list[tuple[str, str]]:
    """Those that hold bytes."""
    if place.is_postgres:
        listed = "select table_name, column_name from information_schema.columns"
        rows = await database.query(f"{listed} where table_schema = current_schema and data_type = 'bytea'")
    else:
        listed = "select t.name, c.name from sqlite_master t join pragma_table_info(t.name) c"
        rows = await database.query(f"{listed} where t.type = 'table' and lower(c.type) = 'blob'")
    # The partitions of a table are seen as the table.
    return [(table, column) for table, column in rows if not table.startswith("identities_")]


async def cells(place: Place, database: Database) -> Cells:
    return {
        (table, column): sorted(cell for (cell,) in await database.query(f"select {column} from {table}"))
        for table, column in await columns(place, database)
    }


async def change(database: Database, to: bytes = NEW, by: Encryption = BOTH) -> Rewrapped | None:
    return await database.transact(lambda transaction: rewrap(transaction, by, EncryptionKey(to)))


async def opens(database: Database, encryption: Encryption) -> bool:
    """Whether every access key, or none, is decrypted; the signing keys and the key check likewise."""
    keyring = Keyring(database, encryption, MonotoneClock(SystemClock()), algorithm="ES256", schedule=SCHEDULE)

    async def check() -> None:
        await database.transact(encryption.in_force)

    async def access_keys() -> None:
        for resource in await database.transact(list_resources):
            await database.transact(lambda transaction: open_access_keys(transaction, resource, encryption))  # noqa: B023

    outcomes = set()
    for look in (check, access_keys, keyring.key_set):
        try:
            await look()
        except OperatorError:
            outcomes.add(False)
        else:
            outcomes.add(True)
    [outcome] = outcomes
    return outcome


async def test_every_column_of_bytes_is_known_to_need_the_key_or_not(place: Place, database: Database) -> None:
    """Whoever adds one adds it to the change of the key, or says here that it needs none."""
    assert set(await columns(place, database)) | {("custom_ids", "flake")} == UNDER_THE_KEY | NEEDS_NO_KEY


async def test_nothing_is_left_under_the_former_key(place: Place, database: Database) -> None:
    before = await cells(place, database)
    assert await opens(database, Encryption(OLD))
    assert await change(database) == Rewrapped(access_keys=2, signing_keys=2)
    after = await cells(place, database)
    for column, found in after.items():
        if column in UNDER_THE_KEY:
            assert found
            assert len(found) == len(before[column])
            assert not set(found) & set(before[column]), column
        else:
            assert found == before[column]
    assert await opens(database, Encryption(NEW))
    assert not await opens(database, Encryption(OLD))


async def test_the_secrets_and_what_is_refused_as_taken_stay_the_same(database: Database) -> None:
    [resource] = await database.transact(list_resources)

    async def secrets() -> list[bytes]:
        keys = await database.transact(lambda transaction: open_access_keys(transaction, resource, BOTH))
        return [key.secret for key in keys]

    before = await secrets()
    await change(database)
    assert await secrets() == before
    fingerprints = {row[0] for row in await database.query("select fingerprint from access_keys")}
    assert fingerprints == {EncryptionKey(NEW).fingerprint(secret) for secret in before}


async def test_more_keys_than_fit_in_one_statement_are_all_changed(database: Database) -> None:
    async def many(transaction: object) -> None:
        for number in range(250):
            await create_resource(transaction, BOTH, SystemClock().micros(), name=f"r{number}", location="europe")  # type: ignore[arg-type]

    await database.transact(many)
    assert await change(database) == Rewrapped(access_keys=502, signing_keys=2)
    assert await opens(database, Encryption(NEW))


async def test_a_node_with_both_keys_encrypts_with_the_one_in_force(database: Database) -> None:
    [resource] = await database.transact(list_resources)
    keyring = Keyring(database, BOTH, MonotoneClock(SystemClock()), algorithm="ES256", schedule=SCHEDULE)
    for key in (OLD, NEW):
        await database.transact(
            lambda transaction: regenerate_access_key(transaction, BOTH, resource, slot="secondary", now_micros=1 << 40)
        )
        await database.transact(lambda transaction: keyring.add_key(transaction, 1 << 61))
        assert await opens(database, Encryption(key))
        await change(database)


async def test_a_second_change_to_the_same_key_changes_nothing(place: Place, database: Database) -> None:
    await change(database)
    before = await cells(place, database)
    assert await change(database) is None
    assert await change(database, by=Encryption(NEW)) is None
    assert await cells(place, database) == before


async def test_a_key_that_does_not_fit_changes_nothing(place: Place, database: Database) -> None:
    before = await cells(place, database)
    with pytest.raises(OperatorError, match="encryption key does not fit"):
        await change(database, by=Encryption(NEW))
    assert await cells(place, database) == before


async def test_one_row_that_cannot_be_decrypted_stops_the_change_for_all(place: Place, database: Database) -> None:
    [(kid,), *_] = await database.query("select kid from signing_keys order by kid")
    spoil = "update signing_keys set private_key = $1 where kid = $2"
    await database.transact(lambda transaction: transaction.execute(spoil, bytes(64), kid))
    before = await cells(place, database)
    with pytest.raises(OperatorError, match=f"the signing key {kid} cannot be decrypted"):
        await change(database)
    assert await cells(place, database) == before


async def test_a_start_under_the_next_key_puts_its_file_in_place(place: Place) -> None:
    node = await open_watchword(place.settings, place.folder, FirstResource("watchword", "europe"))
    key, coming = place.folder / "encryption.key", place.folder / "encryption.key.next"
    former = key.read_text()
    coming.touch(0o600)
    coming.write_text("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n")
    try:
        # It runs, and learns of the change from the first secret that it cannot decrypt.
        assert await change(node.ground.database, by=Encryption(file=key)) == Rewrapped(access_keys=2, signing_keys=1)
        assert await opens(node.ground.database, node.ground.encryption)
        assert key.read_text() == former
    finally:
        await node.close()
    again = await open_watchword(place.settings, place.folder, FirstResource("watchword", "europe"))
    await again.close()
    assert not coming.exists()
    assert key.read_text().startswith("AQID")


@pytest.mark.parametrize("is_first", [False, True], ids=["of a change", "of the first start"])
async def test_a_next_key_lies_ready_until_it_is_in_force_as_it_is_from_a_first_start_on(
    place: Place, is_first: bool
) -> None:
    coming = place.folder / "encryption.key.next"
    for number in range(3):
        if number == int(not is_first):
            coming.touch(0o600)
            coming.write_text("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n")
        node = await open_watchword(place.settings, place.folder, FirstResource("watchword", "europe"))
        await node.close()
    assert coming.exists() != is_first
    assert (place.folder / "encryption.key").read_text().startswith("AQID") == is_first
