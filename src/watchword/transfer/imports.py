"""A file into an empty database. Each chunk is one transaction that notes how far it came, so that whatever ends the
process, the next run goes on from there; what is in is compared with the file before anybody may use it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from watchword.clock import Clock
from watchword.errors import OperatorError
from watchword.identifiers import new_key_id
from watchword.revocations.store import begin_history
from watchword.storage import Database, Transaction
from watchword.storage.clock_marks import raise_high_water
from watchword.storage.database import TURN
from watchword.storage.schema import require_newest
from watchword.transfer import store
from watchword.transfer.checksums import Checksums
from watchword.transfer.export_file import End, ExportReader, Rows
from watchword.transfer.exports import ROWS_IN_A_CHUNK, Report
from watchword.transfer.store import ImportRow
from watchword.transfer.tables import BY_NAME, CUSTOM_IDS

EndTokens: TypeAlias = Callable[[Transaction, int], Awaitable[int]]
"""Ends every token so far, at a time in microseconds; of how many resources. See `resources.generations`."""


@dataclass(frozen=True, slots=True)
class Import:
    """What was read in; `was_finished` by an earlier run. `revoked` counts resources, whose tokens so far are dead."""

    end: End
    finished_micros: int
    was_finished: bool
    revoked: int


class Importer:
    """One file on its way into one database."""

    def __init__(
        self, database: Database, reader: ExportReader, clock: Clock, *, report: Report, end_tokens: EndTokens
    ) -> None:
        self._database = database
        self._reader = reader
        self._header = reader.header
        self._clock = clock
        self._report = report
        self._end_tokens = end_tokens

    async def run(self, *, keep_tokens: bool) -> Import:
        """All of it, from wherever an earlier run was interrupted.

        Unless they are kept, every token so far is dead: what was revoked since the export was taken would live again.

        Raises:
            OperatorError: the file is damaged or of a newer program, the database is not empty, or differs afterwards.
            Unavailable: the database went away; another run goes on.
        """
        # Before anything is written, the whole file is proved to be there.
        end = self._reader.end()
        await self._require_known()
        require_newest(self._database.schema, "An import")
        begun = await self._database.transact(self._begin, TURN)
        if begun.finished_micros is not None:
            return Import(end, begun.finished_micros, was_finished=True, revoked=0)
        await self._read_in(begun.chunks)
        await self._compare(end)
        for table, number in end.numbers.items():
            await store.set_last_number(self._database, table, number)
        revoked, finished = await self._database.transact(
            lambda transaction: self._finish(transaction, keep_tokens), TURN
        )
        return Import(end, finished, was_finished=False, revoked=revoked)

    async def _require_known(self) -> None:
        header, known = self._header, await store.schema_version(self._database)
        unknown = [name for name, columns in header.tables.items() if not _knows(name, columns)]
        if header.schema_version > known or unknown:
            raise OperatorError(
                f"The file was exported by Watchword {header.program} with schema version {header.schema_version};"
                f" this program knows versions up to {known}.",
                "Run that Watchword, or a newer one.",
            )

    async def _begin(self, transaction: Transaction) -> ImportRow:
        export_id = self._header.export_id
        is_known = await transaction.has_table("imports")
        found = await store.list_imports(transaction) if is_known else []
        for row in found:
            if row.export_id == export_id:
                return row
        if any(row.finished_micros is None for row in found):
            raise OperatorError(
                "The database holds an import of another file that is not finished.",
                "Give that file, or begin with an empty database.",
            )
        if found or not is_known or not await store.is_untouched(transaction):
            raise OperatorError(
                "The database is not empty: nothing was changed.",
                "Import into a new one before a server starts on it: name it in WATCHWORD_DATABASE or with --data.",
            )
        await store.insert_import(transaction, export_id)
        return ImportRow(export_id, 0, None)

    async def _read_in(self, first: int) -> None:
        for number, chunk in self._reader.chunks(first):

            async def write(transaction: Transaction, number: int = number, chunk: Rows = chunk) -> None:
                if not await store.count_chunk(transaction, self._header.export_id, number):
                    raise _taken_up()
                await self._write(transaction, chunk)

            await self._database.transact(write, TURN)
            self._report("importing", self._reader.position, self._reader.size)
        self._report("importing", self._reader.size, self._reader.size)

    async def _write(self, transaction: Transaction, chunk: Rows) -> None:
        table, columns = BY_NAME[chunk.table], self._header.tables[chunk.table]
        if table.is_made_with_the_schema:
            for row in chunk.rows:
                await store.update_only_row(transaction, table, columns, row=row)
            return
        await transaction.load(table.name, columns, chunk.rows)
        # On SQLite it is a view of the identities.
        if table.name == "identities" and await transaction.has_table("custom_ids"):
            places = [columns.index(column) for column in CUSTOM_IDS]
            named = [[row[place] for place in places] for row in chunk.rows if row[places[1]] is not None]
            await transaction.load("custom_ids", CUSTOM_IDS, named)

    async def _compare(self, end: End) -> None:
        checksums = Checksums(self._header.tables)
        done = 0
        async with self._database.snapshot() as snapshot:
            for name, columns in self._header.tables.items():
                async for rows in snapshot.pages(store.select(BY_NAME[name], columns), ROWS_IN_A_CHUNK):
                    checksums.add(name, rows)
                    done += len(rows)
                    self._report("comparing", done, self._header.rows)
            names, named = [(await snapshot.query(sql))[0][0] for sql in (store.count("custom_ids"), store.COUNT_NAMED)]
        differing = [name for name, found in checksums.sums().items() if found != end.sums[name]]
        if differing or names != named:
            raise OperatorError(
                f"What was read in differs from the file: {', '.join(differing) or 'custom_ids'}.",
                "Somebody else wrote to the database. Begin again with an empty one that nobody uses.",
            )

    async def _finish(self, transaction: Transaction, keep_tokens: bool) -> tuple[int, int]:
        if (await self._begin(transaction)).finished_micros is not None:
            raise _taken_up()
        high_water = await store.high_water(transaction)
        # Above every issue time and generation that the source knew, whatever this machine's clock says.
        now = max(self._clock.micros(), high_water + 1, self._header.taken_micros + 1)
        await raise_high_water(transaction, now)
        # First: only in a whole database are revocations kept for as long as they have to be.
        await store.finish_import(transaction, self._header.export_id, now)
        revoked = 0 if keep_tokens else await self._end_tokens(transaction, now)
        await begin_history(transaction, new_key_id())
        return revoked, now


def _knows(name: str, columns: tuple[str, ...]) -> bool:
    return name in BY_NAME and set(columns) <= set(BY_NAME[name].columns)


def _taken_up() -> OperatorError:
    return OperatorError("Another process reads the same file into this database.", "Leave it to that one.")
