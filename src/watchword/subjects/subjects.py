"""The subject of a token, read from its own row: what is gone is gone, though every revocation were lost."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.errors import InvalidToken
from watchword.identifiers import parse_identity
from watchword.storage import Database, Statement
from watchword.tokens.claims import Claims

_IDENTITY = Statement(
    sqlite=("select generation, valid_from_micros from identities where resource = :resource and flake = :flake",),
    parameters=(("resource", "int8"), ("flake", "bytea")),
    postgres="""
        select q.n, i.generation, i.valid_from_micros
        from q join identities i on i.resource = q.resource and i.flake = q.flake
    """,
)

_EXCHANGED_USER = Statement(
    sqlite=("select generation, 0 from exchanged_users where resource = :resource and subject = :subject",),
    parameters=(("resource", "int8"), ("subject", "text")),
    postgres="""
        select q.n, u.generation, 0 from q join exchanged_users u on u.resource = q.resource and u.subject = q.subject
    """,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Its tokens are of this generation, and were issued at this time or later (microseconds since 1970)."""

    generation: int
    valid_from_micros: int


class Subjects:
    """Reads committed state at each question."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, resource: int, skype_id: str) -> Subject | None:
        """The identity or exchanged user of a resource, by the name in its tokens; None where there is none."""
        identity = parse_identity(f"8:{skype_id}")
        if identity is not None:
            rows = await self._database.read(_IDENTITY, {"resource": resource, "flake": identity.flake})
        else:
            rows = await self._database.read(_EXCHANGED_USER, {"resource": resource, "subject": skype_id})
        return Subject(*rows[0]) if rows else None


def require_own_token(claims: Claims, subject: Subject | None) -> None:
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
