"""The generation of a resource, which each of its tokens carries: whoever raises it ends every token so far."""

from __future__ import annotations

from watchword.resources.statements import RAISE
from watchword.revocations.store import KEPT_MICROS, Revoked, record_all
from watchword.storage import Database, Transaction


async def raise_generation(database: Database, resource: int, now_micros: int) -> None:
    """Every token of the resource so far is dead. The feed must be woken after."""
    await database.write(RAISE, {"resource": resource, "kept_until": now_micros + KEPT_MICROS})


async def raise_every_generation(transaction: Transaction, now_micros: int) -> int:
    """Every token so far is dead, of every resource; how many resources. The feed must be woken after.

    Also those of a generation that this database never heard of: a backup knows nothing of what was raised since. The
    time is above all of them, for nobody raises a generation as often as a clock ticks.
    """
    rows = await transaction.execute("select number, id from resources order by number")
    raised: list[Revoked] = []
    for number, id in rows:
        # One by one, and so locked in the order of their numbers. One that is gone meanwhile has no tokens.
        found = await transaction.execute(_RAISE_FROM_NOW, now_micros, number)
        raised += [Revoked("resource", number, id, generation) for (generation,) in found]
    if raised:
        await record_all(transaction, raised, now_micros)
    return len(raised)


_RAISE_FROM_NOW = """
    update resources set generation = case when generation < $1 then $1 else generation + 1 end where number = $2
    returning generation
"""
