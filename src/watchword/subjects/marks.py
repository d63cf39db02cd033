"""How far earlier runs came, read from the rows of whom tokens speak for."""

from __future__ import annotations

from watchword.identifiers import parse_identity
from watchword.storage import Database


async def newest_marks(database: Database) -> tuple[bytes, int]:
    """The newest flake and the highest issue time of all earlier runs: what a new run must not go below."""
    newest = "select (select flake from identities where resource = number order by flake desc limit 1) from resources"
    flakes = [flake for (flake,) in await database.query(newest) if flake is not None]
    # An identity that was deleted is remembered by its revocation alone.
    revoked = """
        select (
            select subject from revocations where kind = 'identity' and resource = number
            and subject > 'acs:' || id || '_' and subject < 'acs:' || id || '_g' order by subject desc limit 1
        ) from resources
    """
    found = [parse_identity(f"8:{subject}") for (subject,) in await database.query(revoked)]
    flakes += [identity.flake for identity in found if identity is not None]
    [(high_water,)] = await database.query("select high_water_micros from clock")
    return max(flakes, default=bytes(16)), high_water
