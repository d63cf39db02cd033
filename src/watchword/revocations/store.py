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
from typing import Literal

from watchword.storage import Database, Row, Statement
from watchword.tokens.claims import LONGEST_LIFETIME, Claims

Kind = Literal["token", "identity", "resource", "accessKey", "signingKey"]

KEPT_MICROS = round((LONGEST_LIFETIME + timedelta(hours=1)) / timedelta(microseconds=1))
"""How long a revocation is kept: as long as a token may live, and an hour for verifiers' leeway."""

EVERY_RESOURCE = 0
"""In place of a resource's number: concerns all."""

NEXT_CURSOR = "update feed set cursor = cursor + 1"
"""First statement of every transaction that records a revocation."""

_COLUMNS = "kind, subject, resource, generation, valid_from_micros, deleted, cursor, expires_micros"

_STRICTEST = """
    on conflict (kind, subject) do update set
        generation = max(generation, excluded.generation),
        valid_from_micros = max(valid_from_micros, excluded.valid_from_micros),
        deleted = max(deleted, excluded.deleted),
        cursor = excluded.cursor,
        expires_micros = max(expires_micros, excluded.expires_micros)
"""


def recorded(kind: Kind, subject: str, resource: str, source: str, **columns: str) -> str:
    """SQL that records what `source`, the rest of a select, finds; the other arguments are SQL expressions.

    Recording the same thing again keeps the strictest of both, under a new cursor. The time at which the row may go is
    the parameter `:kept_until`.
    """
    values = {"generation": "0", "valid_from_micros": "0", "deleted": "0"} | columns
    return f"""
        insert into revocations ({_COLUMNS})
        select '{kind}', {subject}, {resource}, {values["generation"]}, {values["valid_from_micros"]},
               {values["deleted"]}, (select cursor from feed), :kept_until
        {source} {_STRICTEST}
    """


def _record(kind: Kind) -> Statement:
    return Statement(sqlite=(NEXT_CURSOR, recorded(kind, ":subject", ":resource", "where true")))


_RECORD = {kind: _record(kind) for kind in ("token", "accessKey", "signingKey")}

_RECORD_RESOURCE = Statement(
    sqlite=(
        NEXT_CURSOR,
        "update resources set generation = generation + 1 where number = :resource",
        recorded("resource", "id", "number", "from resources where number = :resource", generation="generation"),
        "select generation from resources where number = :resource",
    )
)

_STANDING = Statement(
    sqlite=(
        " union all ".join(
            f"select kind, generation, valid_from_micros, deleted from revocations where kind = '{kind}'"
            f" and subject = :{kind}"
            for kind in ("token", "identity", "resource", "accessKey", "signingKey")
        ),
    )
)


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
        await self._database.write(_RECORD[kind], parameters)

    async def raise_resource(self, resource: int, now_micros: int) -> None:
        """Every token of the resource so far is dead."""
        await self._database.write(_RECORD_RESOURCE, {"resource": resource, "kept_until": now_micros + KEPT_MICROS})

    async def standing(self, claims: Claims, kid: str) -> list[Row]:
        """Kind, generation, valid-from and deleted of every row that concerns a token, as committed now."""
        parameters = {
            "token": claims.jti,
            "identity": claims.skypeid,
            "resource": claims.resourceId,
            "accessKey": claims.accessKey,
            "signingKey": kid,
        }
        return await self._database.read(_STANDING, parameters)

    async def position(self) -> tuple[str, int]:
        """The epoch, and the newest cursor that is committed."""
        [(epoch, cursor)] = await self._database.query("select epoch, cursor from feed")
        return epoch, cursor

    async def after(self, resource: int, cursor: int, most: int) -> list[RevocationRow]:
        """The rows that concern a resource, in commit order, above a cursor."""
        columns = "cursor, kind, subject, generation, valid_from_micros, deleted"
        rows = await self._database.query(
            f"select {columns} from revocations where resource in ($1, $2) and cursor > $3 order by cursor limit $4",
            EVERY_RESOURCE,
            resource,
            cursor,
            most,
        )
        return [RevocationRow(*row) for row in rows]

    async def purge(self, now_micros: int) -> int:
        """Delete what no living token can be concerned by; how many rows went."""
        gone = await self._database.transact(
            lambda transaction: transaction.execute(
                "delete from revocations where expires_micros < $1 returning 1", now_micros
            )
        )
        return len(gone)
