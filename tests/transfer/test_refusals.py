"""What an import refuses, in words and without a change; and that nobody may use what it has not finished."""

from __future__ import annotations

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.engines import FreshSettings, Place
from tests.support.transfers import KEY, Source, exported, imported, serving, sums
from watchword.errors import OperatorError
from watchword.keyring.encryption import Encryption
from watchword.storage import Row, Transaction
from watchword.transfer.checksums import Checksums
from watchword.transfer.export_file import End, ExportWriter, Rows
from watchword.transfer.tables import TABLES


class Interruption(BaseException):
    """What ends a run, at some step."""


@pytest.fixture(scope="module")
def fresh_settings() -> FreshSettings:
    """Where the file comes from makes no difference here."""
    return FreshSettings(None)


def executed(place: Place, *statements: str) -> list[list[Row]]:
    """What each finds, in one transaction beside everything else."""

    async def run() -> list[list[Row]]:
        place.folder.mkdir(exist_ok=True)
        database = await place.open()
        try:
            return await database.transact(work)
        finally:
            await database.close()

    async def work(transaction: Transaction) -> list[list[Row]]:
        return [await transaction.execute(sql) for sql in statements]

    return asyncio.run(run())


def without_marks(place: Place) -> list[str]:
    """As it was before the newest schema, whose triggers look at the table of imports."""
    names = (
        ["revocations_outlast_tokens"]
        if place.is_postgres
        else ["new_revocations_outlast_tokens", "changed_revocations_outlast_tokens"]
    )
    of = " on revocations" if place.is_postgres else ""
    return [f"drop trigger {name}{of}" for name in (*names, "purged_revocations_leave_a_mark")]


def is_empty(place: Place) -> bool:
    names = [table.name for table in TABLES if not table.is_made_with_the_schema] + ["imports"]
    return executed(place, *(f"select 1 from {name}" for name in names)) == [[]] * len(names)


def half_imported(place: Place, file: Path, after: int = 8) -> None:
    """So many chunks are in."""
    steps = 0

    def interrupt(doing: str, done: int, total: int) -> None:
        nonlocal steps
        steps += 1
        if steps == after:
            raise Interruption

    with pytest.raises(Interruption):
        imported(place, file, report=interrupt)


def test_a_server_starts_on_no_unfinished_import_and_on_the_finished_one(
    source: Source, export_file: Path, target: Place, tmp_path: Path
) -> None:
    half_imported(target, export_file)
    with (
        pytest.raises(OperatorError, match=r"import that is not finished.*\nRun the same `watchword import` again"),
        serving(target, source.clock),
    ):
        pass
    with pytest.raises(OperatorError, match="import that is not finished"):
        exported(target, tmp_path / "file")
    imported(target, export_file, source.clock)
    with serving(target, source.clock) as (_, client):
        assert source.identity in client.listed()


def test_a_server_and_an_export_do_on_the_schema_before_and_an_import_refuses_it(
    source: Source, export_file: Path, target: Place, tmp_path: Path
) -> None:
    """The table of imports is not there yet, nor a column that is newer than most."""
    executed(
        target, *without_marks(target), "drop table imports", "alter table exchange_assignments drop column client_ids"
    )
    with serving(target, source.clock) as (_, client):
        identity = client.new_identity()
    with pytest.raises(OperatorError, match="The database is not empty"):
        imported(target, export_file)
    made = exported(target, tmp_path / "file")
    assert "client_ids" not in made.header.tables["exchange_assignments"]
    upgraded = Place(FreshSettings(None)(encryption_key=KEY), tmp_path / "upgraded")
    imported(upgraded, tmp_path / "file")
    with serving(upgraded, source.clock) as (_, client):
        assert client.listed() == [identity]


def test_a_database_that_a_server_has_started_on_is_refused_and_left_alone(
    source: Source, export_file: Path, target: Place, tmp_path: Path
) -> None:
    with serving(target, source.clock):
        pass
    before = exported(target, tmp_path / "before")
    with pytest.raises(OperatorError, match="The database is not empty: nothing was changed"):
        imported(target, export_file)
    assert exported(target, tmp_path / "after").end == before.end


@pytest.mark.parametrize("sql", ["update feed set cursor = 1", "update clock set high_water_micros = 1"])
def test_a_database_that_has_seen_anything_is_not_empty(export_file: Path, target: Place, sql: str) -> None:
    executed(target, sql)
    with pytest.raises(OperatorError, match="The database is not empty"):
        imported(target, export_file)


def test_a_damaged_file_and_another_key_change_nothing(export_file: Path, target: Place, tmp_path: Path) -> None:
    content = export_file.read_bytes()
    damaged = tmp_path / "damaged"
    damaged.write_bytes(content[:-30] + bytes(1) + content[-29:])
    with pytest.raises(OperatorError, match="is damaged"):
        imported(target, damaged)
    wrong = replace(target.settings, encryption_key=base64.b64encode(bytes(32)).decode())
    with pytest.raises(OperatorError, match="under another encryption key"):
        imported(Place(wrong, target.folder), export_file)
    assert is_empty(target)


def test_an_import_goes_on_with_a_good_copy_after_a_damaged_one(
    source: Source, export_file: Path, target: Place, tmp_path: Path
) -> None:
    half_imported(target, export_file)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(export_file.read_bytes()[:-1])
    with pytest.raises(OperatorError, match="is damaged"):
        imported(target, damaged)
    imported(target, export_file, keep_tokens=True)
    assert sums(exported(target, tmp_path / "after")) == sums(exported(source.place, tmp_path / "before"))


def test_another_file_is_refused_while_one_is_unfinished_and_after(
    source: Source, export_file: Path, target: Place, tmp_path: Path
) -> None:
    exported(source.place, other := tmp_path / "other")
    half_imported(target, export_file)
    with pytest.raises(OperatorError, match="an import of another file that is not finished"):
        imported(target, other)
    imported(target, export_file)
    with pytest.raises(OperatorError, match="The database is not empty"):
        imported(target, other)


def test_rows_that_somebody_else_wrote_meanwhile_are_found(export_file: Path, target: Place) -> None:
    half_imported(target, export_file)
    executed(target, "insert into operators select '00', 'somebody', 'reader', encrypted, 0 from key_check")
    with pytest.raises(OperatorError, match="differs from the file: operators"):
        imported(target, export_file)


def test_of_two_imports_at_once_one_leaves_it_to_the_other(export_file: Path, target: Place) -> None:
    others: list[str] = []

    def overtake(doing: str, done: int, total: int) -> None:
        if not others:
            others.append(doing)
            imported_in_a_thread(target, export_file)

    with pytest.raises(OperatorError, match="Another process reads the same file"):
        imported(target, export_file, report=overtake)
    assert imported(target, export_file).was_finished


def imported_in_a_thread(place: Place, file: Path) -> None:
    """An event loop is running in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(imported, place, file).result()


@pytest.mark.parametrize(
    ("schema_version", "tables"),
    [(999, {"clock": ("singleton",)}), (7, {"clock": ("singleton", "hands")}), (7, {"calendar": ("day",)})],
    ids=["a newer schema", "an unknown column", "an unknown table"],
)
def test_a_file_of_a_newer_program_is_refused_before_anything_is_written(
    target: Place, tmp_path: Path, schema_version: int, tables: dict[str, tuple[str, ...]]
) -> None:
    file = tmp_path / "newer"
    encryption = Encryption(base64.b64decode(KEY))
    facts = {"engine": "any", "program": "9.9.9", "taken_micros": 0, "rows": 0}
    with file.open("wb") as opened:
        ExportWriter(opened, encryption.keys[0], schema_version=schema_version, tables=tables, **facts).write(
            End({}, {})
        )
    with pytest.raises(OperatorError, match=rf"by Watchword 9.9.9 with schema version {schema_version}"):
        imported(target, file)
    assert is_empty(target)


def test_a_file_of_an_older_schema_is_read_in_and_what_it_lacks_has_its_default(target: Place, tmp_path: Path) -> None:
    file = tmp_path / "older"
    columns = ("number", "id", "subscription", "name", "location", "created_micros")
    groups = Rows("resource_groups", [[4, "id", "zero", "old", "global", 0]])
    checksums = Checksums(["resource_groups"])
    checksums.add(groups.table, groups.rows)
    facts = {"engine": "any", "program": "0.2.0", "taken_micros": 0, "rows": 1, "schema_version": 3}
    with file.open("wb") as opened:
        encryption = Encryption(base64.b64decode(KEY))
        writer = ExportWriter(opened, encryption.keys[0], tables={"resource_groups": columns}, **facts)
        writer.write(groups)
        writer.write(End(checksums.sums(), {"resource_groups": 9}))
    imported(target, file)
    insert = "insert into resource_groups (id, subscription, name, location, created_micros)"
    found = executed(
        target,
        "select number, name, tags, state from resource_groups",
        f"{insert} values ('next', 'zero', 'new', 'global', 0) returning number",
    )
    assert found == [[(4, "old", "{}", "active")], [(10,)]]
