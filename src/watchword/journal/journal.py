"""What happened, as everybody in this process follows it, whichever process and node it happened in.

    following = journal.follow()
    mark = await following.want(Interest.of_thread(thread), Interest.of_resource(resource, "participantsAdded"))
    ...                                  # read what is committed now; what happens from here on is heard
    async for news in following:
        if news.is_anew: ...             # read everything again, as at the beginning
        ...                              # apply what is revoked up to news.feed_cursor; only then
        for entry in news.entries: ...   # read what each refers to, and pass it on

A hub of sockets has one `Following` for its process, wants a thread when the first socket needs it, and drops it with
the last; what it owes to each socket is its own affair. Webhooks have another, which wants whole resources.
Who has committed entries, or a revocation, calls `wake`; who has something to say that is not kept calls `signal`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from watchword.errors import Unavailable
from watchword.files import Process, hold
from watchword.journal import link as links
from watchword.journal.entries import Interest, Signal
from watchword.journal.follower import Follower
from watchword.journal.following import Audience, Following
from watchword.journal.link import Link
from watchword.journal.marks import Mark
from watchword.journal.messages import LOCK_NAME
from watchword.journal.nodes import Nodes
from watchword.journal.processes import Processes
from watchword.journal.store import JournalStore
from watchword.measurements import Histogram
from watchword.storage import Database
from watchword.telemetry.levels import Gauge

_PATIENCE_SECONDS = 5.0
"""For a follower, when the one before has just ended."""

_PAUSE_SECONDS = 0.02

_log = logging.getLogger(__name__)


class Journal:
    """`process` says which of several this is; one of them follows for all. `lags` are those of `Follower`."""

    def __init__(self, database: Database, process: Process | None = None, lags: Histogram | None = None) -> None:
        self._process = process
        self._store = JournalStore(database)
        self._audience = Audience()
        self._follower = Follower(self._store, lags)
        self._nodes = Nodes(database, self._hear_node)
        self._link: Link | None = None
        self._is_closed = False
        # Alone it follows from the first; of several processes, once it is known which one does.
        self._follows = process is None
        self._has_source = asyncio.Event()
        if self._follows:
            self._has_source.set()

    def follow(self) -> Following:
        """Nothing is heard yet: what, is for `Following.want` to say."""
        return Following(self)

    def wake(self) -> None:
        """Something was committed by this process."""
        if self._follows:
            self._follower.wake()
            self._nodes.tell(())
        elif self._link is not None:
            self._link.wake()

    def signal(self, *signals: Signal) -> None:
        """Said to whoever listens now, wherever; it may be lost."""
        if self._follows:
            self._pass_on(signals)
        elif self._link is not None:
            self._link.signal(signals)

    async def want(self, following: Following, interests: Sequence[Interest]) -> Mark:
        """See `Following.want`."""
        self._audience.add(following, interests)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                mark = await self._want(interests)
        except TimeoutError:
            self.drop(following, interests)
            raise Unavailable(timedelta(seconds=1)) from None
        except BaseException:
            self.drop(following, interests)
            raise
        if self._is_closed:
            following.end()
        return mark

    def drop(self, following: Following, interests: Sequence[Interest]) -> None:
        """See `Following.drop`."""
        gone = self._audience.remove(following, interests)
        if gone and self._follows:
            self._follower.drop(self._audience, gone)
        elif gone and self._link is not None:
            self._link.drop(gone)

    async def keep_following(self) -> None:
        """Follows for this server's processes, and with other nodes, until it is cancelled."""
        if self._process is None:
            await self._nodes.keep_talking()
            return
        while True:
            with suppress(OSError):
                if (held := hold(self._process.folder / LOCK_NAME)) is not None:
                    with held:
                        await self._follow_for_all(self._process)
                else:
                    await self._follow_another(self._process)
            await asyncio.sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        """Nobody hears of anything any more, and whoever waits is told so."""
        self._is_closed = True
        for following in self._audience.members:
            following.end()

    async def end(self) -> None:
        """Close, and let go of the database."""
        self.close()
        await self._follower.end()

    @property
    def gauges(self) -> Sequence[Gauge]:
        """The process that follows for the server has them; the others have none."""
        return (
            Gauge(
                "watchword_journal_view_age_seconds",
                "How old is what those who follow the journal know.",
                lambda: self.view_age_seconds,
            ),
            Gauge("watchword_journal_gaps", "Ids of the journal that may still appear.", lambda: self.gaps),
            Gauge(
                "watchword_journal_oldest_gap_seconds",
                "For how long an id of the journal has been missing.",
                lambda: self.oldest_gap_seconds,
            ),
        )

    @property
    def view_age_seconds(self) -> float:
        """How old is what this server's followers know; 0 where nobody follows, or another process does it."""
        return self._follower.view_age_seconds

    @property
    def gaps(self) -> int:
        return self._follower.gaps

    @property
    def oldest_gap_seconds(self) -> float:
        return self._follower.oldest_gap_seconds

    @property
    def is_there(self) -> bool:
        """There is none while a rolling upgrade is under way: the database has the schema of the release before."""
        return self._store.is_there

    @property
    def is_follower(self) -> bool:
        """Whether this process follows for the server."""
        return self._follows

    async def _want(self, interests: Sequence[Interest]) -> Mark:
        while True:
            await self._has_source.wait()
            if self._follows:
                mark = await self._follower.want(self._audience, interests)
                self._audience.begin(mark)
                return mark
            if self._link is not None:
                # It may end meanwhile: then the next follower is asked.
                with suppress(ConnectionError):
                    return await self._link.want(interests)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _follow_for_all(self, process: Process) -> None:
        audience = self._audience
        processes = Processes(self._follower, process.folder, self._hear_process)
        try:
            if audience.mark is not None:
                self._follower.resume(audience, audience.interests, audience.mark, heard_at=audience.heard_at)
            await processes.listen()
            self._follows = True
            self._has_source.set()
            _log.debug("%s follows the journal", process.name)
            await self._nodes.keep_talking()
        finally:
            self._follows = False
            self._has_source.clear()
            self._follower.leave(audience)
            await processes.close()

    async def _follow_another(self, process: Process) -> None:
        self._link = await links.connect(process.folder, self._audience, self._store)
        self._has_source.set()
        try:
            await self._link.run()
        finally:
            self._has_source.clear()
            self._link = None

    def _hear_process(self, signals: Sequence[Signal]) -> None:
        if signals:
            self._pass_on(signals)
        else:
            self._follower.wake()
            self._nodes.tell(())

    def _pass_on(self, signals: Sequence[Signal]) -> None:
        self._follower.pass_on(signals)
        self._nodes.tell(signals)

    def _hear_node(self, signals: Sequence[Signal]) -> None:
        self._follower.pass_on(signals)
        self._follower.nudge()
