"""The schema as numbered files, and what a program makes of a database that has another version than its own.

storage/sqlite_schema/0001_identities.sql

A release runs on its own schema and on the one before: so nodes are replaced one after the other while the database
stays as it is, and the schema is brought up to date at the end, when nobody is left who needs the old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Literal, NamedTuple

from watchword.errors import OperatorError

Engine = Literal["sqlite_schema", "postgres_schema"]
"""The folder of its files."""

Migrating = Literal["always", "when empty", "never"]
"""When whoever opens a database brings its schema up to date."""

APPLY = "`watchword migrate apply`"


class Step(NamedTuple):
    """One file, which makes its version of the one before."""

    version: int
    name: str
    sql: str

    @property
    def purpose(self) -> str:
        """The file's first line, which is a comment."""
        return self.sql.partition("\n")[0].removeprefix("--").strip()


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema of a database that was opened: its version, the newest that this program knows, and a note for its
    operator where there is something to be known.
    """

    version: int
    newest: int
    note: str = ""


def schema_files(engine: Engine = "sqlite_schema") -> list[Step]:
    """Every step, oldest first."""
    folder = resources.files("watchword.storage") / engine
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [Step(int(name.partition("_")[0]), name, (folder / name).read_text("utf-8")) for name in names]


def missing_steps(present: int, engine: Engine) -> list[Step]:
    """The steps from the present version to the newest.

    Raises:
        OperatorError: the database was made by a newer program.
    """
    steps = schema_files(engine)
    newest = steps[-1].version
    if present > newest:
        raise OperatorError(
            f"The database has schema version {present}; this program knows versions up to {newest}.",
            "Run a newer Watchword, or restore a backup from before the upgrade.",
        )
    return [step for step in steps if step.version > present]


def in_transactions(steps: list[Step], present: int) -> list[list[Step]]:
    """Each step has one of its own; but whoever looks in at an empty database must not find half a schema."""
    return [[step] for step in steps] if present else [steps]


def require_served(present: int, engine: Engine) -> Schema:
    """The schema as it is, if this program runs on it.

    Raises:
        OperatorError: it is empty, too old, or was made by a newer program.
    """
    missing = missing_steps(present, engine)
    newest = present + len(missing)
    if not missing:
        return Schema(present, newest)
    if not present:
        raise OperatorError(
            f"The database is empty; this program runs on schema version {newest}.",
            f"Start the server once, or run {APPLY}: both make the schema.",
        )
    if len(missing) > 1:
        raise OperatorError(
            f"The database has schema version {present}; this program runs on the versions {newest - 1} and {newest}.",
            f"Stop every server that runs on it, run {APPLY}, and start this release.",
        )
    has_nodes = engine == "postgres_schema"
    due = (
        f"{APPLY} is due, once every server runs this release"
        if has_nodes
        else f"the next start, or {APPLY}, migrates it"
    )
    return Schema(present, newest, f"version {present} of {newest}: {due}")


def require_newest(schema: Schema, what: str) -> None:
    """Refuses what cannot do with the version before; `what` begins a sentence, such as `An import`.

    Raises:
        OperatorError: the database has an older schema than this program.
    """
    if schema.version < schema.newest:
        raise OperatorError(
            f"{what} needs schema version {schema.newest}; the database has version {schema.version}.",
            f"Run {APPLY} first, once every server runs this release.",
        )


def step_failed(step: Step, before: int, error: Exception) -> OperatorError:
    """`before` is the version that the database keeps."""
    return OperatorError(
        f"{step.name} failed: {error}. The database stays at schema version {before}.",
        f"Fix that, and run {APPLY} again. Until then the release before runs on the database as it is.",
    )
