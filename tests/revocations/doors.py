"""A server whose revocations are purged by clocks that are wrong, and everybody who judges tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tests.support.data import beside, transact
from tests.support.signed import SignedClient
from tests.support.standing import is_live
from watchword.client import TokenVerifier, VerifierCredential
from watchword.errors import InvalidToken
from watchword.revocations.store import RevocationStore
from watchword.testing import RunningServer


@dataclass
class World:
    """A server, its owner, and who verifies elsewhere."""

    server: RunningServer
    client: SignedClient
    credential: str

    def purge(self, ahead: timedelta) -> None:
        """What a process does whose clock is so far ahead, without any guard."""
        micros = self.server.clock.micros() + ahead // timedelta(microseconds=1)
        beside(self.server, lambda database: RevocationStore(database).purge(micros))
        there = "select 1 from revocations where expires_micros < 253402300799999999"
        assert transact(self.server, lambda transaction: transaction.execute(there)) == [], "some were not purged"

    def doors(self, token: str) -> tuple[bool, str]:
        """Whether introspection calls it live, and at which check a verifier that starts now refuses it."""
        return is_live(self.client, token), refused(self.server, self.credential, token)


def refused(server: RunningServer, credential: str, token: str) -> str:
    with TokenVerifier(server.endpoint, VerifierCredential(credential), clock=server.clock) as verifier:
        try:
            verifier.verify(token)
        except InvalidToken as error:
            return error.check
        return ""
