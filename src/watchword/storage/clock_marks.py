"""The row of `clock`: how far issue times have come, and the bound that none of them exceeds.

Two numbers in microseconds since 1970. `high_water_micros` is the highest issue time that may have been given out, as
far as was written down; `reserved_micros` is above every one that was.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchword.storage.database import CLOCK, Transaction


def raise_to(*, micros: str, greatest: str) -> str:
    """SQL that raises the high-water mark; `micros` is SQL too, `greatest` the engine's function of that kind."""
    return f"update clock set high_water_micros = {greatest}(high_water_micros, {micros})"


async def raise_high_water(transaction: Transaction, micros: int) -> None:
    """No issue time that is given out from now on is lower."""
    await transaction.execute("update clock set high_water_micros = $1 where high_water_micros < $1", micros)


async def raise_reserved(transaction: Transaction, micros: int) -> int:
    """The bound, which is as high as that now, or was higher."""
    await transaction.execute("update clock set reserved_micros = $1 where reserved_micros < $1", micros)
    [(reserved,)] = await transaction.execute("select reserved_micros from clock")
    return int(reserved)


async def touch(transaction: Transaction) -> None:
    """Write something, to see whether that can be: issue times go on from a microsecond later.

    A row that is written as it was is no write to SQLite.
    """
    await transaction.execute("update clock set high_water_micros = high_water_micros + 1")


@dataclass(frozen=True, slots=True)
class Lowered:
    """`before_micros` is what issue times went on from; no token carries a time above `reserved_micros`."""

    before_micros: int
    reserved_micros: int


async def lower_high_water(transaction: Transaction, now_micros: int) -> Lowered:
    """Forget that a clock was ahead: issue times go on from now, where they would from later.

    The bound of issue times stays, so that revocations outlast tokens that the wrong clock stamped.
    """
    await transaction.lock(CLOCK)
    [(before, reserved)] = await transaction.execute("select high_water_micros, reserved_micros from clock")
    bound = max(before, reserved)
    await transaction.execute(
        "update clock set high_water_micros = $1, reserved_micros = $2 where high_water_micros > $1", now_micros, bound
    )
    return Lowered(before, bound)
