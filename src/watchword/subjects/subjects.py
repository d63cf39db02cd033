"""The subject of a token, read from its own row: what is gone is gone, though every revocation were lost.

Whether a token is good hangs on its subject and on what was revoked; both are read at once, as of one instant.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchword.bounded_cache import bounded_cache
from watchword.errors import InvalidToken
from watchword.identifiers import parse_identity
from watchword.revocations.revocations import cutoffs
from watchword.storage import Database
from watchword.storage.new_table import NewTable
from watchword.subjects.statements import (
    EXCHANGED_USERS_TOKEN,
    IDENTITYS_TOKEN,
    UNMODERATED_EXCHANGED_USERS_TOKEN,
    UNMODERATED_IDENTITYS_TOKEN,
)
from watchword.tokens.claims import Claims
from watchword.tokens.cutoffs import CutOffs, require_live

_FIRST_SCHEMA_WITH_BANS = 11
_NO_REVOCATIONS = ("subject", "ban")


@dataclass(frozen=True, slots=True)
class Subject:
    """Its tokens are of this generation, and were issued at this time or later (microseconds since 1970)."""

    generation: int
    valid_from_micros: int


@dataclass(frozen=True, slots=True)
class Ban:
    """Keeps a user out of the chats of the resource, while the tokens are good; None is until it is lifted."""

    until_millis: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is committed about a token, its subject, if that is there, and a ban, though its time may be over."""

    cutoffs: CutOffs
    subject: Subject | None
    ban: Ban | None = None


class Subjects:
    """Reads committed state at each question."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bans = NewTable(database, version=_FIRST_SCHEMA_WITH_BANS, name="restrictions")

    async def find(self, resource: int, claims: Claims, kid: str) -> Standing:
        """How a token of a resource stands at this instant, that was signed with the key `kid`."""
        parameters = {
            "owner": resource,
            "token": claims.jti,
            "identity": claims.skypeid,
            "resource": claims.resourceId,
            "accessKey": claims.accessKey,
            "signingKey": kid,
        }
        flake = _find_flake(claims.skypeid)
        can_be_banned = await self._bans.is_there()
        if flake is None:
            statement = EXCHANGED_USERS_TOKEN if can_be_banned else UNMODERATED_EXCHANGED_USERS_TOKEN
            rows = await self._database.read(statement, parameters)
        else:
            statement = IDENTITYS_TOKEN if can_be_banned else UNMODERATED_IDENTITYS_TOKEN
            rows = await self._database.read(statement, {**parameters, "flake": flake})
        # In which order they come, PostgreSQL does not promise.
        subject = next((Subject(*row[1:3]) for row in rows if row[0] == "subject"), None)
        ban = next((Ban(row[2] or None) for row in rows if row[0] == "ban"), None)
        return Standing(cutoffs([row for row in rows if row[0] not in _NO_REVOCATIONS]), subject, ban)

    async def require_live(self, resource: int, claims: Claims, kid: str) -> Ban | None:
        """Let a token pass that was verified, and that its subject still has; a ban is for chat to judge.

        Raises:
            InvalidToken: check `revoked`.
        """
        found = await self.find(resource, claims, kid)
        require_live(claims, found.cutoffs)
        _require_own_token(claims, found.subject)
        return found.ban


@bounded_cache(most_entries=10_000, longest_text=128)
def _find_flake(skype_id: str) -> bytes | None:
    """None of an exchanged user."""
    identity = parse_identity(f"8:{skype_id}")
    return None if identity is None else identity.flake


def _require_own_token(claims: Claims, subject: Subject | None) -> None:
    """The token is one that its subject still has.

    Raises:
        InvalidToken: check `revoked`; the subject is gone, or the token is not of its present generation.
    """
    if subject is None:
        raise InvalidToken("revoked", "The token's identity was deleted.")
    if claims.gen < subject.generation:
        raise InvalidToken("revoked", "The tokens of this identity were revoked after this one was issued.")
    if claims.gen > subject.generation:
        # Another history issued it, such as the one that a restored backup knows nothing of.
        raise InvalidToken("revoked", "The token is of a generation that its identity never had here.")
    if claims.iatMicros < subject.valid_from_micros:
        raise InvalidToken("revoked", "The token was issued before the time from which its identity's tokens count.")
