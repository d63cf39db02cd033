"""The rows of chat: a few hot verbs, each one statement; and transactions that lock a thread's row first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter
from typing import Any, TypeVar

from watchword.chat.inbox_statements import FIND_ITEM
from watchword.chat.reading_statements import EVER, FIND_MESSAGE, FIND_THREAD, LIST_MESSAGES, LIST_THREADS
from watchword.chat.restrictions import Hold, read_hold
from watchword.chat.speakers import Speaker
from watchword.chat.statements import MARK_READ, SEND, SEND_UNMODERATED
from watchword.errors import Unavailable
from watchword.storage import Database, Row, Statement, Transaction
from watchword.storage.new_table import NewTable

Result = TypeVar("Result")

CHAT_SCHEMA = 9
"""From this version on there are tables of chat."""

TRUSTED_SCHEMA = 11
"""From this version on there is what the trusted server writes: restrictions, frozen threads, imports of histories."""

LISTED_LATE_MILLIS = 2_000
"""How far what participants know of their threads may lag behind, see the schema."""

_LOOKED_AT_BESIDES = 3
"""Of most users' threads few are so active at the same time; of others', four times as many are looked at each time."""


_MOST_LOOKED_AT = 1_000
"""How many messages are looked at for a page, however few of them are from the reader's history on."""


@dataclass(frozen=True, slots=True)
class Access:
    """What decides whether somebody may read at all: `is_known` is who takes part or did."""

    number: int
    deleted_millis: int | None
    is_known: bool
    removed_millis: int | None


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """`id` is None where nothing was written; the others are what was found, and say why."""

    id: int | None
    number: int | None
    deleted_millis: int | None
    takes_part: bool
    messages: int
    bytes: int
    is_frozen: bool
    hold: Hold | None


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What was found of a thread, a participant and a message that is said to be read."""

    is_written: bool
    number: int | None
    deleted_millis: int | None
    takes_part: bool
    is_message_there: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """Messages that were found, and the version below which nothing was looked at, where that may hold more."""

    rows: list[Row]
    unseen_below: int | None


class ChatStore:
    """`wake` is called after each commit that appended to the journal."""

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake
        self._has_tables = database.schema.version >= CHAT_SCHEMA
        self._restrictions = NewTable(database, version=TRUSTED_SCHEMA, name="restrictions")

    async def change(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """The value of `work`, once what it wrote would survive a power cut."""
        await self._require_tables()
        await self.has_trusted_tables()
        result = await self._database.transact(work)
        self._wake()
        return result

    async def query(self, sql: str, *parameters: Any) -> list[Row]:
        """Committed state."""
        await self._require_tables()
        return await self._database.query(sql, *parameters)

    async def send(self, parameters: Mapping[str, Any]) -> SendAnswer:
        await self._require_tables()
        statement = SEND if await self.has_trusted_tables() else SEND_UNMODERATED
        [row] = await self._database.write(statement, parameters)
        id, number, deleted, takes_part, messages, size, frozen, told = row
        answer = SendAnswer(
            id, number, deleted, bool(takes_part), messages or 0, size or 0, frozen is not None, read_hold(told)
        )
        if id is not None:
            self._wake()
        return answer

    async def mark_read(self, parameters: Mapping[str, Any]) -> ReadAnswer:
        await self._require_tables()
        [row] = await self._database.write(MARK_READ, parameters)
        written, number, deleted, takes_part, _, is_there = row
        if written:
            self._wake()
        return ReadAnswer(bool(written), number, deleted, bool(takes_part), bool(is_there))

    async def find_thread(self, speaker: Speaker, thread: str) -> tuple[Access, Row] | None:
        """How the speaker stands to a thread, and its columns; None where the resource has none of that id."""
        rows = await self._read(FIND_THREAD, _of(speaker, thread))
        return (_access(rows[0]), rows[0][4:]) if rows else None

    async def find_message(self, speaker: Speaker, thread: str, id: int) -> tuple[Access, Row | None] | None:
        """The same of a message that the speaker sees."""
        rows = await self._read(FIND_MESSAGE, _of(speaker, thread) | {"message": id})
        return (_access(rows[0]), rows[0][4:] if rows[0][4] is not None else None) if rows else None

    async def list_messages(
        self, speaker: Speaker, thread: str, *, start: int, below: int | None, most: int
    ) -> tuple[Access, Looked] | None:
        """The same of the newest versions, from `start` on and below the other."""
        found: list[Row] = []
        below, asked, looked = EVER if below is None else below, most, 0
        while True:
            bounds = {"start": start, "below": below, "most": asked}
            rows = await self._read(LIST_MESSAGES, _of(speaker, thread) | bounds)
            if not rows:
                return None
            access, there = _access(rows[0]), [row[4:] for row in rows if row[4] is not None]
            found += [row[:-1] for row in there if row[-1]]
            if len(found) >= most or len(there) < asked:
                return access, Looked(found[:most], None)
            below, looked = there[-1][1], looked + asked
            if looked >= _MOST_LOOKED_AT:
                return access, Looked(found, below)
            asked = _MOST_LOOKED_AT - looked

    async def list_threads(
        self,
        speaker: Speaker,
        *,
        start: int,
        after: tuple[int, int],
        most: int,
        is_shown: Callable[[Row], bool],
    ) -> list[Row]:
        """Finds at most so many threads, newest message first, that come after (time of that message, number).

        They are looked up by what the participant knows of them, which lags behind: so the page is complete when
        nothing that was not looked at could be above its end.
        """
        found: list[Row] = []
        bounds = after[0], EVER
        asked = most + _LOOKED_AT_BESIDES
        while True:
            rows = await self._read(
                LIST_THREADS,
                {
                    "resource": speaker.resource.number,
                    "subject": speaker.subject,
                    "listed": bounds[0],
                    "below": bounds[1],
                    "most": asked,
                },
            )
            found += [row for row in rows if start <= row[4] and (row[4], row[0]) < after and is_shown(row)]
            found.sort(key=_NEWEST, reverse=True)
            if len(rows) < asked:
                return found[:most]
            asked *= 4
            bounds = rows[-1][5], rows[-1][0]
            highest_left = bounds[0] + LISTED_LATE_MILLIS
            if highest_left <= start or (len(found) >= most and found[most - 1][4] >= highest_left):
                return found[:most]

    async def find_inbox_item(self, speaker: Speaker, number: int, *, most: int) -> Row | None:
        """What the speaker's inbox shows of a thread, of whose messages at most so many are looked at."""
        rows = await self._read(FIND_ITEM, {"number": number, "subject": speaker.subject, "most": most})
        return rows[0] if rows else None

    async def _read(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        await self._require_tables()
        return await self._database.read(statement, parameters)

    async def has_tables(self) -> bool:
        """Whether they are there: while nodes of the release before are replaced one by one, the schema is theirs."""
        if not self._has_tables:
            self._has_tables = await self._database.transact(_has_tables)
        return self._has_tables

    @property
    def has_restrictions(self) -> bool:
        """Whether threads can be frozen and users restricted, as far as whoever called `change` last has looked."""
        return self._restrictions.was_seen

    async def has_trusted_tables(self) -> bool:
        """Whether there is what the trusted server writes."""
        return await self._restrictions.is_there()

    async def require_trusted_tables(self) -> None:
        """Let pass what needs them.

        Raises:
            Unavailable: they are not there yet.
        """
        if not await self.has_trusted_tables():
            raise Unavailable(timedelta(seconds=30))

    async def _require_tables(self) -> None:
        if not await self.has_tables():
            raise Unavailable(timedelta(seconds=30))


async def _has_tables(transaction: Transaction) -> bool:
    return await transaction.has_table("threads")


def _of(speaker: Speaker, thread: str) -> dict[str, Any]:
    return {"resource": speaker.resource.number, "thread": thread, "subject": speaker.subject}


def _access(row: Sequence[Any]) -> Access:
    return Access(row[0], row[1], bool(row[2]), row[3])


_NEWEST = itemgetter(4, 0)
"""Of two threads the one with the newer message."""
