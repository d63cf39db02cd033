"""The rows of identities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from watchword.identifiers import IdentityId
from watchword.revocations.store import KEPT_MICROS, NEXT_CURSOR, recorded
from watchword.storage import Database, Statement, Transaction


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """`generation` and `valid_from_micros` decide which tokens are live. Times are microseconds since 1970."""

    flake: bytes
    generation: int
    valid_from_micros: int
    custom_id: str | None
    created_micros: int
    last_token_micros: int | None


_COLUMNS = "flake, generation, valid_from_micros, custom_id, created_micros, last_token_micros"

_FIND = Statement(sqlite=(f"select {_COLUMNS} from identities where resource = :resource and flake = :flake",))

_INSERT = Statement(
    sqlite=(
        # A second create with one custom id changes nothing, yet must return the row: hence the update to itself.
        f"""
        insert into identities (resource, flake, generation, custom_id, created_micros)
        values (:resource, :flake, 1, :custom_id, :created)
        on conflict (resource, custom_id) where custom_id is not null do update set custom_id = excluded.custom_id
        returning {_COLUMNS}
        """,
    )
)

_THIS = "from identities where resource = :resource and flake = :flake"

_REVOKE = Statement(
    sqlite=(
        NEXT_CURSOR,
        "update identities set generation = generation + 1 where resource = :resource and flake = :flake",
        recorded("identity", ":subject", "resource", _THIS, generation="generation"),
        f"select generation {_THIS}",
    )
)

_CUT_OFF = Statement(
    sqlite=(
        # The time from which tokens are valid must never lie above what the clock gives out after a restart.
        "update clock set high_water_micros = max(high_water_micros, :valid_from)",
        NEXT_CURSOR,
        """
        update identities set valid_from_micros = max(valid_from_micros, :valid_from)
        where resource = :resource and flake = :flake
        """,
        recorded("identity", ":subject", "resource", _THIS, valid_from_micros="valid_from_micros"),
        f"select valid_from_micros {_THIS}",
    )
)

_DELETE = Statement(
    sqlite=(
        NEXT_CURSOR,
        recorded("identity", ":subject", "resource", _THIS, deleted="1"),
        f"delete {_THIS} returning flake",
    )
)


class IdentityStore:
    """Few verbs; each is one statement, and calls that arrive together share a trip to the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, resource: int, flake: bytes) -> IdentityRow | None:
        rows = await self._database.read(_FIND, {"resource": resource, "flake": flake})
        return IdentityRow(*rows[0]) if rows else None

    async def insert(self, resource: int, flake: bytes, custom_id: str | None, created_micros: int) -> IdentityRow:
        """The new row, or the one that already has the custom id."""
        parameters = {"resource": resource, "flake": flake, "custom_id": custom_id, "created": created_micros}
        [row] = await self._database.write(_INSERT, parameters)
        return IdentityRow(*row)

    async def revoke(self, resource: int, id: IdentityId, now_micros: int) -> bool:
        """Whether the identity was there; all its tokens so far are dead."""
        return bool(await self._database.write(_REVOKE, _revoking(resource, id, now_micros)))

    async def cut_off(self, resource: int, id: IdentityId, valid_from_micros: int, now_micros: int) -> bool:
        """Whether the identity was there; its tokens issued before that time are dead, and never come back."""
        parameters = _revoking(resource, id, now_micros) | {"valid_from": valid_from_micros}
        return bool(await self._database.write(_CUT_OFF, parameters))

    async def delete(self, resource: int, id: IdentityId, now_micros: int) -> bool:
        """Whether the identity was there; all its tokens are dead."""
        return bool(await self._database.write(_DELETE, _revoking(resource, id, now_micros)))

    async def list(
        self, resource: int, *, after: bytes, before: bytes, custom_id: str | None, most: int
    ) -> list[IdentityRow]:
        """Rows with `after < flake < before`, oldest first."""
        custom = "" if custom_id is None else " and custom_id = $5"
        sql = (
            f"select {_COLUMNS} from identities where resource = $1 and flake > $2 and flake < $3{custom}"
            " order by flake limit $4"
        )
        parameters = (
            (resource, after, before, most) if custom_id is None else (resource, after, before, most, custom_id)
        )
        return [IdentityRow(*row) for row in await self._database.query(sql, *parameters)]

    async def note_tokens(self, issued: Sequence[tuple[int, int, bytes]], high_water_micros: int) -> None:
        """Rows of time, resource and flake: the last token of an identity; and the highest issue time given out."""

        async def note(transaction: Transaction) -> None:
            await transaction.execute_many(
                "update identities set last_token_micros = $1 where resource = $2 and flake = $3", issued
            )
            await transaction.execute(
                "update clock set high_water_micros = $1 where high_water_micros < $1", high_water_micros
            )

        await self._database.transact(note)


def _revoking(resource: int, id: IdentityId, now_micros: int) -> dict[str, Any]:
    return {"resource": resource, "flake": id.flake, "subject": id.skype_id, "kept_until": now_micros + KEPT_MICROS}


async def newest_marks(database: Database) -> tuple[bytes, int]:
    """The newest flake and the highest issue time of all earlier runs: what a new run must not go below."""
    [(flake,)] = await database.query(
        "select max((select max(flake) from identities where resource = number)) from resources"
    )
    [(high_water,)] = await database.query("select high_water_micros from clock")
    return flake or bytes(16), high_water
