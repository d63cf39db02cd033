"""Whole tables, and the rows of `imports`: how far each export is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from watchword.errors import OperatorError
from watchword.storage import Database, Statement, Transaction
from watchword.transfer.tables import NUMBERED, TABLES, Table

_SCHEMA_VERSION = Statement(
    sqlite=("select user_version from pragma_user_version where :row = 1",),
    parameters=(("row", "int8"),),
    postgres="select q.n, s.version from q join schema_version s on s.singleton = q.row",
)
_LAST_NUMBER = Statement(
    sqlite=("select seq from sqlite_sequence where name = :name",),
    parameters=(("name", "text"),),
    postgres="select q.n, pg_sequence_last_value(pg_get_serial_sequence(q.name, 'number')::regclass) from q",
)
_SET_LAST_NUMBER = Statement(
    sqlite=(
        "delete from sqlite_sequence where name = :name",
        "insert into sqlite_sequence (name, seq) values (:name, :number)",
    ),
    parameters=(("name", "text"), ("number", "int8")),
    postgres="select q.n, setval(pg_get_serial_sequence(q.name, 'number')::regclass, q.number) from q",
)


UNFINISHED = "select 1 from imports where finished_micros is null"
COUNT_NAMED = "select count(*) from identities where custom_id is not null"


@dataclass(frozen=True, slots=True)
class ImportRow:
    """`chunks` of the export are in; `finished_micros` is None while some are missing."""

    export_id: str
    chunks: int
    finished_micros: int | None


def select(table: Table, columns: Sequence[str]) -> str:
    """Every row, in the order of the key."""
    return f"select {', '.join(columns)} from {table.name} order by {', '.join(table.key)}"


def count(table: str) -> str:
    return f"select count(*) from {table}"


async def schema_version(database: Database) -> int:
    [(version,)] = await database.read(_SCHEMA_VERSION, {"row": 1})
    return int(version)


async def last_numbers(database: Database) -> dict[str, int]:
    """The highest number that each table ever gave out; without those that gave out none."""
    found = {name: await database.read(_LAST_NUMBER, {"name": name}) for name in NUMBERED}
    return {name: int(rows[0][0]) for name, rows in found.items() if rows and rows[0][0]}


async def set_last_number(database: Database, table: str, number: int) -> None:
    """Sets it for a table that gave out none of its own so far."""
    await database.write(_SET_LAST_NUMBER, {"name": table, "number": number})


async def is_untouched(transaction: Transaction) -> bool:
    """Whether no server ever ran on the database, and nothing else was put into it."""
    for table in TABLES:
        touched = " where cursor > 0" if table.name == "feed" else " where high_water_micros > 0"
        where = touched if table.is_made_with_the_schema else ""
        if await transaction.execute(f"select 1 from {table.name}{where} limit 1"):
            return False
    return True


async def update_only_row(
    transaction: Transaction, table: Table, columns: Sequence[str], *, row: Sequence[Any]
) -> None:
    changes = ", ".join(f"{column} = ${number}" for number, column in enumerate(columns, 1))
    await transaction.execute(f"update {table.name} set {changes}", *row)


async def high_water(transaction: Transaction) -> int:
    """The highest issue time that may have been given out."""
    [(micros,)] = await transaction.execute("select high_water_micros from clock")
    return int(micros)


async def list_imports(transaction: Transaction) -> list[ImportRow]:
    rows = await transaction.execute("select export_id, chunks, finished_micros from imports order by export_id")
    return [ImportRow(*row) for row in rows]


async def insert_import(transaction: Transaction, export_id: str) -> None:
    await transaction.execute("insert into imports (export_id, chunks) values ($1, 0)", export_id)


async def count_chunk(transaction: Transaction, export_id: str, number: int) -> bool:
    """Whether it is the next one: another process may have been faster."""
    return bool(
        await transaction.execute(
            "update imports set chunks = $1 where export_id = $2 and chunks = $3 returning 1",
            number + 1,
            export_id,
            number,
        )
    )


async def finish_import(transaction: Transaction, export_id: str, now_micros: int) -> None:
    await transaction.execute(
        "update imports set finished_micros = $1 where export_id = $2 and finished_micros is null",
        now_micros,
        export_id,
    )


async def require_finished_imports(transaction: Transaction) -> None:
    """Refuse to go on while an import is unfinished.

    Raises:
        OperatorError: some rows of an export are still missing.
    """
    if await transaction.has_table("imports") and await transaction.execute(UNFINISHED):
        raise OperatorError(
            "The database holds an import that is not finished: some of its rows are missing.",
            "Run the same `watchword import` again, which goes on where it was; or begin with an empty database.",
        )
