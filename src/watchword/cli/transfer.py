"""`watchword export` and `watchword import`: backups, and moving from one engine to the other."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watchword.cli.help_pages import Explained
from watchword.cli.output import format_moment, json_option, print_json, print_table
from watchword.cli.progress import shown_progress
from watchword.cli.setting_flags import with_settings
from watchword.clock import SystemClock, to_datetime
from watchword.errors import OperatorError, Unavailable
from watchword.server.terminal import say
from watchword.settings import Settings

if TYPE_CHECKING:
    from watchword.transfer.exports import Export, Report
    from watchword.transfer.imports import Import

_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
_OF_A_DATA_FOLDER = ("data", "encryption_key_file")

_AGAIN = "Run the same command again: it goes on where it was."
_REVOKED = "Every access token so far is refused, of {}; verifiers hear of it through the feed."
_KEPT = (
    "Tokens live on, as you wished: also those that were revoked, or whose identity, access key or signing key was,"
    " after the export was taken. That is right for a move whose source was stopped before, and wrong for a backup."
)
_BROUGHT_BACK = """\
An export brings back what was there when it was taken. If that is long ago, see to what has ended since:
  access keys that were regenerated    watchword resource regenerate-key
  signing keys that were revoked       watchword keys list, then watchword keys revoke
  credentials of verifiers             watchword verifier list, then watchword verifier delete
  operators                            watchword operator list, then watchword operator delete
  roles                                watchword role list, then watchword role remove
  identities, resources and groups     watchword identity delete, watchword resource delete, watchword group delete
Start the server with the encryption key that the file was exported under."""


@click.command(cls=Explained)
@_file
@click.option("--verify", is_flag=True, help="Write nothing: read a file that is there, and check every row of it.")
@json_option
@with_settings(_OF_A_DATA_FOLDER)
def export(settings: Settings, file: Path, verify: bool, *, as_json: bool) -> None:
    """Write the whole database into an encrypted file, beside a running server or without one.

    It is of one instant, and is encrypted under the encryption key: keep that apart from the file. What is interrupted
    leaves no file, and begins anew. Where the file is -, it goes to standard output once it is whole, and everything
    else to standard error; until then it takes room in the folder for temporary files.
    """
    if str(file) == "-":
        if verify:
            raise click.UsageError("A file that is to be verified has to be named.")
        _export_to_output(settings)
        return
    with _told("Nothing was changed." if verify else "Nothing was written."), shown_progress() as report:
        found = _verified(settings, file, report) if verify else asyncio.run(_export(settings, file, report))
    if as_json:
        print_json(_facts(found))
    else:
        _show(found)
        say(f"{file} is whole." if verify else f"Exported {found.header.rows:,} rows to {file}.")


@click.command("import", cls=Explained)
@_file
@click.option("--keep-tokens", is_flag=True, help="Leave access tokens valid: for a move, never for a backup.")
@json_option
@with_settings(_OF_A_DATA_FOLDER)
def import_(settings: Settings, file: Path, keep_tokens: bool, *, as_json: bool) -> None:
    """Read a file of `watchword export` into an empty database, of whichever engine.

    What is interrupted goes on where it was, when the same command is run again. Every access token so far is refused
    afterwards, so that none that was revoked comes back to life.
    """
    with _told(_AGAIN), shown_progress() as report:
        found, done = asyncio.run(_import(settings, file, keep_tokens, report=report))
    if as_json:
        print_json(_facts(found) | {"finished": to_datetime(done.finished_micros), "revoked": done.revoked})
        return
    _show(found)
    finished = format_moment(to_datetime(done.finished_micros))
    if done.was_finished:
        say(f"This very file is in already, since {finished}: nothing was changed.")
        return
    say(f"Imported {found.header.rows:,} rows, and compared them with the file.")
    say(_KEPT if keep_tokens else _REVOKED.format("1 resource" if done.revoked == 1 else f"{done.revoked:,} resources"))
    say(_BROUGHT_BACK)


def _export_to_output(settings: Settings) -> None:
    output = sys.stdout.buffer
    if output.isatty():
        raise OperatorError("An export is no text for a terminal.", "Name a file, or lead standard output into one.")
    with _told("Nothing was written."), tempfile.TemporaryDirectory(prefix="watchword-export-") as folder:
        whole = Path(folder) / "export"
        with shown_progress() as report:
            found = asyncio.run(_export(settings, whole, report))
        with whole.open("rb") as file:
            shutil.copyfileobj(file, output)
        output.flush()
    say(f"Exported {found.header.rows:,} rows to standard output.")


async def _export(settings: Settings, file: Path, report: Report) -> Export:
    from importlib.metadata import version

    from watchword.cli.data_folder import data_of
    from watchword.server.installation import find_encryption, opened_database
    from watchword.transfer.exports import write_export

    data = data_of(settings)
    engine = "postgresql" if settings.database else "sqlite"
    async with opened_database(settings, data) as database:
        encryption = find_encryption(settings, data)
        return await write_export(
            database, encryption, file, clock=SystemClock(), report=report, engine=engine, program=version("watchword")
        )


def _verified(settings: Settings, path: Path, report: Report) -> Export:
    from watchword.cli.data_folder import data_of
    from watchword.server.installation import find_encryption
    from watchword.transfer.exports import read_export

    encryption = find_encryption(settings, data_of(settings))
    with path.open("rb") as file:
        return read_export(path, file, encryption, report=report)


async def _import(settings: Settings, path: Path, keep_tokens: bool, *, report: Report) -> tuple[Export, Import]:
    import sqlite3

    from watchword.cli.data_folder import own_data_of
    from watchword.resources.generations import raise_every_generation
    from watchword.server.installation import describe_database, find_encryption
    from watchword.storage.opening import open_database
    from watchword.transfer.export_file import ExportReader
    from watchword.transfer.exports import Export
    from watchword.transfer.imports import Importer

    data = own_data_of(settings)
    with path.open("rb") as file:
        reader = ExportReader(path, file, find_encryption(settings, data))
        if not settings.database:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = await open_database(settings, data)
        try:
            importer = Importer(database, reader, SystemClock(), report=report, end_tokens=raise_every_generation)
            done = await importer.run(keep_tokens=keep_tokens)
        except (Unavailable, sqlite3.Error):
            where = describe_database(settings, data)
            raise OperatorError(f"The database {where} went away, or has no room.", _AGAIN) from None
        finally:
            await database.close()
    return Export(reader.header, done.end), done


@contextmanager
def _told(when_interrupted: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say(f"watchword: Interrupted. {when_interrupted}")
        sys.exit(130)
    except OSError as error:
        raise OperatorError(
            f"{error.filename or 'The file'} cannot be used: {error.strerror}.",
            "Name another one, or see that it is this user's, on a disk that is sound and has room.",
        ) from None


def _facts(export: Export) -> dict[str, Any]:
    header = export.header
    return {
        "export_id": header.export_id,
        "taken": to_datetime(header.taken_micros),
        "engine": header.engine,
        "program": header.program,
        "schema_version": header.schema_version,
        "tables": {name: {"rows": each.rows, "sha256": each.sha256.hex()} for name, each in export.end.sums.items()},
        "numbers": export.end.numbers,
    }


def _show(export: Export) -> None:
    rows = [(name, f"{each.rows:,}", each.sha256.hex()[:16]) for name, each in export.end.sums.items()]
    print_table(("table", "rows", "sha256 begins with"), rows)
