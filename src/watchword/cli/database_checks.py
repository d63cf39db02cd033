"""What `doctor` finds out about the database and about the key that its secrets are encrypted with."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from watchword.cli.chat_checks import check_chat
from watchword.cli.findings import Finding, ok, problem, told_by, warning
from watchword.clock import MachineClock
from watchword.errors import OperatorError, Unavailable
from watchword.files import opens_to_strangers
from watchword.identifiers import FLAKE_EPOCH_MILLIS
from watchword.keyring.encryption import find_key_path
from watchword.keyring.encryption_key import parse_key
from watchword.keyring.key_files import load_or_create_key_file, next_of
from watchword.server.installation import (
    access_keys,
    describe_database,
    find_encryption,
    opened_database,
    schema_version,
)
from watchword.settings import Settings
from watchword.storage import Database
from watchword.storage.clock_marks import touch
from watchword.storage.clock_watch import LARGEST_SKEW
from watchword.storage.database import CLOCK
from watchword.storage.opening import DATABASE_FILE
from watchword.storage.schema import APPLY, Step, missing_steps, require_served
from watchword.subjects.marks import newest_marks

_TOO_LITTLE_BYTES = 1024 * 1024
_LITTLE_BYTES = 256 * 1024 * 1024
_A_LITTLE_BEHIND = timedelta(seconds=5)


def check_key_file(settings: Settings, data: Path) -> Iterator[Finding]:
    about = "encryption key"
    path = find_key_path(settings, data)
    try:
        if settings.encryption_key:
            parse_key(settings.encryption_key, "WATCHWORD_ENCRYPTION_KEY")
            yield ok(about, "It is given by WATCHWORD_ENCRYPTION_KEY.")
        elif path.exists():
            load_or_create_key_file(path)
            yield _rights(path)
            if next_of(path).exists():
                load_or_create_key_file(next_of(path))
                yield ok(about, f"{next_of(path)} lies ready: `watchword keys rewrap` makes it the key.")
        elif settings.database:
            yield ok(about, f"There is none at {path}; the first start on a database makes one.")
        elif (data / DATABASE_FILE).exists():
            find_encryption(settings, data)
        else:
            yield ok(about, "There is none yet; the first start makes one.")
    except OperatorError as error:
        yield told_by(about, error)


def _rights(path: Path) -> Finding:
    status = path.stat()
    if os.name != "posix" or not status.st_mode & 0o077:
        return ok("encryption key", f"{path} is this user's alone.")
    return warning(
        "encryption key",
        f"The group {status.st_gid}, which this process is in, may read {path}.",
        f"Where others are in it: chmod 600 {path}. In a pod the group is its own, and nothing need be done.",
    )


def check_disk(data: Path) -> Iterator[Finding]:
    """Looks where the data directory is there; a database elsewhere has a disk of its own."""
    about = "disk"
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(data).free
        told = f"{free // 1_048_576:,} MiB are free where {data} is"
        if free < _TOO_LITTLE_BYTES:
            yield problem(about, f"{told}: writes fail, or soon will.", "Make room there; nothing else has to be done.")
        elif free < _LITTLE_BYTES:
            yield warning(about, f"{told}.", "Make room there, before writes are refused with 503.")
        else:
            yield ok(about, f"{told}.")


def check_database(settings: Settings, data: Path, clock: MachineClock) -> Iterator[Finding]:
    about = "database"
    path = data / DATABASE_FILE
    try:
        present = schema_version(settings, data)
        if not settings.database and os.name == "posix" and opens_to_strangers(path.stat(), 0o077):
            yield warning(about, f"Others may read {path}.", f"Close it with: chmod 600 {path}")
        steps = missing_steps(present, "postgres_schema" if settings.database else "sqlite_schema")
        yield _check_schema(settings, present, steps)
        if settings.database or len(steps) <= 1:
            # Of older ones only a migration knows what is in them.
            yield from _check_content_of(settings, data, clock)
    except OperatorError as error:
        yield told_by(about, error)
    if not settings.database and settings.synchronous not in ("FULL", "EXTRA"):
        yield warning(
            "durability",
            f"SQLite's synchronous level is {settings.synchronous}: a power cut may undo what was acknowledged.",
            "Leave WATCHWORD_SYNCHRONOUS at FULL.",
        )


def _check_schema(settings: Settings, present: int, steps: list[Step]) -> Finding:
    """Judge the schema, which is `steps` behind the newest.

    Raises:
        OperatorError: this program does not run on it; says what to do.
    """
    about = "schema"
    if not steps:
        return ok(about, f"It has version {present}, which is this program's.")
    if settings.database or not present:
        schema = require_served(present, "postgres_schema")
        return warning(about, f"It has {schema.note}.", f"Replace the servers that do not, then run {APPLY}.")
    return ok(about, f"The next start brings it from version {present} to {steps[-1].version}, after a backup.")


def _check_content_of(settings: Settings, data: Path, clock: MachineClock) -> list[Finding]:
    try:
        return asyncio.run(_check_content(settings, data, clock))
    except OperatorError as error:
        return [told_by("database", error)]


async def _check_content(settings: Settings, data: Path, clock: MachineClock) -> list[Finding]:
    where = describe_database(settings, data)
    async with opened_database(settings, data) as database:
        checks = [] if settings.database else await database.query("pragma quick_check(3)")
        broken = [str(text) for (text,) in checks if text != "ok"]
        if broken:
            remedy = "Stop the server and restore a backup."
            return [problem("database", f"{where} is damaged: {'; '.join(broken)}.", remedy)]
        try:
            await database.transact(touch, CLOCK)
        except Unavailable:
            return [problem("database", f"{where} answers, and takes no writes.", _NO_WRITES)]
        return [
            ok("database", f"{where} is there, in order, and takes writes."),
            await _check_secrets(database, settings, data),
            await _check_clock(database, clock),
            *await check_chat(database, settings, clock),
        ]


_NO_WRITES = "See whether its disk is full, whether this user may write it, and whether it is a standby or read-only."


async def _check_secrets(database: Database, settings: Settings, data: Path) -> Finding:
    about = "resource"
    try:
        primary, _ = await access_keys(database, find_encryption(settings, data))
    except OperatorError as error:
        return told_by(about, error)
    return ok(about, f"{primary.resource.name} ({primary.resource.id}); its access keys can be read.")


async def _check_clock(database: Database, clock: MachineClock) -> Finding:
    about = "clock"
    says = await database.wall_micros()
    apart = timedelta(microseconds=0 if says is None else clock.micros() - clock.travelled_micros - says)
    if abs(apart) > LARGEST_SKEW:
        told = f"{timedelta(seconds=round(abs(apart).total_seconds()))} {'ahead of' if apart.days >= 0 else 'behind'}"
        return problem(
            about,
            f"It is {told} the database's: servers on this machine issue no tokens.",
            "Set both clocks by a time server; the servers go on by themselves.",
        )
    flake, high_water = await newest_marks(database)
    minted = (int.from_bytes(flake[:8], "big") + FLAKE_EPOCH_MILLIS) * 1_000 if any(flake) else 0
    behind = timedelta(microseconds=max(high_water, minted) - clock.micros())
    if behind < _A_LITTLE_BEHIND:
        return ok(about, "It never went back behind what was issued.")
    told = (
        f"It is {timedelta(seconds=round(behind.total_seconds()))} behind the last identity or token of this database"
    )
    remedy = (
        "Set the clock by a time server. Identifiers and issue times carry on from where they were; "
        "only the expiry of new tokens follows the clock."
    )
    if behind > LARGEST_SKEW:
        return problem(
            about,
            f"{told}: it was set back, or was wrong before. Clients may be refused for skew;"
            " on SQLite no tokens are issued.",
            "Set the clock by a time server. If it is right now and was ahead before: stop every server on the"
            " database, run `watchword clock lower`, and start them.",
        )
    return warning(about, f"{told}: it was set back.", remedy)
