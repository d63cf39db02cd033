"""What every service stands on, put together once: for the server, for commands beside it, and for tests.

Each thing is made of those above it. Nothing runs by itself: `background` is what has to run while a server does.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from watchword.clock import Clock, MachineClock, MonotoneClock, ReadingClock, ServiceClock
from watchword.files import Process
from watchword.identifiers import FlakeMinter
from watchword.journal.journal import Journal
from watchword.journal.purge import Purge as JournalPurge
from watchword.keyring.encryption import Encryption, open_encryption
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import schedule
from watchword.measurements import Measurements
from watchword.resources.first_resource import FirstResource, FirstStart, make_first
from watchword.resources.issuers import Issuers, find_issuers
from watchword.revocations.feed import Feed
from watchword.revocations.revocations import Revocations
from watchword.revocations.store import RevocationStore
from watchword.settings import Settings
from watchword.storage import Database, Transaction
from watchword.storage.clock_watch import ClockWatch
from watchword.storage.database import TURN
from watchword.storage.high_water import HighWater
from watchword.storage.opening import open_database
from watchword.subjects.exchanged_users import ExchangedUsers
from watchword.subjects.marks import newest_marks
from watchword.subjects.subjects import Subjects
from watchword.telemetry.levels import Gauge
from watchword.transfer.store import require_finished_imports

Background: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""Begins what runs until it is cancelled. It is called once all is composed, so that a failure leaves none behind."""


@dataclass(frozen=True, slots=True)
class Ground:
    """`clock` says what time it is, and `service_clock` what time it is for a resource; `issue_clock` stamps what is
    issued, and `reading_clock` looks at both it and `clock`.

    `first_start` is None where others were here before.
    """

    settings: Settings
    database: Database
    encryption: Encryption
    measured: Measurements
    clock: MachineClock
    service_clock: ServiceClock
    issue_clock: MonotoneClock
    reading_clock: ReadingClock
    clock_watch: ClockWatch
    minter: FlakeMinter
    keyring: Keyring
    issuers: Issuers
    revocation_store: RevocationStore
    feed: Feed
    revocations: Revocations
    subjects: Subjects
    users: ExchangedUsers
    journal: Journal
    journal_purge: JournalPurge
    first_start: FirstStart | None = None

    @property
    def background(self) -> Sequence[Background]:
        return (
            HighWater(self.database, self.issue_clock).keep_writing,
            self.clock_watch.keep_looking,
            lambda: self.keyring.keep_rotating(self.clock_watch),
            lambda: self.revocations.keep_purging(self.clock, self.clock_watch),
            self.journal.keep_following,
            lambda: self.journal_purge.keep_purging(
                lambda: self.journal.is_follower and self.journal.is_there and self.clock_watch.may_purge
            ),
        )

    @property
    def gauges(self) -> Sequence[Gauge]:
        return (*self.journal.gauges, *self.journal_purge.gauges)


async def open_ground(
    opened: AsyncExitStack,
    settings: Settings,
    data: Path,
    *,
    first: FirstResource,
    clock: MachineClock,
    measured: Measurements,
    issuers: Issuers | None = None,
    process: Process | None = None,
) -> Ground:
    """The ground of a server over a data folder, which is made where it is missing; `opened` closes what it opens.

    Raises:
        OperatorError: the folder, the database or its encryption key is not usable; says what to do.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240 - once, before anybody is served.
    encryption = open_encryption(settings, data)
    database = await open_database(settings, data, process, trips=measured.database)
    opened.push_async_callback(database.close)
    first_start = await database.transact(lambda transaction: _start(transaction, encryption, clock, first=first), TURN)
    await encryption.tidy(database)
    ground = await compose_ground(
        settings, database, encryption, clock=clock, measured=measured, issuers=issuers, process=process
    )
    opened.push_async_callback(ground.journal.end)
    await ground.clock_watch.prepare()
    await ground.keyring.prepare()
    return replace(ground, first_start=first_start)


async def compose_ground(
    settings: Settings,
    database: Database,
    encryption: Encryption,
    *,
    clock: MachineClock,
    measured: Measurements,
    issuers: Issuers | None = None,
    process: Process | None = None,
) -> Ground:
    """The ground on a database that is open; only reads."""
    newest_flake, high_water = await newest_marks(database)
    issue_clock = MonotoneClock(clock, high_water)
    reading_clock = ReadingClock(issue_clock, clock)
    revocation_store = RevocationStore(database)
    feed = Feed(revocation_store, measured.feed_answers)
    return Ground(
        settings=settings,
        database=database,
        encryption=encryption,
        measured=measured,
        clock=clock,
        service_clock=ServiceClock(clock),
        issue_clock=issue_clock,
        reading_clock=reading_clock,
        clock_watch=ClockWatch(database, clock, issue_clock),
        minter=FlakeMinter(clock, newest_flake),
        keyring=Keyring(
            database,
            encryption,
            reading_clock,
            algorithm=settings.signing_algorithm,
            schedule=schedule(settings),
            signatures=measured.signatures,
        ),
        issuers=issuers or find_issuers(settings),
        revocation_store=revocation_store,
        feed=feed,
        revocations=Revocations(revocation_store, feed, reading_clock),
        subjects=Subjects(database),
        users=ExchangedUsers(database, feed, reading_clock),
        journal=Journal(database, process, measured.journal_lags),
        journal_purge=JournalPurge(database, clock, round(settings.journal_kept * 1_000_000)),
    )


async def _start(
    transaction: Transaction, encryption: Encryption, clock: Clock, *, first: FirstResource
) -> FirstStart | None:
    await require_finished_imports(transaction)
    await encryption.in_force(transaction)
    return await make_first(transaction, encryption, clock, first=first)
