"""A database into a file: all of it, as it was at one instant, whoever writes to it meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from watchword.clock import Clock
from watchword.errors import OperatorError, reason_of
from watchword.files import written_whole
from watchword.keyring import key_check
from watchword.keyring.encryption import Encryption
from watchword.keyring.encryption_key import EncryptionKey
from watchword.storage import Database, Snapshot
from watchword.transfer import store
from watchword.transfer.checksums import Checksums, TableSum
from watchword.transfer.export_file import End, ExportReader, ExportWriter, Header, Rows
from watchword.transfer.tables import BY_NAME, TABLES

ROWS_IN_A_CHUNK = 4_000

Report = Callable[[str, int, int], None]
"""What is being done, and how much of how much is done."""


@dataclass(frozen=True, slots=True)
class Export:
    """What a file holds."""

    header: Header
    end: End


async def write_export(
    database: Database,
    encryption: Encryption,
    path: Path,
    *,
    clock: Clock,
    report: Report,
    engine: str,
    program: str,
    rows_in_a_chunk: int = ROWS_IN_A_CHUNK,
) -> Export:
    """A new file; it has its name only when all of it has reached the disk. `engine` and `program` are for people.

    Raises:
        OperatorError: the database holds nothing to export, the key does not fit it, or the file cannot be written.
        Unavailable: the database does not answer.
    """
    async with database.snapshot() as snapshot:
        taken = clock.micros()
        key = await _require_exportable(snapshot, encryption)
        # Read after the instant, these can only be too high, which does no harm.
        numbers = await store.last_numbers(database)
        tables = await _tables_of(snapshot)
        counts = [(await snapshot.query(store.count(name)))[0][0] for name in tables]
        try:
            with written_whole(path) as file:
                writer = ExportWriter(
                    file,
                    key,
                    schema_version=await store.schema_version(database),
                    taken_micros=taken,
                    tables=tables,
                    rows=sum(counts),
                    engine=engine,
                    program=program,
                )
                end = End(await _write_rows(snapshot, writer, report, rows_in_a_chunk=rows_in_a_chunk), numbers)
                writer.write(end)
        except FileExistsError as error:
            raise OperatorError(f"Nothing was written: {reason_of(error)}.", "Name a file that is not there.") from None
        except OSError as error:
            raise OperatorError(
                f"{path} cannot be written: {error.strerror}.", "Name a folder that has room, and is this user's."
            ) from None
    return Export(writer.header, end)


def read_export(path: Path, file: BinaryIO, encryption: Encryption, *, report: Report) -> Export:
    """What a file holds, after every row of it was read and counted.

    Raises:
        OperatorError: it is damaged, or was exported under another key.
    """
    reader = ExportReader(path, file, encryption)
    end = reader.end()
    checksums = Checksums(reader.header.tables)
    done = 0
    for _, chunk in reader.chunks():
        checksums.add(chunk.table, chunk.rows)
        done += len(chunk.rows)
        report("verifying", done, reader.header.rows)
    if checksums.sums() != end.sums:
        raise OperatorError(f"{path} does not add up: it was written by a program that is at fault.", "Export anew.")
    return Export(reader.header, end)


async def _require_exportable(snapshot: Snapshot, encryption: Encryption) -> EncryptionKey:
    """The key that the database is under: whoever restores the file needs it for the secrets in it anyway."""
    if await snapshot.columns("imports") and await snapshot.query(store.UNFINISHED):
        raise OperatorError(
            "The database holds an import that is not finished.", "Run the same `watchword import` again first."
        )
    rows = await snapshot.query(key_check.FIND)
    if not rows:
        raise OperatorError("No server has run on the database: there is nothing to export.", "Name another one.")
    return encryption.fitting(rows[0][0])


async def _tables_of(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """Every table with its columns; a release also runs on the schema before its own, which may lack some."""
    there = {table: await snapshot.columns(table.name) for table in TABLES}
    return {
        table.name: tuple(column for column in table.columns if column in columns)
        for table, columns in there.items()
        if columns
    }


async def _write_rows(
    snapshot: Snapshot, writer: ExportWriter, report: Report, *, rows_in_a_chunk: int
) -> dict[str, TableSum]:
    checksums = Checksums(writer.header.tables)
    done = 0
    for name, columns in writer.header.tables.items():
        async for rows in snapshot.pages(store.select(BY_NAME[name], columns), rows_in_a_chunk):
            writer.write(Rows(name, rows))
            checksums.add(name, rows)
            done += len(rows)
            report("exporting", done, writer.header.rows)
    return checksums.sums()
