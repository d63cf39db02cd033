"""What the server's own doors know of a token: committed state, the strictest of all kinds, one resource at a time."""

import itertools
from datetime import timedelta

import pytest

from tests.revocations.conftest import A
from tests.support.tokens import claims
from watchword.errors import OperatorError
from watchword.resources.generations import raise_generation
from watchword.resources.store import Resource
from watchword.revocations.revocations import Revocations
from watchword.revocations.statements import EVERY_RESOURCE
from watchword.revocations.store import RevocationStore, record_now
from watchword.storage import Database, Transaction
from watchword.subjects.subjects import Subjects
from watchword.testing import MovableClock
from watchword.tokens.claims import Claims
from watchword.tokens.cutoffs import CutOffs

TOKEN = claims(resourceId=A)
KID = "the signing key"
Both = tuple[Resource, Resource]


async def cutoffs(database: Database, resource: int, token: Claims, kid: str) -> CutOffs:
    return (await Subjects(database).find(resource, token, kid)).cutoffs


async def test_nothing_is_known_of_a_token_that_nobody_revoked(
    database: Database, revocations: Revocations, resources: Both
) -> None:
    await revocations.revoke_token("f" * 32, resources[0].number)
    await revocations.revoke_access_key("another access key", resources[0].number)
    await revocations.revoke_signing_key("another signing key")
    assert await cutoffs(database, resources[0].number, TOKEN, KID) == CutOffs()


@pytest.mark.parametrize("kinds", [*itertools.permutations(("token", "accessKey", "signingKey", "resource"))])
async def test_kinds_add_up_in_whatever_order_they_were_recorded(
    database: Database, revocations: Revocations, resources: Both, kinds: tuple[str, ...]
) -> None:
    number = resources[0].number
    verbs = {
        "token": lambda: revocations.revoke_token(TOKEN.jti, number),
        "accessKey": lambda: revocations.revoke_access_key(TOKEN.accessKey or "", number),
        "signingKey": lambda: revocations.revoke_signing_key(KID),
        "resource": lambda: raise_generation(database, number, 0),
    }
    for kind in kinds:
        await verbs[kind]()
    assert await cutoffs(database, number, TOKEN, KID) == CutOffs(
        resource_generation=2, token_revoked=True, access_key_revoked=True, signing_key_revoked=True
    )


async def test_what_one_resource_records_never_kills_a_token_of_another(
    database: Database, revocations: Revocations, resources: Both
) -> None:
    ours, theirs = (resource.number for resource in resources)
    await revocations.revoke_token(TOKEN.jti, theirs)
    await revocations.revoke_access_key(TOKEN.accessKey or "", theirs)
    await raise_generation(database, theirs, 0)
    assert await cutoffs(database, ours, TOKEN, KID) == CutOffs()


async def test_whoever_names_anothers_token_first_does_not_hide_its_revocation(
    database: Database, revocations: Revocations, store: RevocationStore, resources: Both
) -> None:
    ours, theirs = (resource.number for resource in resources)
    await revocations.revoke_token(TOKEN.jti, theirs)
    await revocations.revoke_token(TOKEN.jti, ours)
    assert (await cutoffs(database, ours, TOKEN, KID)).token_revoked
    assert [row.subject for row in (await store.after(ours, 0, 10))[1]] == [TOKEN.jti]


async def test_a_token_that_no_access_key_asked_for_is_not_of_any(
    database: Database, revocations: Revocations, resources: Both
) -> None:
    await revocations.revoke_access_key("", resources[0].number)
    keyless = claims(resourceId=A, accessKey=None)
    assert await cutoffs(database, resources[0].number, keyless, KID) == CutOffs()


async def test_rows_are_purged_when_the_last_token_they_could_concern_is_dead(
    revocations: Revocations, store: RevocationStore, resources: Both, clock: MovableClock
) -> None:
    number = resources[0].number
    await revocations.revoke_token("1" * 32, number)
    await revocations.revoke_signing_key(KID)
    clock.move(timedelta(hours=24))
    await revocations.revoke_token("2" * 32, number)
    assert await store.purge(clock.micros()) == 0
    clock.move(timedelta(hours=1, seconds=1))
    assert await store.purge(clock.micros()) == 2
    assert sorted(row.subject for row in (await store.after(number, 0, 10))[1]) == sorted(["2" * 32, A])


async def test_revoking_again_keeps_the_row_for_longer_and_never_for_less(
    revocations: Revocations, store: RevocationStore, resources: Both, clock: MovableClock
) -> None:
    await revocations.revoke_token("1" * 32, resources[0].number)
    clock.move(timedelta(hours=10))
    await revocations.revoke_token("1" * 32, resources[0].number)
    clock.move(timedelta(hours=16))
    assert await store.purge(clock.micros()) == 0


async def test_a_revocation_within_a_transaction_stands_or_falls_with_it(
    database: Database, store: RevocationStore, revocations: Revocations, resources: Both
) -> None:
    async def fail(transaction: Transaction) -> None:
        await record_now(transaction, "signingKey", KID, resource=EVERY_RESOURCE, now_micros=1)
        raise OperatorError("It fails after that.", "Nothing.")

    before = await store.position()
    with pytest.raises(OperatorError):
        await database.transact(fail)
    assert await store.position() == before
    assert await cutoffs(database, resources[0].number, TOKEN, KID) == CutOffs()

    await database.transact(
        lambda transaction: record_now(transaction, "signingKey", KID, resource=EVERY_RESOURCE, now_micros=1)
    )
    assert (await cutoffs(database, resources[0].number, TOKEN, KID)).signing_key_revoked
    assert (await store.position())[1] == before[1] + 1
