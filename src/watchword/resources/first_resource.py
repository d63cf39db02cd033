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
    """The resource that a new data folder is given, and its operator; guid, keys and token are drawn where None."""

    name: str
    location: str
    id: str | None = None
    keys: tuple[bytes, bytes] | None = None
    operator: BearerSecret | None = None


async def make_first(
    transaction: Transaction, encryption: Encryption, clock: Clock, first: FirstResource
) -> BearerSecret | None:
    """The token of the first operator; None where this is not the first start."""
    # Who deleted every resource did so on purpose: the feed remembers that there was one.
    [(there,)] = await transaction.execute("select (select count(*) from resources) + (select cursor from feed)")
    if there:
        return None
    await create_resource(
        transaction, encryption, clock, name=first.name, location=first.location, id=first.id, keys=first.keys
    )
    return await create_operator(transaction, "first", "contributor", clock.micros(), first.operator)
