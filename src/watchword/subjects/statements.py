"""What is asked of each engine about a token: the row of its subject, every revocation that concerns it, and whether
its user is banned from the chats of the resource.
"""

from __future__ import annotations

from watchword.revocations.statements import OF_TOKEN, standing, standing_many
from watchword.storage import Statement

_SQLITE_BAN = """
    union all select 'ban', 0, coalesce(until_millis, 0), 0 from restrictions
    where resource = :owner and subject = :identity and thread = 0 and kind = 'ban'
"""
_POSTGRES_BAN = """
    union all select q.n, 'ban', 0, coalesce(r.until_millis, 0), 0 from q
    join restrictions r on r.resource = q.owner and r.subject = q.identity and r.thread = 0 and r.kind = 'ban'
"""


def _sqlite_identity(*, ban: str) -> tuple[str]:
    return (
        f"""
        {standing()} union all
        select 'subject', generation, valid_from_micros, 0 from identities where resource = :owner and flake = :flake
        {ban}
        """,
    )


def _postgres_identity(*, ban: str) -> str:
    return f"""
        {standing_many()} union all
        select q.n, 'subject', i.generation, i.valid_from_micros, 0
        from q join identities i on i.resource = q.owner and i.flake = q.flake
        {ban}
    """


def _sqlite_exchanged(*, ban: str) -> tuple[str]:
    return (
        f"""
        {standing()} union all
        select 'subject', generation, 0, 0 from exchanged_users where resource = :owner and subject = :identity
        {ban}
        """,
    )


def _postgres_exchanged(*, ban: str) -> str:
    return f"""
        {standing_many()} union all
        select q.n, 'subject', u.generation, 0, 0
        from q join exchanged_users u on u.resource = q.owner and u.subject = q.identity
        {ban}
    """


IDENTITYS_TOKEN = Statement(
    sqlite=_sqlite_identity(ban=_SQLITE_BAN),
    parameters=(*OF_TOKEN, ("flake", "bytea")),
    postgres=_postgres_identity(ban=_POSTGRES_BAN),
)

EXCHANGED_USERS_TOKEN = Statement(
    sqlite=_sqlite_exchanged(ban=_SQLITE_BAN),
    parameters=OF_TOKEN,
    postgres=_postgres_exchanged(ban=_POSTGRES_BAN),
)

UNMODERATED_IDENTITYS_TOKEN = Statement(
    sqlite=_sqlite_identity(ban=""),
    parameters=(*OF_TOKEN, ("flake", "bytea")),
    postgres=_postgres_identity(ban=""),
)
"""The same on the schema of the release before, where nobody is banned."""

UNMODERATED_EXCHANGED_USERS_TOKEN = Statement(
    sqlite=_sqlite_exchanged(ban=""),
    parameters=OF_TOKEN,
    postgres=_postgres_exchanged(ban=""),
)
