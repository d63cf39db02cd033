"""The processes beside the servers that look after purges: one sees what marks they leave, one purges without care."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from tests.history.events import Log, Marked
from tests.history.plan import Plan
from tests.history.presenting import CLOCK, ClockByFile
from watchword.errors import Unavailable
from watchword.revocations.store import RevocationStore
from watchword.settings import Settings, load_settings
from watchword.storage import Transaction
from watchword.storage.opening import open_database

_LOOK_SECONDS = 0.05
_PURGE_SECONDS = 0.3
_AHEAD = timedelta(hours=26)


def watch_marks(plan: Plan) -> None:
    """Until it is killed."""
    asyncio.run(_watch_marks(plan))


async def _watch_marks(plan: Plan) -> None:
    log = Log(plan.log("marks"))
    database = await open_database(load_settings(plan.environment), plan.data)
    known, since = 0, time.monotonic_ns()
    while True:
        with suppress(Unavailable):
            looked = time.monotonic_ns()
            rows = await database.query("select valid_from_micros from revocations where kind = 'resource'")
            mark = rows[0][0] if rows else 0
            if mark != known:
                known = mark
                log.write(Marked(since, mark))
            since = looked
        await asyncio.sleep(_LOOK_SECONDS)


def purge_without_care(plan: Plan) -> None:
    """As whoever has no guard and a clock 26 hours ahead, again and again; until it is killed."""
    asyncio.run(_purge_without_care(plan))


async def _purge_without_care(plan: Plan) -> None:
    clock = ClockByFile(plan.folder / CLOCK)
    store = RevocationStore(await open_database(load_settings(plan.environment), plan.data))
    while True:
        with suppress(Unavailable):
            await store.purge(clock.micros() + _AHEAD // timedelta(microseconds=1))
        await asyncio.sleep(_PURGE_SECONDS)


def leave_no_marks(settings: Settings, data: Path) -> None:
    """From now on a purged revocation leaves nothing."""
    on = " on revocations" if settings.database else ""
    _in_database(settings, data, f"drop trigger purged_revocations_leave_a_mark{on}")


def take_marks_away(settings: Settings, data: Path) -> None:
    """As if a purged revocation had never left anything."""
    leave_no_marks(settings, data)
    _in_database(settings, data, "delete from revocations where kind = 'resource'")


def count_overdue(settings: Settings, data: Path, now_micros: int) -> int:
    """How many revocations are kept that may go."""
    return _in_database(settings, data, "select count(*) from revocations where expires_micros < $1", now_micros)


def _in_database(settings: Settings, data: Path, sql: str, *parameters: int) -> int:
    async def run() -> int:
        database = await open_database(settings, data)

        async def execute(transaction: Transaction) -> int:
            rows = await transaction.execute(sql, *parameters)
            return int(rows[0][0]) if rows else 0

        try:
            return await database.transact(execute)
        finally:
            await database.close()

    return asyncio.run(run())
