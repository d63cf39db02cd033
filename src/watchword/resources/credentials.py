"""Whether a credential that was proved a while ago is still there: for answers that take long, such as a stream."""

from __future__ import annotations

from watchword.storage import Database


async def is_in_force(database: Database, credential: str) -> bool:
    """Of an access key or a verifier credential, by its id and as committed now. No two ids are alike."""
    return bool(
        await database.query(
            "select 1 from access_keys where id = $1 union all select 1 from verifier_credentials where id = $1",
            credential,
        )
    )
