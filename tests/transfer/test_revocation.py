"""What was revoked stays so, whatever is restored; and what an import leaves as it was."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.management.support import GROUPS
from tests.support.data import add_resource, first_resource
from tests.support.engines import Place
from tests.support.signed import Signed, SignedClient
from tests.support.standing import is_live, why_dead
from tests.support.transfers import (
    CUSTOM_ID,
    Source,
    exchange,
    imported,
    raise_resource,
    serving,
)
from watchword.client import TokenVerifier, VerifierCredential
from watchword.errors import InvalidToken
from watchword.resources.generations import raise_every_generation
from watchword.resources.store import insert_resource
from watchword.revocations.store import record_now
from watchword.storage import Database, Transaction
from watchword.storage.clock_marks import lower_high_water
from watchword.testing import MovableClock, RunningServer


@dataclass
class Since:
    """Tokens from after the export: of generations that it knows nothing of, one revoked, one of a new identity."""

    newest: str
    exchanged: str
    revoked: str
    unknown: str

    def __iter__(self) -> Any:
        return iter((self.newest, self.exchanged, self.revoked, self.unknown))


@pytest.fixture(scope="module")
def since(source: Source, export_file: Path) -> Since:
    """The source goes on after the export: its first resource is revoked twice, and what was live by then is dead."""
    assert export_file.exists()
    with serving(source.place, source.clock) as (server, client):
        resource = first_resource(server)
        assert is_live(client, source.live)
        raise_resource(server, resource)
        raise_resource(server, resource)
        assert not is_live(client, source.live)
        revoked = client.new_token(source.identity)
        client.revoke(source.identity)
        found = Since(
            client.new_token(source.identity),
            exchange(source.provider, client),
            revoked,
            client.new_token(client.new_identity()),
        )
        assert [is_live(client, token) for token in found] == [True, True, False, True]
        return found


def issued_micros(token: str) -> int:
    claims = json.loads(base64.b64decode(token.split(".")[1] + "=="))
    return int(claims["iatMicros"])


def refused(server: RunningServer, credential: str, token: str) -> str:
    """The check at which a verifier elsewhere refuses it, or nothing."""
    with TokenVerifier(server.endpoint, VerifierCredential(credential), clock=server.clock) as verifier:
        try:
            verifier.verify(token)
        except InvalidToken as error:
            return error.check
        return ""


def introspected(client: SignedClient, credential: str, token: str) -> bool:
    headers = {"Host": client.host, "Authorization": f"Bearer {credential}"}
    reply = client.send(Signed("POST", "/introspect", headers, f"token={token}".encode()))
    assert reply.status == 200, reply
    active: bool = reply.json["active"]
    return active


def test_no_token_of_before_is_accepted_at_any_door_after_a_restore(
    source: Source, export_file: Path, since: Since, other_engine: Place
) -> None:
    done = imported(other_engine, export_file, source.clock)
    assert done.revoked == done.end.sums["resources"].rows > 1
    with serving(other_engine, source.clock) as (server, client):
        before = (source.live, source.revoked, source.exchanged, *since)
        for token in before:
            assert "revoked" in (why_dead(client, token) or "it lives")
            assert not introspected(client, source.verifier, token)
            assert refused(server, source.verifier, token) == "revoked"
        # The feed of before is another history: its followers begin anew, and are told of the resource.
        page = client.call("GET", f"/revocations?since={source.cursor}").json
        [resource] = [each for each in page["revocations"] if each["kind"] == "resource"]
        assert page["snapshot"] is True
        assert (resource["id"], resource["generation"]) == (page["resource"], done.finished_micros)
        # What is issued from now on lives, of identities and of users alike.
        for token in (client.new_token(source.identity), exchange(source.provider, client)):
            assert is_live(client, token)
            assert refused(server, source.verifier, token) == ""


def test_tokens_that_are_kept_live_on_and_those_revoked_before_the_export_do_not(
    source: Source, export_file: Path, other_engine: Place
) -> None:
    imported(other_engine, export_file, source.clock, keep_tokens=True)
    with serving(other_engine, source.clock) as (server, client):
        for token in (source.live, source.exchanged):
            assert is_live(client, token)
            assert refused(server, source.verifier, token) == ""
        assert not is_live(client, source.revoked)
        assert refused(server, source.verifier, source.revoked) == "revoked"
        page = client.call("GET", f"/revocations?since={source.cursor}").json
        assert page["snapshot"] is True
        assert page["cursor"].partition(".")[0] != source.cursor.partition(".")[0]


def test_callers_of_before_are_let_in_and_see_what_they_had(
    source: Source, export_file: Path, other_engine: Place
) -> None:
    done = imported(other_engine, export_file, source.clock)
    with serving(other_engine, source.clock) as (server, client):
        assert server.keys == source.keys
        assert server.operator_token == "", "no first operator was made"
        for key in source.keys:
            assert client.call("GET", "/identities", key=key).status == 200
        assert source.identity in client.listed()
        assert len(client.listed(f"?customId={CUSTOM_ID}")) == 1
        headers = {"Host": client.host, "Authorization": f"Bearer {source.operator}"}
        assert client.send(Signed("GET", f"{GROUPS}?api-version=2021-04-01", headers, b"")).status == 200
        # No number is given out again, though its resource be gone.
        assert add_resource(server, "next").resource.number == done.end.numbers["resources"] + 1
        # Whoever has the custom id is found by it, and nobody else gets it.
        same = client.create({"customId": CUSTOM_ID}, "2025-03-02-preview").json["identity"]["id"]
        assert [same] == client.listed(f"?customId={CUSTOM_ID}")


def test_a_clock_that_is_behind_brings_no_token_back_and_repeats_no_issue_time(
    source: Source, export_file: Path, other_engine: Place
) -> None:
    behind = MovableClock()
    behind.move(-timedelta(days=1))
    done = imported(other_engine, export_file, behind)
    assert done.finished_micros > behind.micros() + 3_600_000_000
    with serving(other_engine, behind) as (_, client):
        if not other_engine.is_postgres:
            # Nobody tells it that the time is right after all; what it read in is a day ahead.
            assert client.issue(source.identity).status == 503
            assert not is_live(client, source.live)
    if not other_engine.is_postgres:
        lower(other_engine, behind)
    with serving(other_engine, behind) as (_, client):
        token = client.new_token(source.identity)
        assert is_live(client, token)
        assert (issued_micros(token) > done.finished_micros) == other_engine.is_postgres
        assert not is_live(client, source.live)


def lower(place: Place, clock: MovableClock) -> None:
    """What `watchword clock lower` does."""

    async def run() -> None:
        database = await place.open()
        await database.transact(lambda transaction: lower_high_water(transaction, clock.micros()))
        await database.close()

    asyncio.run(run())


async def test_every_resource_is_raised_to_the_time_or_by_one_and_told_under_a_number_of_its_own(
    database: Database,
) -> None:
    async def change(transaction: Transaction) -> None:
        for number, generation in enumerate((1, 999, 1_000, 5_000), 1):
            await insert_resource(transaction, f"id-{number}", f"name-{number}", location="europe", created_micros=0)
            await transaction.execute("update resources set generation = $1 where number = $2", generation, number)
        await record_now(transaction, "resource", "id-2", resource=2, now_micros=0, deleted=True)
        assert await raise_every_generation(transaction, 1_000) == 4

    await database.transact(change)
    assert await database.query("select generation from resources order by number") == [
        (1_000,),
        (1_000,),
        (1_001,),
        (5_001,),
    ]
    told = await database.query(
        "select subject, resource, generation, deleted, cursor from revocations order by cursor"
    )
    assert told == [
        ("id-1", 1, 1_000, 0, 2),
        ("id-2", 2, 1_000, 1, 3),
        ("id-3", 3, 1_001, 0, 4),
        ("id-4", 4, 5_001, 0, 5),
    ]
    assert await database.query("select cursor from feed") == [(5,)]
