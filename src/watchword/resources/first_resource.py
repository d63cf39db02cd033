"""What a database is given at the first start of all: a resource, and an operator."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.clock import Clock
from watchword.keyring.encryption import Encryption
from watchword.resources.access_keys import create_resource
from watchword.resources.bearer_secrets import BearerSecret
from watchword.resources.operators import create_operator
from watchword.storage import Transaction


@dataclass(frozen=True, slots=True)
class FirstResource:
    """The resource that a new data folder is given, and its operator; guid, keys and token are drawn where None.

    An operator whose token nobody would be shown is not made.
    """

    name: str
    location: str
    id: str | None = None
    keys: tuple[bytes, bytes] | None = None
    operator: BearerSecret | None = None
    has_operator: bool = True


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What a start on nothing has made: a resource, and perhaps an operator, whose token is to be shown once."""

    operator: BearerSecret | None


async def has_begun(transaction: Transaction) -> bool:
    """Whether there is a resource, or was one: who deleted every resource did so on purpose, and the feed remembers."""
    [(there,)] = await transaction.execute("select (select count(*) from resources) + (select cursor from feed)")
    return bool(there)


async def make_first(
    transaction: Transaction, encryption: Encryption, clock: Clock, *, first: FirstResource
) -> FirstStart | None:
    """None where this is not the first start."""
    if await has_begun(transaction):
        return None
    now = clock.micros()
    await create_resource(
        transaction, encryption, now, name=first.name, location=first.location, id=first.id, keys=first.keys
    )
    if not first.has_operator:
        return FirstStart(None)
    return FirstStart(await create_operator(transaction, "first", "contributor", now_micros=now, token=first.operator))
