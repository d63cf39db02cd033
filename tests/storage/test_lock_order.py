"""Whoever locks rows on PostgreSQL does it in one order, so nobody waits for anybody in a circle.

A second connection holds each row in turn. Whoever waits for it must have locked nothing that comes later; and of each
two, the second is sent while the first one waits, and both are answered without a deadlock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import pytest

from tests.support.chat_locks import CHAT_WORK, CHATTING, PARTICIPANT_ROWS, THREAD_ROWS
from tests.support.clock import stopped_clock
from tests.support.hot_statements import writing_statements
from tests.support.locks import FIRST, KINDS, ORDER, SECOND, SEED, Locks, Work, locks_of
from tests.support.postgres import Cluster
from tests.support.realtime_locks import CONNECTING, REGISTRATION_ROWS
from watchword.chat import statements as chat
from watchword.clock import MonotoneClock
from watchword.entra.assignments import Assignments
from watchword.errors import NotAuthenticated
from watchword.identity import statements as identity
from watchword.keyring.store import KEYS
from watchword.realtime import statements as realtime
from watchword.resources import statements as generations
from watchword.resources.deletion import begin_group_deletion, begin_resource_deletion
from watchword.resources.generations import raise_every_generation
from watchword.resources.groups import Group
from watchword.resources.store import Resource
from watchword.revocations import statements as revocations
from watchword.revocations.feed import Feed
from watchword.revocations.statements import NEXT_CURSOR
from watchword.revocations.store import KEPT_MICROS, RevocationStore, record_now
from watchword.settings import Settings
from watchword.storage import Database, Statement, Transaction
from watchword.storage.database import BESIDE_OLDER, TURN
from watchword.storage.high_water import note_high_water
from watchword.storage.opening import open_database
from watchword.subjects.exchanged_users import ExchangedUsers
from watchword.transfer import store as transfer

ROWS = list(ORDER)
REVOKING = [
    {"resource": 1, "flake": flake, "subject": subject, "kept_until": 9, "valid_from": 7}
    # In the wrong order: it must not be the caller's.
    for flake, subject in ((SECOND, "a"), (FIRST, "B"), (SECOND, "a"))
]
CREATING = [{**each, "custom_id": each["subject"], "created": 3, "issued": None} for each in REVOKING]
NOTING = [{**each, "issued": 5} for each in REVOKING]
IDENTITIES = ["identities custom_id = 'B'", "identities custom_id = 'a'"]
CUSTOM_IDS = ["custom_ids custom_id = 'B'", "custom_ids custom_id = 'a'"]
FEED = "feed true"
FAR = 10**13


def revoked(kind: str, *subjects: tuple[int, str]) -> list[str]:
    found = subjects or ((1, "B"), (1, "a"))
    return [f"revocations kind = '{kind}' and resource = {number} and subject = '{each}'" for number, each in found]


RESOURCES = ["resources number = 1", "resources number = 2"]
OF_RESOURCES = revoked("resource", (1, "B"), (2, "a"))

Asked = tuple[Sequence[dict[str, Any]], Sequence[str]]

BATCHES: dict[Statement, Asked] = {
    identity.INSERT: (CREATING, IDENTITIES),
    identity.INSERT_NAMED: (CREATING, [*IDENTITIES, *CUSTOM_IDS]),
    identity.REVOKE: (REVOKING, [*IDENTITIES, *revoked("identity"), FEED]),
    identity.CUT_OFF: (REVOKING, ["clock true", *IDENTITIES, *revoked("identity"), FEED]),
    identity.DELETE: (REVOKING, [*IDENTITIES, *CUSTOM_IDS, *revoked("identity"), FEED]),
    identity.NOTE: (NOTING, IDENTITIES),
    identity.PURGE: ([{"resource": 1, "most": 1}] * 2, [*IDENTITIES, *CUSTOM_IDS]),
    generations.RAISE: (
        [{"resource": number, "kept_until": 9} for number in (2, 1, 2)],
        [*RESOURCES, *OF_RESOURCES, FEED],
    ),
    revocations.PURGE: (
        [{"now": FAR, "most": 9}] * 2,
        [*(row for kind in KINDS for row in revoked(kind)), *OF_RESOURCES, FEED],
    ),
    transfer._SET_LAST_NUMBER: ([{"name": "resources", "number": 9}], []),
    realtime.TOUCH: (CONNECTING, REGISTRATION_ROWS),
    realtime.CLAIM: (CONNECTING, REGISTRATION_ROWS),
    realtime.HOLD: (CONNECTING, REGISTRATION_ROWS),
    realtime.MOVE: (CONNECTING, REGISTRATION_ROWS),
    realtime.LEAVE: (CONNECTING, REGISTRATION_ROWS),
    chat.SEND: (CHATTING, [*THREAD_ROWS, *PARTICIPANT_ROWS]),
    chat.SEND_UNMODERATED: (CHATTING, [*THREAD_ROWS, *PARTICIPANT_ROWS]),
    chat.MARK_READ: (CHATTING, [*THREAD_ROWS, *PARTICIPANT_ROWS]),
    **{
        statement: (
            [{"resource": 1, "subject": subject, "kept_until": 9} for subject in ("a", "B", "a")],
            [*revoked(kind), FEED],
        )
        for kind, statement in revocations.RECORD.items()
    },
}
"""What each hot statement that writes is asked, naming rows twice, and the rows that it locks."""


def _of_batch(statement: Statement, asked: Sequence[dict[str, Any]], *, reverse: bool = False) -> Work:
    names = [name for name, _ in statement.parameters]
    rows = [{name: each[name] for name in names} for each in asked]

    async def write(database: Database) -> object:
        return await asyncio.gather(*(database.write(statement, each) for each in (rows[::-1] if reverse else rows)))

    return write


def _work() -> dict[str, tuple[Work, Work, Sequence[str]]]:
    """By its name: once, once more the other way round, and the rows that are locked."""
    named = writing_statements()
    found = {
        named[statement]: (_of_batch(statement, asked), _of_batch(statement, asked, reverse=True), rows)
        for statement, (asked, rows) in BATCHES.items()
    }
    turn = "turn true"
    cold: dict[str, tuple[Work, Sequence[str]]] = {
        "note_high_water": (
            lambda database: note_high_water(database, 99),
            ["clock true"],
        ),
        "begin_resource_deletion": (
            lambda database: database.transact(lambda each: begin_resource_deletion(each, _RESOURCE, 1), TURN),
            [turn, RESOURCES[0], OF_RESOURCES[0], FEED],
        ),
        "begin_group_deletion": (
            lambda database: database.transact(lambda each: begin_group_deletion(each, _GROUP, 1), TURN),
            [turn, *RESOURCES, *OF_RESOURCES, FEED],
        ),
        "raise_every_resource": (
            lambda database: database.transact(lambda each: raise_every_generation(each, 1), TURN),
            [turn, *RESOURCES, *OF_RESOURCES, FEED],
        ),
        **CHAT_WORK,
        "record_now": (
            lambda database: database.transact(
                lambda each: record_now(each, "accessKey", "B", resource=1, now_micros=1)
            ),
            [revoked("accessKey")[0], FEED],
        ),
        "Keyring.rotate_if_due": (
            lambda database: database.transact(_nothing, BESIDE_OLDER, KEYS),
            [turn, "key_check true"],
        ),
        "ExchangedUsers.generation": (_let_in, [turn, RESOURCES[0]]),
        "Assignments.delete": (
            lambda database: Assignments(database, _users(database)).delete(_RESOURCE, "entra", "somebody"),
            [turn, RESOURCES[0], "exchanged_users subject = 'acs:B_wf_tenant_somebody'", FEED],
        ),
        "ExchangedUsers.revoke": (
            lambda database: _users(database).revoke(1, "B"),
            ["exchanged_users subject = 'B'", revoked("identity")[0], FEED],
        ),
    }
    return found | {name: (work, work, rows) for name, (work, rows) in cold.items()}


def _users(database: Database) -> ExchangedUsers:
    return ExchangedUsers(database, Feed(RevocationStore(database)), MonotoneClock(stopped_clock()))


async def _let_in(database: Database) -> None:
    # What goes first may be the end of the resource.
    with suppress(NotAuthenticated):
        await _users(database).generation(1, "new")


async def _nothing(transaction: Transaction) -> None:
    """The rows that such a transaction locks are locked."""


_RESOURCE = Resource(1, "B", "", "", 1)
_GROUP = Group(1, "", "", "group", "global", {}, "active", 0)
WORK = _work()


@pytest.fixture
def dsn(cluster: Cluster) -> str:
    # Whoever waits in a circle is found out soon.
    return f"{cluster.fresh()}&deadlock_timeout=20ms"


@pytest.fixture
async def database(dsn: str, tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(Settings(database=dsn), tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def other(dsn: str, tmp_path: Path, database: Database) -> AsyncIterator[Database]:
    opened = await open_database(Settings(database=dsn), tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def locks(dsn: str, database: Database) -> AsyncIterator[Locks]:
    async with locks_of(dsn) as found:
        yield found


def _deadlocks(cluster: Cluster) -> int:
    return (cluster.folder / "log").read_text("utf-8", "replace").count("ERROR:  deadlock detected")


def test_every_hot_statement_that_writes_is_asked_here() -> None:
    assert set(writing_statements()) == set(BATCHES)
    assert set(revocations.RECORD) == set(KINDS)


async def test_whoever_waits_for_a_row_has_locked_no_later_one(database: Database, locks: Locks) -> None:
    for name, (work, _, locked) in WORK.items():
        waited = []
        for place, row in enumerate(ROWS):
            await locks.holder.execute(SEED)
            async with locks.holder.transaction():
                await locks.holder.execute(ORDER[row])
                task = asyncio.ensure_future(work(database))
                if await locks.until_waiting(1, task):
                    waited.append(row)
                    too_early = (await locks.taken()).intersection(ROWS[place + 1 :])
                    assert too_early == set(), f"{name} has locked them while it waits for {row}"
            await task
        assert waited == [row for row in ROWS if row in locked], name


async def test_no_two_wait_for_each_other(cluster: Cluster, database: Database, other: Database, locks: Locks) -> None:
    before = _deadlocks(cluster)
    # The kinds differ by one word, and share nothing but the feed's row.
    alike = {writing_statements()[each] for kind, each in revocations.RECORD.items() if kind != "token"}
    for one, two in combinations_with_replacement([name for name in WORK if name not in alike], 2):
        both = [row for row in ROWS if row in WORK[one][2] and row in WORK[two][2]]
        # At the first row that both want, and at the last: the first one holds none of them there, or all others.
        for row in {*both[:1], *both[-1:]}:
            await locks.holder.execute(SEED)
            async with locks.holder.transaction():
                await locks.holder.execute(ORDER[row])
                first = asyncio.ensure_future(WORK[one][0](database))
                assert await locks.until_waiting(1, first), one
                second = asyncio.ensure_future(WORK[two][1](other))
                assert await locks.until_waiting(2, second), two
            await asyncio.gather(first, second)
            assert _deadlocks(cluster) == before, f"{one} and {two}, which both waited for {row}"


async def test_what_changed_while_one_waited_is_not_lost(database: Database, locks: Locks) -> None:
    await locks.holder.execute(SEED)
    async with locks.holder.transaction():
        await locks.holder.execute("update identities set generation = 7 where custom_id = 'B'")
        await locks.holder.execute("update revocations set valid_from_micros = 5 where kind = 'identity'")
        task = asyncio.ensure_future(_of_batch(identity.REVOKE, REVOKING)(database))
        assert await locks.until_waiting(1, task)
        await locks.holder.execute("delete from identities where custom_id = 'a'")
    # The one is raised from what it had become, and the other one was gone.
    assert await task == [[], [(1,)], []]
    assert await database.query("select custom_id, generation from identities") == [("B", 8)]
    found = "select subject, generation, valid_from_micros from revocations where kind = 'identity' order by 1"
    assert await database.query(found) == [("B", 8, 5), ("a", 0, 5)]


async def test_what_another_revoked_meanwhile_is_kept_for_as_long_as_the_longer(
    database: Database, locks: Locks
) -> None:
    """No revocation was there to be locked before the feed's row, and then there is one: the call is sent again."""
    insert = (
        "insert into revocations (kind, resource, subject, cursor, expires_micros) values ('token', 1, 'new', 1, $1)"
    )
    store = RevocationStore(database)
    for there, kept in ((0, KEPT_MICROS + FAR), (2 * KEPT_MICROS + FAR, 2 * KEPT_MICROS + FAR)):
        await locks.holder.execute(SEED)
        async with locks.holder.transaction():
            await locks.holder.execute(NEXT_CURSOR)
            await locks.holder.execute(insert, there)
            task = asyncio.ensure_future(store.record("token", "new", 1, now_micros=FAR))
            assert await locks.until_waiting(1, task)
        await task
        found = "select expires_micros, cursor - (select cursor from feed) from revocations where subject = 'new'"
        assert await database.query(found) == [(kept, 0)]
