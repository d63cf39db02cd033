"""What exports and imports ask of an engine: a snapshot that stands still, and many rows at once."""

import pytest

from tests.support.engines import Place
from watchword.errors import OperatorError, Unavailable
from watchword.storage import Database, Transaction

COLUMNS = ("id", "name", "role", "secret_hash", "created_micros")
OPERATORS = [(f"{number:04}", "Grüße", "reader", bytes([0, 255]), number) for number in range(25)]
IDS = "select id, secret_hash from operators order by id"


async def load(database: Database, rows: list[tuple[str, str, str, bytes, int]]) -> None:
    await database.transact(lambda transaction: transaction.load("operators", COLUMNS, rows))


async def test_a_snapshot_stands_still_while_others_write_and_hands_out_pages(database: Database) -> None:
    await load(database, OPERATORS)
    async with database.snapshot() as snapshot:
        await database.transact(lambda transaction: transaction.execute("delete from operators where id < '0005'"))
        await load(database, [("9999", "late", "reader", b"", 0)])
        assert await snapshot.query("select count(*) from operators") == [(25,)]
        pages = [page async for page in snapshot.pages(IDS, 10)]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [row for page in pages for row in page] == [(row[0], row[3]) for row in OPERATORS]
    async with database.snapshot() as snapshot:
        assert await snapshot.query("select count(*) from operators") == [(21,)]


async def test_a_snapshot_changes_nothing(database: Database, place: Place) -> None:
    with pytest.raises(Unavailable):
        async with database.snapshot() as snapshot:
            await snapshot.query("delete from clock")
    other = await place.open()
    assert await other.query("select count(*) from clock") == [(1,)]
    await other.close()


async def test_rows_that_cannot_be_are_refused_whole_without_repeating_a_value(database: Database) -> None:
    await load(database, OPERATORS[:1])
    for bad in (OPERATORS[0], ("0001", "name", "no such role", b"", 0)):
        with pytest.raises(OperatorError, match="refuses rows of the table operators") as refused:
            await load(database, [*OPERATORS[5:], bad])
        assert "no such role" not in str(refused.value)
        assert "Grüße" not in str(refused.value)
    assert await database.query("select count(*) from operators") == [(1,)]


async def test_numbers_are_loaded_as_they_are(database: Database) -> None:
    columns = ("number", "id", "subscription", "name", "location", "created_micros")

    async def work(transaction: Transaction) -> None:
        await transaction.load("resource_groups", columns, [(7, "id", "zero", "name", "global", 0)])

    await database.transact(work)
    assert await database.query("select number from resource_groups") == [(7,)]


async def test_columns_are_those_of_the_schema_as_it_is(database: Database) -> None:
    async with database.snapshot() as snapshot:
        assert await snapshot.columns("clock") == ["singleton", "high_water_micros", "reserved_micros"]
        assert await snapshot.columns("nothing") == []


async def test_a_view_and_what_is_not_there_are_no_tables(database: Database, place: Place) -> None:
    async def work(transaction: Transaction) -> list[bool]:
        return [await transaction.has_table(name) for name in ("identities", "clock", "custom_ids", "nothing")]

    assert await database.transact(work) == [True, True, place.is_postgres, False]
