"""The rules of assignments and exchanges over a database: who is told, and what meets at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.support.clock import stopped_clock
from tests.support.engines import Place
from tests.support.locks import locks_of
from tests.support.provider import APPLICATION, OTHER_TENANT, TENANT, USER
from watchword.clock import MonotoneClock, ServiceClock
from watchword.entra.assignments import Assignments, subject
from watchword.entra.exchanges import Exchanges
from watchword.entra.provider_tokens import ProviderToken
from watchword.entra.store import Assignment
from watchword.errors import NotAllowed, NotAuthenticated
from watchword.keyring.encryption import Encryption
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import Schedule
from watchword.resources.issuers import Issuers
from watchword.resources.store import Resource, insert_resource
from watchword.revocations.feed import Feed
from watchword.revocations.store import RevocationStore
from watchword.storage import Database
from watchword.storage.clock_watch import ClockWatch
from watchword.subjects.exchanged_users import ExchangedUsers
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
        return await self.users.generation(
            self.resource.number, subject(self.resource, "entra", TENANT, object_id=USER)
        )


@pytest.fixture
async def rules(database: Database) -> Rules:
    clock = stopped_clock()
    issue_clock = MonotoneClock(clock)
    resource = await database.transact(
        lambda transaction: insert_resource(transaction, RESOURCE, "a", location="europe", created_micros=0)
    )
    store = RevocationStore(database)
    users = ExchangedUsers(database, Feed(store), issue_clock)
    keyring = Keyring(
        database, Encryption(bytes(32)), issue_clock, algorithm="ES256", schedule=Schedule(None, timedelta(hours=1))
    )
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
    exchanges = Exchanges(
        database,
        users,
        keyring,
        issuers=Issuers("https://localhost"),
        clock=clock,
        clock_watch=ClockWatch(database, clock, issue_clock),
        service_clock=ServiceClock(clock),
    )
    return Rules(resource, store, users, Assignments(database, users), exchanges, keyring, brought)


async def test_the_feed_tells_every_user_of_the_tenant_and_nobody_of_another(rules: Rules, database: Database) -> None:
    everybody = [
        subject(rules.resource, "entra", tenant, object_id=user)
        for tenant in (TENANT, OTHER_TENANT)
        for user in (USER, COLLEAGUE)
    ]
    for user in (*everybody, subject(rules.resource, "teamsExtension", TENANT, object_id=USER)):
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


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_who_comes_for_the_first_time_waits_for_a_deletion_under_way(rules: Rules, place: Place) -> None:
    """The deletion raises the generations that it finds: that of a user who is noted only then would stay as it is."""
    await rules.assignments.put(rules.resource, "entra", ASSIGNED)
    async with locks_of(place.settings.database) as locks:
        async with locks.holder.transaction():
            await locks.holder.execute("select 1 from feed for update")
            deletion = asyncio.create_task(rules.assignments.delete(rules.resource, "entra", USER))
            assert await locks.until_waiting(1, deletion)
            exchange = asyncio.create_task(rules.exchanges.exchange(rules.resource, rules.brought, "entra"))
            assert await locks.until_waiting(2, deletion, exchange), "a token was issued that nothing ends"
        await deletion
        with pytest.raises(NotAllowed):
            await exchange


async def test_who_comes_for_the_first_time_when_the_resource_is_gone_is_refused(
    rules: Rules, database: Database
) -> None:
    await database.transact(lambda transaction: transaction.execute("delete from resources"))
    with pytest.raises(NotAuthenticated, match="The resource was deleted"):
        await rules.exchanges.exchange(rules.resource, rules.brought, "entra")


async def test_deleting_what_is_not_there_tells_nobody_anything(rules: Rules) -> None:
    await rules.generation()
    await rules.assignments.delete(rules.resource, "entra", USER)
    await rules.assignments.change(rules.resource, {COLLEAGUE: None})
    assert await rules.store.after(rules.resource.number, 0, 10) == (0, [])
