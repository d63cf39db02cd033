"""Rows of a PostgreSQL database in the one order of `watchword.storage.database`: who locks them, and who waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.support.polling import until_async
from watchword.storage import Database

KINDS = ("accessKey", "identity", "resource", "signingKey", "token")
FIRST, SECOND = b"\1" * 16, b"\2" * 16
"""The flakes of two identities in resource 1. Their custom ids and subjects are `B` and `a`: in order by bytes only."""

GUID = "0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a"
"""The id of resource 1 for who names users by their ids; its row has a shorter one."""

RESTRICTED = f"acs:{GUID}_{FIRST.hex()[:8]}-{'-'.join([FIRST.hex()[:4]] * 3)}-{FIRST.hex()[:12]}"
"""The first of these identities, by such an id: it is muted in thread 1, until long ago."""

THREADS = [f"19:acsV1_{letter * 43}1@thread.v2" for letter in "ba"]
"""The ids of the threads 1 and 2: in order by number only. Each has the participants `B` and `a`."""

SEED = f"""
    delete from threads;
    delete from participants;
    delete from messages;
    delete from departures;
    delete from journal;
    delete from restrictions;
    delete from history_imports;
    select setval(pg_get_serial_sequence('threads', 'number'), 1000);
    delete from registrations;
    delete from spent_tickets;
    delete from custom_ids;
    delete from identities;
    delete from resources;
    delete from revocations;
    update clock set high_water_micros = 0;
    insert into key_check values (1, '') on conflict do nothing;
    insert into resources (number, id, name, location, created_micros) overriding system value
    values (1, 'B', 'B', 'europe', 0), (2, 'a', 'a', 'europe', 0);
    insert into identities (resource, flake, generation, custom_id, created_micros)
    values (1, '\\x{FIRST.hex()}', 1, 'B', 0), (1, '\\x{SECOND.hex()}', 1, 'a', 0);
    insert into custom_ids (resource, flake, custom_id) select resource, flake, custom_id from identities;
    insert into exchanged_users (resource, subject) values (1, 'B'), (1, 'acs:B_wf_tenant_somebody');
    insert into exchange_assignments (resource, kind, object_id, tenant_id, principal_type)
    values (1, 'entra', 'somebody', 'tenant', 'user');
    insert into threads (number, id, resource, topic, created_by, created_millis, sequence, version, present)
    values (1, '{THREADS[0]}', 1, '', 'B', 0, 1, 1, 2), (2, '{THREADS[1]}', 1, '', 'B', 0, 1, 1, 2);
    insert into participants (thread, subject, resource, place, listed_millis)
    select number, subject, 1, 1, 0 from threads, unnest(array['B', 'a']) subject;
    insert into messages (thread, id, version, sequence, kind, sender, content, key)
    select number, 1, 1, 1, 'text', 'a', 'x', decode(md5(number::text), 'hex') from threads;
    insert into restrictions (resource, subject, thread, kind, since_millis, until_millis)
    values (1, '{RESTRICTED}', 1, 'mute', 0, 1);
    insert into registrations (number, resource, subject, epid, epoch, position, claim, holder, is_open, seen_millis)
    values (1, 1, 'B', 'e', 'e', 0, 1, 1, 1, 0), (2, 1, 'a', 'e', 'e', 0, 1, 1, 1, 0);
    insert into revocations (kind, resource, subject, cursor, expires_micros)
    select kind, 1, subject, 1, 1 from unnest(array{list(KINDS)}) kind, unnest(array['B', 'a']) subject
    union all select 'resource', 2, 'a', 1, 1;
"""


def _row(table: str, where: str) -> tuple[str, str]:
    return f"{table} {where}", f"select 1 from {table} where {where} for update"


ORDER: dict[str, str] = dict(
    [
        _row("turn", "true"),
        _row("key_check", "true"),
        _row("resources", "number = 1"),
        _row("resources", "number = 2"),
        _row("clock", "true"),
        _row("identities", "custom_id = 'B'"),
        _row("identities", "custom_id = 'a'"),
        _row("exchanged_users", "subject = 'B'"),
        _row("exchanged_users", "subject = 'acs:B_wf_tenant_somebody'"),
        _row("custom_ids", "custom_id = 'B'"),
        _row("custom_ids", "custom_id = 'a'"),
        _row("threads", "number = 1"),
        _row("threads", "number = 2"),
        *(_row("participants", f"thread = {thread} and subject = '{each}'") for thread in (1, 2) for each in "Ba"),
        _row("messages", "thread = 1"),
        _row("messages", "thread = 2"),
        _row("restrictions", "thread = 1"),
        _row("registrations", "number = 1"),
        _row("registrations", "number = 2"),
        *(
            _row("revocations", f"kind = '{kind}' and resource = {resource} and subject = '{subject}'")
            for kind in KINDS
            for resource, subject in ((1, "B"), (1, "a"), (2, "a"))
            if kind == "resource" or resource == 1
        ),
        _row("feed", "true"),
    ]
)
"""Each row by a name, with the SQL that locks it."""

Work = Callable[[Database], Awaitable[object]]


@dataclass
class Locks:
    """Two connections that Watchword knows nothing of: one holds a row, the other one looks."""

    holder: Any
    probe: Any

    async def waiting(self) -> int:
        """How many sessions wait for a lock."""
        return int(await self.probe.fetchval("select count(*) from pg_locks where not granted"))

    async def until_waiting(self, count: int, *tasks: asyncio.Task[object]) -> bool:
        """Whether so many wait; False where one of the tasks was done without."""

        async def look() -> tuple[bool, bool]:
            return any(task.done() for task in tasks), await self.waiting() >= count

        done, waits = await until_async(look, any)
        return waits and not done

    async def taken(self) -> set[str]:
        """The rows that somebody has locked now."""
        found = set()
        for name, sql in ORDER.items():
            try:
                await self.probe.execute(f"{sql} nowait")
            except asyncpg.LockNotAvailableError:
                found.add(name)
        return found


@asynccontextmanager
async def locks_of(dsn: str) -> AsyncIterator[Locks]:
    sessions = [await asyncpg.connect(dsn) for _ in range(2)]
    try:
        yield Locks(*sessions)
    finally:
        for session in sessions:
            await session.close()
