"""The rules of assignments and exchanges over a database: who is told, and what meets at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.support.clock import stopped_clock
from tests.support.provider import APPLICATION, OTHER_TENANT, TENANT, USER
from watchword.clock import MonotoneClock
from watchword.entra.assignments import Assignments, subject
from watchword.entra.exchanges import Exchanges
from watchword.entra.provider_tokens import ProviderToken
from watchword.entra.store import Assignment
from watchword.errors import NotAllowed
from watchword.keyring.encryption import Encryption
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import Schedule
from watchword.resources.store import Resource, insert_resource
from watchword.revocations.feed import Feed
from watchword.revocations.store import RevocationStore
from watchword.revocations.users import ExchangedUsers
from watchword.storage import Database
from watchword.storage.clock_watch import ClockWatch
from watchword.tokens.verifier import read_signed

RESOURCE = "aaaaaaaa-368b-45b4-ab52-8493fb117652"
COLLEAGUE = "55555555-5555-4555-8555-555555555555"
ASSIGNED = Assignment(USER, TENANT, "user", (APPLICATION,))
AT_ONCE = 20


@dataclass
class Rules:
    """What the service puts together, over one database."""

    resource: Resource
    store: RevocationStore
    users: ExchangedUsers
    assignments: Assignments
    exchanges: Exchanges
    keyring: Keyring
    brought: ProviderToken

    async def generation(self) -> int:
        return await self.users.generation(self.resource.number, subject(self.resource, "entra", TENANT, USER))


@pytest.fixture
async def rules(database: Database) -> Rules:
    clock = stopped_clock()
    issue_clock = MonotoneClock(clock)
    resource = await database.transact(lambda transaction: insert_resource(transaction, RESOURCE, "a", "europe", 0))
    store = RevocationStore(database)
    users = ExchangedUsers(database, Feed(store), issue_clock)
    keyring = Keyring(database, Encryption(bytes(32)), issue_clock, "ES256", Schedule(None, timedelta(hours=1)))
    await keyring.prepare()
    brought = ProviderToken(
        issuer="https://issuer.example",
        audiences=frozenset(),
        tenant=TENANT,
        object_id=USER,
        application=APPLICATION,
        scopes=frozenset({"VoIP"}),
        groups=frozenset(),
        not_before_micros=0,
        expires_micros=clock.micros() + 3_600_000_000,
        is_application=False,
    )
    exchanges = Exchanges(database, users, keyring, clock, ClockWatch(database, clock, issue_clock))
    return Rules(resource, store, users, Assignments(database, users), exchanges, keyring, brought)


async def test_the_feed_tells_every_user_of_the_tenant_and_nobody_of_another(rules: Rules, database: Database) -> None:
    everybody = [
        subject(rules.resource, "entra", tenant, user)
        for tenant in (TENANT, OTHER_TENANT)
        for user in (USER, COLLEAGUE)
    ]
    for user in (*everybody, subject(rules.resource, "teamsExtension", TENANT, USER)):
        await rules.users.generation(rules.resource.number, user)
    await rules.assignments.put(rules.resource, "entra", Assignment(TENANT, TENANT, "tenant", ()))
    await rules.assignments.delete(rules.resource, "entra", TENANT)
    newest, told = await rules.store.after(rules.resource.number, 0, 10)
    assert newest == 2
    assert [(row.cursor, row.subject, row.generation) for row in told] == [(1, everybody[0], 2), (2, everybody[1], 2)]
    raised = await database.query("select subject from exchanged_users where generation > 1 order by subject")
    assert raised == [(user,) for user in everybody[:2]]


async def test_an_exchange_that_was_let_in_before_the_deletion_is_refused_after_it(rules: Rules) -> None:
    await rules.assignments.put(rules.resource, "entra", ASSIGNED)
    [found] = await rules.exchanges.resources_of(rules.brought, "entra")
    await rules.assignments.delete(rules.resource, "entra", USER)
    with pytest.raises(NotAllowed, match="No assignment here covers the user"):
        await rules.exchanges.exchange(found, rules.brought, "entra")


async def test_no_token_of_an_exchange_beside_the_deletion_is_good_after_it(rules: Rules) -> None:
    await rules.assignments.put(rules.resource, "entra", ASSIGNED)

    async def exchange(n: int) -> str | None:
        for _ in range(n):
            await asyncio.sleep(0)
        try:
            return (await rules.exchanges.exchange(rules.resource, rules.brought, "entra")).token
        except NotAllowed:
            return None

    *issued, _ = await asyncio.gather(
        *(exchange(n) for n in range(AT_ONCE)), rules.assignments.delete(rules.resource, "entra", USER)
    )
    generation, keys = await rules.generation(), await rules.keyring.key_set()
    generations = [read_signed(token, keys).claims.gen for token in issued if token is not None]
    assert [each for each in generations if each >= generation] == []


async def test_deleting_what_is_not_there_tells_nobody_anything(rules: Rules) -> None:
    await rules.generation()
    await rules.assignments.delete(rules.resource, "entra", USER)
    await rules.assignments.change(rules.resource, {COLLEAGUE: None})
    assert await rules.store.after(rules.resource.number, 0, 10) == (0, [])
