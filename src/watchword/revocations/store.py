"""The rows of revocations.

kind        subject                    what dies
token       its id (jti)               that token
identity    skypeid                    tokens of a lower generation or issued before a time; all, once deleted
resource    its guid                   tokens of a lower generation; all, once deleted
accessKey   its id                     tokens that it asked for
signingKey  its key id (kid)           tokens that it signed
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from watchword.revocations.statements import EVERY_RESOURCE, NEXT_CURSOR, RECORD, RECORD_RESOURCE, STANDING, Kind
from watchword.storage import Database, Row, Transaction
from watchword.tokens.claims import LONGEST_LIFETIME, Claims

KEPT_MICROS = round((LONGEST_LIFETIME + timedelta(hours=1)) / timedelta(microseconds=1))
"""How long a revocation is kept: as long as a token may live, and an hour for verifiers' leeway."""

_PURGED_IN_ONE_COMMIT = 1_000
_FEED_COLUMNS = ("cursor", "kind", "subject", "generation", "valid_from_micros", "deleted")


async def record_now(
    transaction: Transaction, kind: Kind, subject: str, resource: int, now_micros: int, *, deleted: bool = False
) -> None:
    """Of what is dead whole, within a transaction that does more than that; the feed must be woken after.

    Of the kinds that have a cut-off, what is dead whole is `deleted`.

    It takes the feed's row, so it comes last: nobody else's revocation can commit until this transaction does.
    """
    await transaction.execute(NEXT_CURSOR)
    await transaction.execute(
        "insert into revocations (kind, subject, resource, deleted, cursor, expires_micros)"
        " values ($1, $2, $3, $4, (select cursor from feed), $5)"
        " on conflict (kind, resource, subject) do update set deleted = excluded.deleted, cursor = excluded.cursor,"
        " expires_micros = excluded.expires_micros",
        kind,
        subject,
        resource,
        int(deleted),
        now_micros + KEPT_MICROS,
    )


async def raise_every_resource(transaction: Transaction, now_micros: int) -> int:
    """Every token so far is dead, of every resource; how many resources. The feed must be woken after.

    Also those of a generation that this database never heard of: a backup knows nothing of what was raised since. The
    time is above all of them, for nobody raises a generation as often as a clock ticks.
    """
    await transaction.execute(
        "update resources set generation = case when generation < $1 then $1 else generation + 1 end", now_micros
    )
    await transaction.execute("update feed set cursor = cursor + (select count(*) from resources)")
    # The generation only ever grows, so the newest is the strictest; what is deleted stays so.
    raised = await transaction.execute(
        "insert into revocations (kind, subject, resource, generation, cursor, expires_micros)"
        " select 'resource', id, number, generation,"
        " (select cursor from feed) + 1 - row_number() over (order by number desc), $1"
        " from resources where true on conflict (kind, resource, subject) do update"
        " set generation = excluded.generation, cursor = excluded.cursor, expires_micros = excluded.expires_micros"
        " returning 1",
        now_micros + KEPT_MICROS,
    )
    return len(raised)


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

    async def record(self, kind: Kind, subject: str, resource: int, now_micros: int) -> None:
        """Of the kinds that have no cut-off: the subject is dead whole."""
        parameters = {"subject": subject, "resource": resource, "kept_until": now_micros + KEPT_MICROS}
        await self._database.write(RECORD[kind], parameters)

    async def raise_resource(self, resource: int, now_micros: int) -> None:
        """Every token of the resource so far is dead."""
        await self._database.write(RECORD_RESOURCE, {"resource": resource, "kept_until": now_micros + KEPT_MICROS})

    async def standing(self, resource: int, claims: Claims, kid: str) -> list[Row]:
        """Kind, generation, valid-from and deleted of every row that concerns a token, as committed now."""
        parameters = {
            "owner": resource,
            "token": claims.jti,
            "identity": claims.skypeid,
            "resource": claims.resourceId,
            "accessKey": claims.accessKey,
            "signingKey": kid,
        }
        return await self._database.read(STANDING, parameters)

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

    async def purge(self, now_micros: int) -> int:
        """Delete what no living token can be concerned by; how many rows went.

        In bounded transactions, so that nobody waits long for them, and none takes longer than a statement may.
        """
        total = 0
        while True:
            gone = await self._database.transact(
                lambda transaction: transaction.execute(
                    "delete from revocations where (kind, resource, subject) in ("
                    " select kind, resource, subject from revocations where expires_micros < $1 limit $2"
                    ") returning 1",
                    now_micros,
                    _PURGED_IN_ONE_COMMIT,
                )
            )
            total += len(gone)
            if len(gone) < _PURGED_IN_ONE_COMMIT:
                return total
