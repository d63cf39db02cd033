"""Two and forty of one batch name the same row, in every hot statement on both engines: each is answered rightly."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from tests.support import chat_batches, journal_batches, realtime_batches
from tests.support.batches import CASES, batch_of
from tests.support.engines import Place
from tests.support.hot_statements import hot_statements, made_in_functions, writing_statements
from watchword.storage import Database
from watchword.storage.opening import DATABASE_FILE
from watchword.transfer import store as transfer

assert chat_batches.__doc__  # Their cases are among the others.
assert journal_batches.__doc__
assert realtime_batches.__doc__


def test_every_hot_statement_is_asked_here() -> None:
    assert {name for statement, name in hot_statements().items() if statement not in CASES} == set()
    assert set(hot_statements()) == set(CASES)


def test_no_statement_is_made_where_it_cannot_be_found() -> None:
    # The process that writes carries out what others send.
    assert made_in_functions() == ["storage/sqlite_writer.py: _statement"]


@pytest.mark.parametrize("count", [2, 40])
async def test_all_of_a_batch_that_name_one_row_are_answered_rightly(database: Database, count: int) -> None:
    wrong = {}
    for statement, name in hot_statements().items():
        batch = await batch_of(database, statement, count)
        try:
            if not await CASES[statement](batch):
                wrong[name] = "its rows are not as they should be"
        except AssertionError as error:
            wrong[name] = str(error)
    assert wrong == {}


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_whoever_finds_the_file_held_by_another_process_is_answered_when_it_lets_go(
    database: Database, place: Place
) -> None:
    """SQLite knows one lock. A transaction asks for it when it begins, and so never holds back one that has it."""
    writing = [each for each in writing_statements() if each is not transfer._SET_LAST_NUMBER]
    batches = [await batch_of(database, statement, 2) for statement in writing]
    with closing(sqlite3.connect(place.folder / DATABASE_FILE, isolation_level=None)) as other:
        other.execute("begin immediate")
        cases = [asyncio.ensure_future(CASES[batch.statement](batch)) for batch in batches]
        done, _ = await asyncio.wait(cases, timeout=0.2)
        assert done == set()
        other.execute("commit")
    assert all(await asyncio.gather(*cases))
