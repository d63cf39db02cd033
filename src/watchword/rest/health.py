"""Is it alive, is it ready: for supervisors and load balancers. Watchword's own operations."""

from __future__ import annotations

from watchword.keyring import key_check
from watchword.keyring.encryption import Encryption
from watchword.rest.call import PublicBinding, RawAnswer, Request
from watchword.storage import Database
from watchword.wire.operations import Body, Operation

_WORD = (Body(str, media_type="text/plain"),)
HEALTH = Operation(
    "Watchword_Health", "GET", "/healthz", 200, None,
    "Whether the process answers at all.",
    gives=_WORD,
)  # fmt: skip
READINESS = Operation(
    "Watchword_Readiness", "GET", "/readyz", 200, None,
    "Whether requests can be served: the database answers, and this node has its encryption key.",
    gives=_WORD,
)  # fmt: skip

_TEXT = (("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"))


class Health:
    """Two questions that must not be mixed up: restarting a process does not bring its database back."""

    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    def bindings(self) -> list[PublicBinding]:
        return [PublicBinding(HEALTH, self.health), PublicBinding(READINESS, self.readiness)]

    async def health(self, request: Request) -> RawAnswer:
        del request
        return RawAnswer(b"ok\n", _TEXT)

    async def readiness(self, request: Request) -> RawAnswer:
        """Raises:
        Unavailable: the database does not answer.
        OperatorError: the database is under an encryption key that this node does not have.
        """
        del request
        for (encrypted,) in await self._database.query(key_check.FIND):
            self._encryption.fitting(encrypted)
        return RawAnswer(b"ready\n", _TEXT)
