"""The rules of assignments: whose tokens may be exchanged, and whose end when that is taken away.

An access token does not say which assignment let its user in. So one that is deleted, or replaced by one that allows
less, ends the tokens of everybody whom it may have let in; whoever is covered by another one exchanges again.

principal                whose tokens end, of the same kind of exchange
user, resourceAccount    those of this user
group, tenant            those of every user of the tenant
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from watchword.entra import store
from watchword.entra.provider_tokens import ProviderToken
from watchword.entra.store import Assignment, Kind
from watchword.errors import AssignmentNotFound
from watchword.resources.store import Resource
from watchword.storage import Database, Lock, Transaction
from watchword.storage.database import BESIDE_OLDER, lock_resource
from watchword.subjects.exchanged_users import ExchangedUsers, Range

_AFTER_ANY_GUID = "g"
"""In the order of bytes it stands behind every guid in lower case."""


class Assignments:
    """Every verb is of one resource; when one that takes something away returns, the tokens are dead.

    Source: the service's team says so of Teams Phone, azure-rest-api-specs pull 32703: deleting an assignment revokes
    the tokens of that user and tenant.

    Assumed: an assignment of Entra ID ends tokens as one of Teams Phone does. Assumed: an assignment that is replaced
    by one that allows less ends them like one that is deleted.
    """

    def __init__(self, database: Database, users: ExchangedUsers) -> None:
        self._database = database
        self._users = users

    async def list(self, resource: Resource, kind: Kind) -> list[Assignment]:
        """All of them, by object."""
        return await store.list_assignments(self._database, resource, kind)

    async def get(self, resource: Resource, kind: Kind, object_id: str, *, tenant_id: str | None = None) -> Assignment:
        """Find the assignment of an object to the resource.

        Raises:
            AssignmentNotFound: there is none of the object, in this tenant where one is named.
        """
        for each in await self.list(resource, kind):
            if each.object_id == object_id and tenant_id in (None, each.tenant_id):
                return each
        raise AssignmentNotFound

    async def put(self, resource: Resource, kind: Kind, wanted: Assignment) -> bool:
        """Whether it is new, rather than in the place of an older one."""

        async def put(transaction: Transaction) -> bool:
            replaced = await store.put_assignment(transaction, resource, kind, wanted=wanted)
            await self._end_tokens(transaction, resource, kind, gone=_narrowed(replaced, wanted))
            return not replaced

        is_new = await self._database.transact(put, *_locks(resource))
        self._users.wake()
        return is_new

    async def delete(self, resource: Resource, kind: Kind, object_id: str, *, tenant_id: str | None = None) -> None:
        """Deletes the assignment of whichever tenant where none is named; one that is not there changes nothing."""

        async def delete(transaction: Transaction) -> None:
            gone = await store.delete_assignment(transaction, resource, kind, object_id=object_id, tenant_id=tenant_id)
            await self._end_tokens(transaction, resource, kind, gone=gone)

        await self._database.transact(delete, *_locks(resource))
        self._users.wake()

    async def change(self, resource: Resource, changes: Mapping[str, Assignment | None]) -> None:
        """All changes to assignments of Entra ID or none, by object; None deletes."""

        async def change(transaction: Transaction) -> None:
            gone: list[Assignment] = []
            for object_id, wanted in changes.items():
                if wanted is None:
                    gone += await store.delete_assignment(
                        transaction, resource, "entra", object_id=object_id, tenant_id=None
                    )
                else:
                    gone += _narrowed(await store.put_assignment(transaction, resource, "entra", wanted=wanted), wanted)
            await self._end_tokens(transaction, resource, "entra", gone=gone)

        await self._database.transact(change, *_locks(resource))
        self._users.wake()

    async def _end_tokens(
        self, transaction: Transaction, resource: Resource, kind: Kind, *, gone: Sequence[Assignment]
    ) -> None:
        if gone:
            ended = {_let_in(resource, kind, each) for each in gone}
            await self._users.end_tokens(transaction, resource.number, sorted(ended))


def _locks(resource: Resource) -> tuple[Lock, ...]:
    """Assignments of one resource change one after the other, and nobody is let in for the first time meanwhile."""
    return BESIDE_OLDER, lock_resource(resource.number)


def covers(assignment: Assignment, token: ProviderToken) -> bool:
    """Whether it lets the token's user in, at the application that the token names."""
    if assignment.tenant_id != token.tenant:
        return False
    if assignment.clients is not None and token.application not in assignment.clients:
        return False
    match assignment.principal_type:
        case "group":
            return assignment.object_id in token.groups
        case "tenant":
            return assignment.object_id == token.tenant
        case _:
            return assignment.object_id == token.object_id


def subject(resource: Resource, kind: Kind, tenant: str, *, object_id: str) -> str:
    """The skypeid of a user who has exchanged a token."""
    marker = "wf_" if kind == "entra" else ""
    return f"acs:{resource.id}_{marker}{tenant}_{object_id}"


def _let_in(resource: Resource, kind: Kind, assignment: Assignment) -> Range:
    tenant = assignment.tenant_id
    if assignment.principal_type in ("group", "tenant"):
        return subject(resource, kind, tenant, object_id=""), subject(resource, kind, tenant, object_id=_AFTER_ANY_GUID)
    only = subject(resource, kind, tenant, object_id=assignment.object_id)
    return only, only


def _narrowed(replaced: Sequence[Assignment], wanted: Assignment) -> list[Assignment]:
    """Those of which something is lost."""
    return [each for each in replaced if not _allows(wanted, each)]


def _allows(wanted: Assignment, former: Assignment) -> bool:
    if (wanted.tenant_id, _breadth(wanted)) != (former.tenant_id, _breadth(former)):
        return False
    if wanted.clients is None or former.clients is None:
        return wanted.clients is None
    return set(former.clients) <= set(wanted.clients)


def _breadth(assignment: Assignment) -> str:
    """A user and a resource account are one object alike."""
    return assignment.principal_type if assignment.principal_type in ("group", "tenant") else "object"
