"""What the journal's hot statements are asked by many calls of one batch; see `tests.support.batches`."""

from __future__ import annotations

from tests.support.batches import Batch, of
from watchword.journal import store
from watchword.journal.statements import APPEND
from watchword.storage import Transaction

_HEAD = 6
"""Columns before the entry, of which the third and the fourth are about transactions."""


@of(store.BEGIN)
async def all_begin_where_the_journal_ends(batch: Batch) -> object:
    newest = await _append(batch, 2)
    answers = await batch.write(kept=10)
    return [answer[0][_HEAD] for answer in answers] == [newest] * batch.count


@of(store.LOOK)
async def all_see_what_is_above_and_what_fills_a_gap(batch: Batch) -> object:
    newest = await _append(batch, 5)
    gaps = {"firsts": str(newest - 4), "lasts": str(newest - 3)}
    answers = await batch.write(top=newest - 2, most=10, **gaps)
    is_postgres = batch.database.notices() is not None
    seen = [newest - 4, newest - 3, newest - 1, newest] if is_postgres else [newest - 1, newest]
    assert [[row[_HEAD] for row in answer] for answer in answers] == [seen] * batch.count
    nothing = await batch.write(top=newest, most=10, firsts="", lasts="")
    return [[row[_HEAD] for row in answer] for answer in nothing] == [[None]] * batch.count


async def _append(batch: Batch, count: int) -> int:
    async def append(transaction: Transaction) -> None:
        for number in range(count):
            await transaction.execute(APPEND, batch.resource.number, 1, number, "messageReceived", "1", 5)

    await batch.database.transact(append)
    [(newest,)] = await batch.database.query("select max(id) from journal")
    return int(newest)
