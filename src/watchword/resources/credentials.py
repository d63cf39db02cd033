"""Whether a credential that was proved a while ago is still there: for answers that take long, such as a stream."""

from __future__ import annotations

from watchword.storage import Database


class Credentials:
    """Reads committed state at each question."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_in_force(self, credential: str) -> bool:
        """Asks for an access key or a verifier credential, by its id. No two ids are alike."""
        return bool(
            await self._database.query(
                "select 1 from access_keys where id = $1 union all select 1 from verifier_credentials where id = $1",
                credential,
            )
        )
