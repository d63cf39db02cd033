"""What each hot statement is asked by many calls of one batch that name the same row, and what is the right answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from watchword.clock import SystemClock
from watchword.entra import store as entra
from watchword.identifiers import new_guid, random_bytes
from watchword.identity import statements as identity
from watchword.keyring import store as keyring
from watchword.keyring.encryption import Encryption
from watchword.resources import operators, verifier_credentials
from watchword.resources import statements as generations
from watchword.resources import store as resources
from watchword.resources.access_keys import create_resource
from watchword.resources.store import Resource
from watchword.revocations import statements as revocations
from watchword.storage import Database, Row, Statement, Transaction
from watchword.subjects import statements as subjects
from watchword.transfer import store as transfer

Answers = list[list[Row]]

FAR = 10**13
"""In microseconds, until when revocations are kept: beyond the least that the database itself asks for."""


@dataclass(frozen=True)
class Batch:
    """So many calls that come at once, and what they find: a resource of their own, and an identity in it."""

    database: Database
    statement: Statement
    count: int
    resource: Resource
    flake: bytes

    @property
    def key(self) -> dict[str, Any]:
        return {"resource": self.resource.number, "flake": self.flake}

    @property
    def revoking(self) -> dict[str, Any]:
        return self.key | {"subject": f"acs:{self.flake.hex()}", "kept_until": FAR}

    async def read(self, **parameters: Any) -> Answers:
        """Also as if it wrote, for of reads that are alike only one is sent."""
        asked = [self.database.read(self.statement, parameters) for _ in range(self.count)]
        found = await asyncio.gather(*asked)
        assert await self.write(**parameters) == found
        return found

    async def write(self, **parameters: Any) -> Answers:
        return await self.write_each([parameters] * self.count)

    async def write_each(self, parameters: Sequence[dict[str, Any]]) -> Answers:
        return await asyncio.gather(*(self.database.write(self.statement, each) for each in parameters))

    async def look(self, sql: str) -> list[Row]:
        """`$1` is the number of the resource."""
        return await self.database.query(sql, self.resource.number)

    async def recorded(self, columns: str) -> list[Row]:
        return await self.look(f"select {columns} from revocations where resource = $1")


Case = Callable[[Batch], Awaitable[object]]
CASES: dict[Statement, Case] = {}


def of(*statements: Statement) -> Callable[[Case], Case]:
    """A case sends the batch, and is true when everybody is answered rightly; or it fails by itself."""

    def add(case: Case) -> Case:
        CASES.update(dict.fromkeys(statements, case))
        return case

    return add


@of(identity.FIND)
async def found(batch: Batch) -> object:
    return await batch.read(**batch.key) == [[(batch.flake, 1, 0, "somebody", 0, None)]] * batch.count


@of(subjects.IDENTITYS_TOKEN, subjects.UNMODERATED_IDENTITYS_TOKEN)
async def stands(batch: Batch) -> object:
    answers = await batch.read(owner=batch.resource.number, flake=batch.flake, **await _revoked_token(batch))
    return [sorted(each) for each in answers] == [[("subject", 1, 0, 0), ("token", 0, 0, 0)]] * batch.count


@of(subjects.EXCHANGED_USERS_TOKEN, subjects.UNMODERATED_EXCHANGED_USERS_TOKEN)
async def user_of_another_provider_stands(batch: Batch) -> object:
    insert = "insert into exchanged_users (resource, subject) values ($1, 'somebody')"
    await batch.database.transact(lambda transaction: transaction.execute(insert, batch.resource.number))
    asked = await _revoked_token(batch) | {"identity": "somebody"}
    answers = await batch.read(owner=batch.resource.number, **asked)
    return [sorted(each) for each in answers] == [[("subject", 1, 0, 0), ("token", 0, 0, 0)]] * batch.count


async def _revoked_token(batch: Batch) -> dict[str, str]:
    kept = {"resource": batch.resource.number, "kept_until": 1}
    await batch.database.write(revocations.RECORD["token"], kept | {"subject": "a token"})
    return {"token": "a token", "identity": "", "resource": "", "accessKey": "", "signingKey": ""}


@of(identity.INSERT)
async def inserted_once(batch: Batch) -> object:
    answers = await batch.write(**batch.key | {"flake": random_bytes(16), "created": 5, "issued": None})
    return answers == [[(1,)]] * batch.count and await batch.look(_COUNT) == [(2,)]


@of(identity.INSERT_NAMED)
async def all_are_given_whoever_got_the_custom_id(batch: Batch) -> object:
    flakes = [random_bytes(16) for _ in range(batch.count)]
    asked = [{**batch.key, "flake": flake, "custom_id": "fresh", "created": 5, "issued": None} for flake in flakes]
    # One of them twice, as if it had been sent again.
    answers = await batch.write_each([*asked, asked[-1]])
    first = answers[0][0]
    assert answers == [[first]] * (batch.count + 1), answers
    assert first[0] in flakes
    assert first[1:] == (1, 0, "fresh", 5, None)
    known = await batch.write(
        **batch.key | {"flake": random_bytes(16), "custom_id": "somebody", "created": 6, "issued": None}
    )
    assert known == [[(batch.flake, 1, 0, "somebody", 0, None)]] * batch.count, known
    return await batch.look(_COUNT) == [(2,)]


@of(identity.NOTE)
async def the_newest_is_noted(batch: Batch) -> object:
    await batch.write_each([batch.key | {"issued": 100 + number} for number in range(batch.count)])
    return await batch.look("select last_token_micros from identities where resource = $1") == [(99 + batch.count,)]


@of(identity.REVOKE)
async def all_have_revoked(batch: Batch) -> object:
    assert all(await batch.write(**batch.revoking))
    [(generation,)] = await batch.look("select generation from identities where resource = $1")
    return generation > 1 and await batch.recorded("generation, deleted") == [(generation, 0)]


@of(identity.CUT_OFF)
async def all_have_cut_off_and_the_latest_counts(batch: Batch) -> object:
    assert all(await batch.write_each([batch.revoking | {"valid_from": number} for number in range(batch.count)]))
    latest = batch.count - 1
    assert await batch.look("select valid_from_micros from identities where resource = $1") == [(latest,)]
    return await batch.recorded("valid_from_micros, deleted") == [(latest, 0)]


@of(identity.DELETE)
async def one_has_deleted_and_to_the_others_it_was_gone(batch: Batch) -> object:
    answers = await batch.write(**batch.revoking)
    assert sum(map(bool, answers)) == 1, answers
    assert await batch.look("select (select count(*) from custom_ids where resource = $1)") == [(0,)]
    return await batch.look(_COUNT) == [(0,)] and await batch.recorded("deleted") == [(1,)]


@of(identity.PURGE)
async def each_takes_others(batch: Batch) -> object:
    async def more(transaction: Transaction) -> None:
        for number in range(4):
            await transaction.execute(_IDENTITY, batch.resource.number, random_bytes(16), f"number {number}")
            if await transaction.has_table("custom_ids"):
                await transaction.execute(_CUSTOM_ID, batch.resource.number, batch.flake, f"number {number}")

    await batch.database.transact(more)
    answers = await batch.write(resource=batch.resource.number, most=2)
    assert sorted(map(len, answers)) == sorted([2, 2, 1, *[0] * 38][: batch.count]), answers
    return await batch.look(_COUNT) == [(max(0, 5 - 2 * batch.count),)]


@of(*revocations.RECORD.values())
async def recorded_once_for_as_long_as_the_longest(batch: Batch) -> object:
    asked = {"subject": "some", "resource": batch.resource.number}
    for first in (FAR, FAR + 100):
        assert all(await batch.write_each([asked | {"kept_until": first + each} for each in range(batch.count)]))
        assert await batch.recorded("expires_micros") == [(first + batch.count - 1,)]
    return await batch.recorded("cursor <= (select cursor from feed)") == [(True,)]


@of(generations.RAISE)
async def all_have_revoked_the_resource(batch: Batch) -> object:
    answers = await batch.write(resource=batch.resource.number, kept_until=FAR)
    [(generation,)] = await batch.look("select generation from resources where number = $1")
    assert all(1 < given <= generation for [(given,)] in answers), answers
    return await batch.recorded("generation") == [(generation,)]


@of(revocations.PURGE)
async def each_purges_one_of_its_own(batch: Batch) -> object:
    insert = "insert into revocations (kind, resource, subject, cursor, expires_micros) values ('token', $1, $2, 1, 1)"
    rows = [(batch.resource.number, str(each)) for each in range(batch.count)]
    await batch.database.transact(lambda transaction: transaction.execute_many(insert, rows))
    [(until,)] = await batch.look("select max(expires_micros) from revocations where resource = $1")
    expired = f"select count(*) from revocations where expires_micros < {until + 1}"
    [(before,)] = await batch.database.query(expired)
    answers = await batch.write(now=until + 1, most=1)
    return answers == [[(1,)]] * batch.count and await batch.database.query(expired) == [(before - batch.count,)]


@of(keyring._KEYS)
async def signing_keys(batch: Batch) -> object:
    row = keyring.SigningKeyRow(new_guid(), "ES256", b"", 1, 1)
    await batch.database.transact(lambda transaction: keyring.insert_key(transaction, row))
    return all((row.kid, "ES256", b"", 1, 1, None, None) in answer for answer in await batch.read(most=1_000))


@of(resources.KEYS)
async def access_keys(batch: Batch) -> object:
    numbers = [[row[0] for row in answer] for answer in await batch.read(most=1_000)]
    return all(each.count(batch.resource.number) == 2 for each in numbers)


@of(resources.RESOURCE)
async def a_resource_by_its_guid(batch: Batch) -> object:
    answers = await batch.read(id=batch.resource.id)
    return [[row[0] for row in answer] for answer in answers] == [[batch.resource.number]] * batch.count


@of(resources.KEYS_OF)
async def access_keys_of_one(batch: Batch) -> object:
    answers = await batch.read(name=batch.resource.name)
    return [[row[0] for row in answer] for answer in answers] == [[batch.resource.number] * 2] * batch.count


@of(operators._FIND)
async def operator(batch: Batch) -> object:
    given = await batch.database.transact(
        lambda transaction: operators.create_operator(transaction, batch.resource.name, "reader", now_micros=1)
    )
    answers = await batch.read(id=given.id)
    return [[row[1] for row in answer] for answer in answers] == [[given.id]] * batch.count


@of(verifier_credentials._FIND)
async def verifier(batch: Batch) -> object:
    await batch.database.transact(
        lambda transaction: verifier_credentials.create_verifier_credential(transaction, batch.resource, 1)
    )
    [(id,)] = await batch.look("select id from verifier_credentials where resource = $1")
    answers = await batch.read(id=id)
    return all(len(answer) == 1 for answer in answers) and answers == [answers[0]] * batch.count


@of(entra._WITH_ROLE)
async def resources_with_a_role(batch: Batch) -> object:
    someone = new_guid()
    await batch.database.transact(
        lambda transaction: entra.assign_role(transaction, batch.resource, someone, role="contributor", now_micros=1)
    )
    answers = await batch.read(object=someone, application=someone)
    return [[row[0] for row in answer] for answer in answers] == [[batch.resource.number]] * batch.count


@of(transfer._SCHEMA_VERSION)
async def version(batch: Batch) -> object:
    return await batch.read(row=1) == [[(batch.database.schema.version,)]] * batch.count


@of(transfer._LAST_NUMBER)
async def last_number(batch: Batch) -> object:
    return await batch.read(name="resources") == [[(batch.resource.number,)]] * batch.count


@of(transfer._SET_LAST_NUMBER)
async def set_last_number(batch: Batch) -> object:
    highest = batch.resource.number + 100
    await batch.write(name="resources", number=highest)
    return (await transfer.last_numbers(batch.database))["resources"] == highest


_COUNT = "select count(*) from identities where resource = $1"
_IDENTITY = "insert into identities (resource, flake, generation, custom_id, created_micros) values ($1, $2, 1, $3, 0)"
_CUSTOM_ID = "insert into custom_ids (resource, flake, custom_id) values ($1, $2, $3)"


async def batch_of(database: Database, statement: Statement, count: int) -> Batch:
    flake = random_bytes(16)

    async def prepare(transaction: Transaction) -> Resource:
        name = f"r{flake.hex()}"
        encryption, now = Encryption(bytes(32)), SystemClock().micros()
        made = await create_resource(transaction, encryption, now, name=name, location="europe")
        await transaction.execute(_IDENTITY, made.number, flake, "somebody")
        if await transaction.has_table("custom_ids"):
            await transaction.execute(_CUSTOM_ID, made.number, flake, "somebody")
        return made

    return Batch(database, statement, count, await database.transact(prepare), flake)
