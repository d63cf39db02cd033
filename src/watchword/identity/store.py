"""The rows of identities."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from watchword.errors import NotAuthenticated, Unavailable
from watchword.identifiers import IdentityId
from watchword.identity.statements import COLUMNS, CUT_OFF, DELETE, FIND, INSERT, INSERT_NAMED, NOTE, PURGE, REVOKE
from watchword.revocations.store import KEPT_MICROS
from watchword.storage import Database
from watchword.storage.purge import Purge


class IdentityRow(msgspec.Struct, frozen=True, gc=False):
    """`generation` and `valid_from_micros` decide which tokens are live. Times are microseconds since 1970."""

    flake: bytes
    generation: int
    valid_from_micros: int
    custom_id: str | None
    created_micros: int
    last_token_micros: int | None


_TRIES = 3
_DELETED = "The resource was deleted."


class IdentityStore:
    """Few verbs; each is one statement, and calls that arrive together share a trip to the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, resource: int, flake: bytes) -> IdentityRow | None:
        rows = await self._database.read(FIND, {"resource": resource, "flake": flake})
        return IdentityRow(*rows[0]) if rows else None

    async def insert(
        self,
        resource: int,
        flake: bytes,
        custom_id: str | None,
        *,
        created_micros: int,
        last_token_micros: int | None = None,
    ) -> IdentityRow:
        """The new row, or the one that already has the custom id, as it is.

        Raises:
            NotAuthenticated: the resource was deleted since its key was proved.
        """
        parameters: dict[str, Any] = {
            "resource": resource,
            "flake": flake,
            "created": created_micros,
            "issued": last_token_micros,
        }
        if custom_id is None:
            if await self._database.write(INSERT, parameters):
                return IdentityRow(flake, 1, 0, None, created_micros, last_token_micros)
            raise NotAuthenticated(_DELETED)
        parameters["custom_id"] = custom_id
        for _ in range(_TRIES):
            rows = await self._database.write(INSERT_NAMED, parameters)
            if rows:
                return IdentityRow(*rows[0])
            if not await self._database.query(
                "select 1 from resources where number = $1 and state = 'active'", resource
            ):
                raise NotAuthenticated(_DELETED)
        # Each time, another node made and deleted an identity with the same custom id.
        raise Unavailable(timedelta(seconds=1))

    async def revoke(self, resource: int, id: IdentityId, now_micros: int) -> bool:
        """Whether the identity was there; all its tokens so far are dead."""
        return bool(await self._database.write(REVOKE, _revoking(resource, id, now_micros)))

    async def cut_off(self, resource: int, id: IdentityId, valid_from_micros: int, *, now_micros: int) -> bool:
        """Whether the identity was there; its tokens issued before that time are dead, and never come back."""
        parameters = _revoking(resource, id, now_micros) | {"valid_from": valid_from_micros}
        return bool(await self._database.write(CUT_OFF, parameters))

    async def delete(self, resource: int, id: IdentityId, now_micros: int) -> bool:
        """Whether the identity was there; all its tokens are dead."""
        return bool(await self._database.write(DELETE, _revoking(resource, id, now_micros)))

    async def purge(self, resource: int, most: int) -> int:
        """Delete some identities of a resource that is being deleted; how many went."""
        return len(await self._database.write(PURGE, {"resource": resource, "most": most}))

    async def list(
        self, resource: int, *, after: bytes, before: bytes, custom_id: str | None, most: int
    ) -> list[IdentityRow]:
        """Rows with `after < flake < before`, oldest first."""
        parameters: list[Any] = [resource, after, before, most]
        named = ""
        if custom_id is not None:
            named = " and flake in (select flake from custom_ids where resource = $1 and custom_id = $5)"
            parameters.append(custom_id)
        sql = (
            f"select {COLUMNS} from identities where resource = $1 and flake > $2 and flake < $3{named}"
            " order by flake limit $4"
        )
        return [IdentityRow(*row) for row in await self._database.query(sql, *parameters)]

    async def note_tokens(self, issued: Sequence[tuple[int, int, bytes]]) -> None:
        """Rows of time, resource and flake: the last token of an identity. They share the commit of other writes.

        Raises:
            Unavailable: some of them may not be written down.
        """
        written = [
            self._database.enqueue(NOTE, {"resource": resource, "flake": flake, "issued": micros})
            for micros, resource, flake in issued
        ]
        await asyncio.wait(written)
        for each in written:
            each.result()


def identities_of_resource(database: Database) -> Purge:
    return Purge(("identities", "custom_ids"), IdentityStore(database).purge)


def _revoking(resource: int, id: IdentityId, now_micros: int) -> dict[str, Any]:
    return {"resource": resource, "flake": id.flake, "subject": id.skype_id, "kept_until": now_micros + KEPT_MICROS}
