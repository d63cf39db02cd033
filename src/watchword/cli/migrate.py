"""`watchword migrate`: bring a database to this program's schema, having seen what that would be."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchword.cli.help_pages import ExplainedGroup
from watchword.cli.output import json_option, print_json, print_table
from watchword.cli.setting_flags import with_settings
from watchword.server.terminal import say
from watchword.settings import Settings

if TYPE_CHECKING:
    from watchword.storage.schema import Engine, Schema


@click.group(cls=ExplainedGroup)
def migrate() -> None:
    """Bring the database to the schema of this release, or see what that would do."""


@migrate.command()
@json_option
@with_settings(("data",))
def plan(settings: Settings, as_json: bool) -> None:
    """Show the database's schema version, and the steps to this program's. Nothing is changed."""
    from watchword.cli.data_folder import own_data_of
    from watchword.server.installation import describe_database, schema_version
    from watchword.storage.schema import missing_steps, schema_files

    data, engine = own_data_of(settings), _engine(settings)
    present, newest = schema_version(settings, data), schema_files(engine)[-1].version
    steps = missing_steps(present, engine)
    if as_json:
        due = [{"version": step.version, "file": step.name, "purpose": step.purpose} for step in steps]
        print_json({"version": present, "newest": newest, "steps": due})
        return
    print(f"{describe_database(settings, data)} has schema version {present}; this program's is {newest}.")
    if steps:
        print_table(("step", "purpose"), [(step.name, step.purpose) for step in steps])
    else:
        print("There is nothing to do.")


@migrate.command()
@with_settings(("data", "synchronous"))
def apply(settings: Settings) -> None:
    """Bring the database to this program's schema, while servers run on it.

    On SQLite it is copied first. Each step is one transaction; one that fails leaves the version before it.
    """
    from watchword.cli.data_folder import own_data_of
    from watchword.server.installation import describe_database, schema_version

    data = own_data_of(settings)
    before = schema_version(settings, data)
    with _progress():
        schema = asyncio.run(_migrate(settings, data))
    done = "there was nothing to do" if schema.version == before else f"it had {before}"
    say(f"{describe_database(settings, data)} has schema version {schema.version}: {done}.")


async def _migrate(settings: Settings, data: Path) -> Schema:
    from watchword.storage.opening import open_database

    database = await open_database(settings, data, migrating="always")
    await database.close()
    return database.schema


def _engine(settings: Settings) -> Engine:
    return "postgres_schema" if settings.database else "sqlite_schema"


@contextmanager
def _progress() -> Iterator[None]:
    """What a server logs of its migration, or keeps to itself, is told here as it happens."""
    log, lines = logging.getLogger("watchword.storage"), logging.StreamHandler(sys.stderr)
    lines.setFormatter(logging.Formatter("watchword: %(message)s"))
    log.addHandler(lines)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(lines)
        log.setLevel(logging.NOTSET)
