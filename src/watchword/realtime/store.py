"""The rows of registrations, and of tickets that are spent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from watchword.errors import Unavailable
from watchword.journal.statements import APPEND
from watchword.realtime.seals import Ticket
from watchword.realtime.statements import CLAIM, HOLD, LEAVE, MOVE, TOUCH
from watchword.storage import Database, Lock, Row, Transaction
from watchword.storage.purge import Purge

SEEN_MILLIS = 300_000
"""An open socket is noted as seen every two minutes: one that was not for so long went with its node."""

_FIRST_SCHEMA = 10
_PURGED_IN_ONE_COMMIT = 1_000


@dataclass(frozen=True, slots=True)
class Client:
    """Whose registration: the user of a resource, and the endpoint id that the client chose."""

    resource: int
    subject: str
    epid: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A registration as one socket claimed it; `is_contested` where another one may still hold it."""

    registration: int
    number: int
    is_contested: bool


class Reached(msgspec.Struct, frozen=True):
    """How far the sockets of a registration have come. `stuck` is the entry whose push was never answered, `tries`
    times in a row; 0 where there is none.
    """

    epoch: str
    position: int
    ahead: Sequence[int] = ()
    stuck: int = 0
    tries: int = 0


class RegistrationStore:
    """Hot verbs, coalesced; a first allocation takes a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._has_tables = database.schema.version >= _FIRST_SCHEMA

    async def touch(self, client: Client, epoch: str, *, now_millis: int, oldest_millis: int) -> bool:
        """Whether events are kept for it; of an older history, or for too long, they are not."""
        await self._require_tables()
        bounds = {"epoch": epoch, "now": now_millis, "oldest": oldest_millis}
        return bool(await self._database.write(TOUCH, _of(client) | bounds))

    async def admit(
        self, client: Client, epoch: str, position: int, *, most: int, now_millis: int, oldest_millis: int
    ) -> bool:
        """Keep events from the position on. Whether the user has room for one more client.

        One whose time is over makes room, and so does the oldest that has no socket, or whose node went with it.
        """
        unseen_millis = now_millis - SEEN_MILLIS
        await self._require_tables()
        whose = (client.resource, client.subject)

        async def work(transaction: Transaction) -> bool:
            rows = await transaction.execute(_OF_USER, *whose)
            known = [row for row in rows if row[1] == client.epid or row[3] < oldest_millis]
            others = sorted((row for row in rows if row not in known), key=lambda row: row[3])
            free = [row for row in others if not row[2] or row[3] < unseen_millis]
            excess = free[: max(0, len(others) - most + 1)]
            if len(others) - len(excess) >= most:
                return False
            for number, _, is_open, _ in (*known, *excess):
                await transaction.execute("delete from registrations where number = $1", number)
                if is_open:
                    # Should it be there all the same, it ends: nobody would know of it any more.
                    closed = f"{client.subject}/{number}"
                    await transaction.execute(
                        APPEND, client.resource, 0, 0, "socketsClosed", closed, now_millis * 1_000
                    )
            await transaction.execute(_ADMIT, *whose, client.epid, epoch, position, now_millis)
            return True

        return await self._database.transact(work, Lock("registrations", "resource = $1 and subject = $2", whose))

    async def count_open(self, resource: int, now_millis: int) -> int:
        [(count,)] = await self._database.query(_COUNT_OPEN, resource, now_millis - SEEN_MILLIS)
        return int(count)

    async def of_user(self, resource: int, subject: str) -> list[tuple[str, int]]:
        """The endpoint ids of a user's clients, and when each was last seen."""
        if not await self.has_tables():
            return []
        return [(row[1], row[3]) for row in sorted(await self._database.query(_OF_USER, resource, subject))]

    async def claim(self, ticket: Ticket, now_millis: int) -> Claim | None:
        """Spend the ticket; None where it was spent, or nothing is kept for its client any more.

        Raises:
            Unavailable: nobody knows whether it is spent; the client gets another one.
        """
        await self._require_tables()
        client = Client(ticket.resource, ticket.claims.skypeid, ticket.epid)
        spent = {"ticket": ticket.id, "expires": ticket.expires_micros // 1_000, "now": now_millis}
        rows = await self._database.write(CLAIM, _of(client) | spent)
        return Claim(rows[0][0], rows[0][1], bool(rows[0][2])) if rows else None

    async def hold(self, claim: Claim, now_millis: int) -> Reached | None:
        """Let only this claim's positions count from here on; None where a newer one was made."""
        asked = {"number": claim.registration, "claim": claim.number, "now": now_millis}
        rows = await self._database.write(HOLD, asked)
        return _reached(rows[0]) if rows else None

    async def move(self, moved: Iterable[tuple[Claim, Reached]], *, now_millis: int) -> None:
        """Write how far many sockets have come that are open; nothing of one that has ended, or does not hold its
        registration any more. `stuck` and `tries` are as they were taken over: they change when a socket ends.

        Raises:
            Unavailable: nobody knows whether it is written.
        """
        rows = [
            (claim.registration, claim.number, reached.epoch, reached.position, _text(reached.ahead))
            for claim, reached in moved
        ]
        await self._database.write(MOVE, {"moved": msgspec.json.encode(rows).decode(), "now": now_millis})

    def leave(self, claim: Claim, reached: Reached, *, now_millis: int) -> asyncio.Future[list[Row]]:
        """Write that a socket has ended, and how far it came; nothing where it does not hold the registration any more.

        Raises:
            Unavailable: too many writes wait already.
        """
        return self._database.enqueue(
            LEAVE,
            {
                "number": claim.registration,
                "claim": claim.number,
                "epoch": reached.epoch,
                "position": reached.position,
                "ahead": _text(reached.ahead),
                "stuck": reached.stuck,
                "tries": reached.tries,
                "now": now_millis,
            },
        )

    async def forget(self, client: Client) -> None:
        """Nothing is kept for it any more."""
        await self._require_tables()
        where = "resource = $1 and subject = $2 and epid = $3"
        await self._transact(f"delete from registrations where {where}", client.resource, client.subject, client.epid)

    async def list_open(self, resource: int, subject: str, now_millis: int) -> list[tuple[str, int]]:
        """The user's endpoint ids with a socket, and when each was last seen."""
        await self._require_tables()
        rows = await self._database.query(_OF_USER, resource, subject)
        return [(epid, seen) for _, epid, is_open, seen in sorted(rows) if is_open and seen >= now_millis - SEEN_MILLIS]

    async def close(self, resource: int, subject: str, *, epid: str | None, now_micros: int) -> bool:
        """Tell every process that the user's sockets end, or that of one endpoint id. Whether there are any clients."""
        await self._require_tables()
        whose = (resource, subject)

        async def work(transaction: Transaction) -> bool:
            # Whoever locks no row must not append, see the journal's statements.
            rows = await transaction.execute(_OF_USER, *whose)
            named = [f"{subject}/{number}" for number, each, *_ in rows if each == epid]
            references = named if epid is not None else [subject] * bool(rows)
            for reference in references:
                await transaction.execute(APPEND, resource, 0, 0, "socketsClosed", reference, now_micros)
            return bool(references)

        return await self._database.transact(work, Lock("registrations", "resource = $1 and subject = $2", whose))

    @property
    def purge_of_resources(self) -> Purge:
        return Purge(("registrations",), self.forget_resource)

    async def forget_resource(self, resource: int, most: int) -> int:
        """Some of the registrations of a deleted resource; how many."""
        if not await self.has_tables():
            return 0
        gone = await self._transact(
            "delete from registrations where number in (select number from registrations where resource = $1 limit $2)"
            " returning 1",
            resource,
            most,
        )
        return len(gone)

    async def purge(self, oldest_millis: int, now_millis: int) -> None:
        """What was kept for too long, and tickets that are no good any more; in bounded transactions."""
        for sql, bound in ((_PURGE, oldest_millis), (_PURGE_TICKETS, now_millis)):
            while len(await self._transact(sql, bound, _PURGED_IN_ONE_COMMIT)) >= _PURGED_IN_ONE_COMMIT:
                pass

    async def has_tables(self) -> bool:
        """Whether they are there: while nodes of the release before are replaced one by one, the schema is theirs."""
        if not self._has_tables:
            self._has_tables = await self._database.transact(_has_tables)
        return self._has_tables

    async def _transact(self, sql: str, *parameters: object) -> list[Row]:
        return await self._database.transact(lambda transaction: transaction.execute(sql, *parameters))

    async def _require_tables(self) -> None:
        if not await self.has_tables():
            raise Unavailable(timedelta(seconds=30))


async def _has_tables(transaction: Transaction) -> bool:
    return await transaction.has_table("registrations")


_COUNT_OPEN = "select count(*) from registrations where resource = $1 and is_open = 1 and seen_millis >= $2"
_OF_USER = "select number, epid, is_open, seen_millis from registrations where resource = $1 and subject = $2"
_ADMIT = """
    insert into registrations (resource, subject, epid, epoch, position, seen_millis) values ($1, $2, $3, $4, $5, $6)
    on conflict (resource, subject, epid) do nothing
"""
_PURGE = """
    delete from registrations where number in (
        select number from registrations where seen_millis < $1 order by seen_millis limit $2
    ) returning 1
"""
_PURGE_TICKETS = """
    delete from spent_tickets where ticket in (
        select ticket from spent_tickets where expires_millis < $1 order by expires_millis limit $2
    ) returning 1
"""


def _of(client: Client) -> dict[str, object]:
    return {"resource": client.resource, "subject": client.subject, "epid": client.epid}


def _reached(row: Row) -> Reached:
    epoch, position, ahead, stuck, tries = row
    return Reached(epoch, position, _numbers(ahead.split(",")), stuck, tries)


def _text(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


def _numbers(texts: Iterable[str]) -> list[int]:
    return [int(text) for text in texts if text]
