"""Credentials for verifiers: good for asking which tokens are valid, and for nothing else.

    wwv_<16 hexadecimal digits that name it>_<43 characters of secret>

So a chat server, an SFU or an API never holds an access key. Several may exist, so that one is replaced without a gap.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchword.resources.bearer_secrets import fits, new_secret
from watchword.resources.store import Resource
from watchword.storage import Database, Statement, Transaction

PREFIX = "wwv"

_FIND = Statement(
    sqlite=(
        """
        select v.secret_hash, r.number, r.id, r.name, r.location, r.generation
        from verifier_credentials v join resources r on r.number = v.resource where v.id = :id
        """,
    ),
    parameters=(("id", "text"),),
    postgres="""
        select q.n, v.secret_hash, r.number, r.id, r.name, r.location, r.generation
        from q join verifier_credentials v on v.id = q.id join resources r on r.number = v.resource
    """,
)


@dataclass(frozen=True, slots=True)
class VerifierCredential:
    """What is kept of one; the secret is not."""

    id: str
    resource: str
    created_micros: int


async def create_verifier_credential(transaction: Transaction, resource: Resource, now_micros: int) -> str:
    """The whole credential, which is shown once."""
    credential = new_secret(PREFIX)
    await transaction.execute(
        "insert into verifier_credentials (id, resource, secret_hash, created_micros) values ($1, $2, $3, $4)",
        credential.id,
        resource.number,
        credential.hash(),
        now_micros,
    )
    return str(credential)


async def list_verifier_credentials(transaction: Transaction) -> list[VerifierCredential]:
    """All of them, oldest first."""
    rows = await transaction.execute(
        "select v.id, r.name, v.created_micros from verifier_credentials v"
        " join resources r on r.number = v.resource order by v.created_micros, v.id"
    )
    return [VerifierCredential(*row) for row in rows]


async def delete_verifier_credential(transaction: Transaction, id: str) -> bool:
    """Whether it was there; it is refused from now on."""
    return bool(await transaction.execute("delete from verifier_credentials where id = $1 returning 1", id))


async def prove_verifier(database: Database, id: str, secret: str) -> Resource | None:
    """The resource that the credential belongs to, as committed now; None where it is unknown or the secret wrong."""
    rows = await database.read(_FIND, {"id": id})
    stored, resource = (rows[0][0], Resource(*rows[0][1:])) if rows else (None, None)
    return resource if fits(secret, stored) else None
