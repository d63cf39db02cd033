"""What is read in is what was exported, from either engine into either engine, wherever it was interrupted."""

from collections import Counter
from pathlib import Path

from tests.support.engines import Place
from tests.support.transfers import Source, exported, imported, sums
from watchword.storage import Database
from watchword.transfer.tables import LEFT_OUT, NUMBERED, TABLES


def test_every_table_arrives_as_it_was(source: Source, export_file: Path, target: Place, tmp_path: Path) -> None:
    before = exported(source.place, tmp_path / "before", source.clock)
    assert [name for name, each in before.end.sums.items() if each.rows == 0] == []
    done = imported(target, export_file, source.clock, keep_tokens=True)
    assert (done.end, done.revoked) == (before.end, 0)
    after = exported(target, tmp_path / "after", source.clock)
    assert sums(after) == sums(before)
    assert after.end.numbers == before.end.numbers
    # The resource that came last was deleted, and the next one gets another number.
    assert before.end.numbers["resources"] > before.end.sums["resources"].rows


async def test_every_table_and_column_of_the_engine_is_exported_or_left_out_for_a_reason(
    database: Database, place: Place
) -> None:
    if place.is_postgres:
        sql = """
            select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and a.attnum > 0 and not a.attisdropped
        """
    else:
        sql = """
            select s.name, c.name from sqlite_schema s join pragma_table_info(s.name) c
            where s.type = 'table' and s.name not like 'sqlite_%'
        """
    there = {f"{table}.{column}" for table, column in await database.query(sql)}
    assert len(there) > 70
    exported = Counter(f"{table.name}.{column}" for table in TABLES for column in table.columns)
    assert set(exported.values()) == {1}
    assert {name for name in there - exported.keys() if not {name, name.partition(".")[0]} & LEFT_OUT.keys()} == set()
    assert exported.keys() - there == set()


async def test_numbers_of_the_tables_are_all_that_the_engine_gives_out_itself(database: Database, place: Place) -> None:
    if place.is_postgres:
        sql = """
            select table_name from information_schema.columns
            where is_identity = 'YES' and table_schema = current_schema()
        """
    else:
        sql = "select name from sqlite_schema where sql like '%autoincrement%'"
    given = {name for (name,) in await database.query(sql)}
    assert given - LEFT_OUT.keys() == set(NUMBERED)


class Interruption(BaseException):
    """What ends a run: Ctrl-C, a signal or whatever it is."""


def test_an_import_that_is_interrupted_after_every_step_goes_on_and_ends_the_same(
    source: Source, export_file: Path, other_engine: Place, tmp_path: Path
) -> None:
    steps: list[str] = []

    def interrupt(doing: str, done: int, total: int) -> None:
        step = f"{doing} {done}"
        if step not in steps:
            steps.append(step)
            raise Interruption

    while True:
        try:
            done = imported(other_engine, export_file, source.clock, interrupt, keep_tokens=True)
        except Interruption:
            continue
        break
    assert len([step for step in steps if step.startswith("importing")]) > len(TABLES)
    assert len([step for step in steps if step.startswith("comparing")]) >= len(TABLES)
    assert not done.was_finished
    again = imported(other_engine, export_file, source.clock, keep_tokens=True)
    assert (again.was_finished, again.finished_micros) == (True, done.finished_micros)
    assert sums(exported(other_engine, tmp_path / "after")) == sums(exported(source.place, tmp_path / "before"))
