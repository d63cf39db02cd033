"""The rows of revocations.

kind        subject                    what dies
token       its id (jti)               that token
identity    skypeid                    tokens of a lower generation or issued before a time; all, once deleted
resource    its guid                   tokens of a lower generation; all, once deleted
accessKey   its id                     tokens that it asked for
signingKey  its key id (kid)           tokens that it signed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from watchword.errors import Unavailable
from watchword.revocations.statements import EVERY_RESOURCE, PURGE, RECORD, Kind, keep_strictest
from watchword.storage import Database, Transaction
from watchword.tokens.claims import LONGEST_LIFETIME

KEPT_MICROS = round((LONGEST_LIFETIME + timedelta(hours=1)) / timedelta(microseconds=1))
"""How long a revocation is kept: as long as a token may live, and an hour for verifiers' leeway."""

PAGE_OF_MANY = 1_000

_PURGED_IN_ONE_COMMIT = 1_000
_TRIES = 3
_FEED_COLUMNS = ("cursor", "kind", "subject", "generation", "valid_from_micros", "deleted")


@dataclass(frozen=True, slots=True, order=True)
class Revoked:
    """What a transaction revokes; of the kinds that have a cut-off, what is dead whole is `deleted`."""

    kind: Kind
    resource: int
    subject: str
    generation: int = 0
    deleted: bool = False


async def record_now(
    transaction: Transaction, kind: Kind, subject: str, *, resource: int, now_micros: int, deleted: bool = False
) -> None:
    """Records what is dead whole, in a transaction that does more than that; the feed must be woken after."""
    await record_all(transaction, [Revoked(kind, resource, subject, deleted=deleted)], now_micros)


async def record_all(transaction: Transaction, revoked: Sequence[Revoked], now_micros: int) -> None:
    """Within a transaction that does more than that; the feed must be woken after.

    It comes last: nobody else's revocation can commit until this transaction does. In the one order of locks, see
    `storage.database`, it takes the revocations that are there already, and then the feed's row.
    """
    rows = sorted(revoked)
    await transaction.execute_many(_HOLD, [(each.kind, each.resource, each.subject) for each in rows])
    await transaction.execute(_NEXT_CURSORS, len(rows))
    kept_until = now_micros + KEPT_MICROS
    await transaction.execute_many(
        _RECORD,
        [
            (each.kind, each.subject, each.resource, each.generation, int(each.deleted), place, kept_until)
            for place, each in enumerate(rows, 1 - len(rows))
        ],
    )


async def begin_history(transaction: Transaction, epoch: str) -> None:
    """Verifiers forget what they had, and are told everything anew; `epoch` is one that never was."""
    await transaction.execute("update feed set epoch = $1", epoch)


@dataclass(frozen=True, slots=True)
class RevocationRow:
    """One row as the feed hands it on."""

    cursor: int
    kind: Kind
    subject: str
    generation: int
    valid_from_micros: int
    deleted: bool


class RevocationStore:
    """Writes are hot verbs, coalesced; the feed reads by ranges of the cursor."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, kind: Kind, subject: str, resource: int, *, now_micros: int) -> None:
        """Records a kind that has no cut-off: the subject is dead whole."""
        parameters = {"subject": subject, "resource": resource, "kept_until": now_micros + KEPT_MICROS}
        for _ in range(_TRIES):
            if await self._database.write(RECORD[kind], parameters):
                return
        # Each time, others recorded the same thing meanwhile, and it was purged again.
        raise Unavailable(timedelta(seconds=1))

    async def position(self) -> tuple[str, int]:
        """The epoch, and the newest cursor that is committed."""
        [(epoch, cursor)] = await self._database.query("select epoch, cursor from feed")
        return epoch, cursor

    async def after(self, resource: int, cursor: int, most: int) -> tuple[int, list[RevocationRow]]:
        """The newest cursor, and the rows that concern a resource, in commit order, above a cursor: of one instant.

        Read apart, a row that is recorded anew in between would be on neither side of the newest cursor.
        """
        rows = await self._database.query(
            f"""
            select feed.cursor, {", ".join(f"r.{column}" for column in _FEED_COLUMNS)} from feed left join (
                select {", ".join(_FEED_COLUMNS)} from revocations where resource in ($1, $2) and cursor > $3
                order by cursor limit $4
            ) as r on true order by r.cursor
            """,
            EVERY_RESOURCE,
            resource,
            cursor,
            most,
        )
        return rows[0][0], [RevocationRow(*row) for _, *row in rows if row[0] is not None]

    async def of_resources(self, resources: Sequence[int], cursor: int) -> list[tuple[int, RevocationRow]]:
        """What concerns any of them above a cursor, each with the number of its resource; one page, in commit order.

        More may follow where there are `PAGE_OF_MANY`. There is an index for each resource's, hence not of all at once.
        """
        concerned = [EVERY_RESOURCE, *resources]
        places = ", ".join(f"${number}" for number in range(3, 3 + len(concerned)))
        rows = await self._database.query(
            f"select resource, {', '.join(_FEED_COLUMNS)} from revocations"
            f" where cursor > $1 and resource in ({places}) order by cursor limit $2",
            cursor,
            PAGE_OF_MANY,
            *concerned,
        )
        return [(resource, RevocationRow(*row)) for resource, *row in rows]

    async def purge(self, now_micros: int) -> int:
        """Delete what no living token can be concerned by; how many rows went.

        In bounded transactions, so that nobody waits long for them, and none takes longer than a statement may.
        """
        total = 0
        while True:
            gone = await self._database.write(PURGE, {"now": now_micros, "most": _PURGED_IN_ONE_COMMIT})
            total += len(gone)
            if len(gone) < _PURGED_IN_ONE_COMMIT:
                return total


# Raised and recorded by transactions, one row after another; an update to itself locks a row on either engine.
_HOLD = "update revocations set subject = subject where kind = $1 and resource = $2 and subject = $3"
_NEXT_CURSORS = "update feed set cursor = cursor + $1"
_RECORD = f"""
    insert into revocations (kind, subject, resource, generation, deleted, cursor, expires_micros)
    values ($1, $2, $3, $4, $5, (select cursor from feed) + $6, $7) {keep_strictest()}
"""
