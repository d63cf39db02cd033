"""Exports and imports in this process, by the same rules as the commands'; and a database that has something of all."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.chats import Chatting
from tests.support.data import add_resource, add_verifier, beside, first_resource, transact, with_keyring
from tests.support.engines import FreshSettings, Place
from tests.support.exchanges import ENTRA, put
from tests.support.provider import APPLICATION, TENANT, Provider
from tests.support.signed import PREVIEW, Signed, SignedClient
from watchword.clock import Clock
from watchword.entra.store import assign_management_role, assign_role
from watchword.identifiers import parse_identity, random_bytes
from watchword.identity.store import IdentityStore, identities_of_resource
from watchword.keyring import signing_keys
from watchword.keyring.encryption import open_encryption
from watchword.keyring.lifecycle import schedule
from watchword.resources.access_keys import regenerate_access_key
from watchword.resources.deletion import Deletions, begin_resource_deletion
from watchword.resources.generations import raise_every_generation, raise_generation
from watchword.resources.store import Resource
from watchword.storage import Transaction
from watchword.subjects.exchanged_users import users_of_resource
from watchword.testing import MovableClock, RunningServer, running_server
from watchword.transfer.export_file import ExportReader
from watchword.transfer.exports import Export, Report, write_export
from watchword.transfer.imports import Import, Importer

KEY = base64.b64encode(bytes(range(32))).decode()
CUSTOM_ID = "ada@example.org"
ROWS_IN_A_CHUNK = 5


def silent(doing: str, done: int, total: int) -> None:
    """Whoever does not look."""


def exported(place: Place, file: Path, clock: Clock | None = None, report: Report = silent) -> Export:
    """The content of a new file, in small chunks."""

    async def run() -> Export:
        encryption = open_encryption(place.settings, place.folder)
        database = await place.open()
        try:
            return await write_export(
                database,
                encryption,
                file,
                clock=clock or MovableClock(),
                report=report,
                engine="any",
                program="0.2.0",
                rows_in_a_chunk=ROWS_IN_A_CHUNK,
            )
        finally:
            await database.close()

    return asyncio.run(run())


def imported(
    place: Place, file: Path, clock: Clock | None = None, report: Report = silent, *, keep_tokens: bool = False
) -> Import:
    """What came of reading a file into a database, which is made where it is missing."""

    async def run() -> Import:
        place.folder.mkdir(exist_ok=True)
        database = await place.open()
        try:
            with file.open("rb") as opened:
                reader = ExportReader(file, opened, open_encryption(place.settings, place.folder))
                importer = Importer(
                    database, reader, clock or MovableClock(), report=report, end_tokens=raise_every_generation
                )
                return await importer.run(keep_tokens=keep_tokens)
        finally:
            await database.close()

    return asyncio.run(run())


@dataclass
class Source:
    """A database in which something of everything happened, and who had to do with it."""

    place: Place
    provider: Provider
    keys: tuple[bytes, bytes]
    verifier: str
    operator: str
    live: str
    revoked: str
    exchanged: str
    cursor: str
    identity: str

    @property
    def clock(self) -> MovableClock:
        return self.provider.clock


def fill(fresh_settings: FreshSettings, folder: Path, provider: Provider) -> Source:
    """Every table has rows; numbers were given out whose rows are gone; the server has stopped."""
    settings = fresh_settings(
        encryption_key=KEY, entra_issuers=(provider.address,), entra_tenants=(TENANT,), synchronous="OFF"
    )
    with running_server(settings, data=folder, clock=provider.clock) as server, SignedClient(server) as client:
        resource = first_resource(server)
        verifier = add_verifier(server, resource)
        _manage(server, resource)
        identities = [client.new_identity() for _ in range(12)]
        client.create({"customId": CUSTOM_ID}, PREVIEW)
        client.create({"customId": "Grüße, 世界"}, PREVIEW)
        live, revoked = client.new_token(identities[0]), client.new_token(identities[1])
        client.revoke(identities[1])
        client.call("POST", "/revoke", f"token_id={'ab' * 16}".encode())
        client.update(identities[2], {"tokensValidFrom": server.clock.now().isoformat()})
        client.delete(identities[3])
        put(client)
        exchanged = exchange(provider, client)
        cursor = client.call("GET", "/revocations").json["cursor"]
        place = Place(settings, folder)
        source = Source(
            place,
            provider,
            server.keys,
            verifier,
            server.operator_token,
            live,
            revoked,
            exchanged,
            cursor,
            identities[0],
        )
    asyncio.run(_chat(place, resource, provider.clock))
    return source


async def _chat(place: Place, resource: Resource, clock: MovableClock) -> None:
    """Threads with messages of every kind, one of them gone, and somebody who is leaving."""
    database = await place.open()
    try:
        chat = Chatting(database, resource, clock=clock)
        ada, ben, cy = await chat.users(3)
        thread = await chat.thread(ada, ben, cy, topic="Grüße", metadata={"k": "世界"}, retention_days=40)
        await chat.send(ada, thread, "<b>hi</b>", type="html", metadata={"a": "b"})
        gone = await chat.send(ben, thread, sender_name="Ben")
        await chat.rules.messages.delete(ben, thread, gone, now_micros=chat.now)
        await chat.rules.receipts.mark_read(ben, thread, gone, now_micros=chat.now)
        await chat.remove(ada, thread, cy)
        await chat.rules.threads.create(ada, topic="x", repeatability_id="again", now_micros=chat.now)
        await chat.rules.threads.delete(ada, await chat.thread(ada), chat.now)
        last = await chat.thread(ada)
        await database.transact(
            lambda each: each.execute(
                "delete from participants where thread = (select number from threads where id = $1)", last
            )
        )
        await database.transact(lambda each: each.execute("delete from threads where id = $1", last))
        for sql in _OF_TRUSTED_SERVER:
            await database.transact(partial(_run, sql=sql, resource=resource.number))
        leaving = parse_identity(f"8:{ben.subject}")
        assert leaving is not None
        await IdentityStore(database).delete(resource.number, leaving, clock.micros())
    finally:
        await database.close()


async def _run(transaction: Transaction, sql: str, resource: int) -> None:
    await transaction.execute(sql, resource)


_OF_TRUSTED_SERVER = (
    "insert into restrictions (resource, subject, thread, kind, since_millis) values ($1, 'acs:a_b', 0, 'ban', 1)",
    "insert into history_imports (resource, id, thread, begun_millis, moved_millis) values ($1, 'old', 1, 1, 1)",
)


def exchange(provider: Provider, client: SignedClient) -> str:
    """The access token of a user of the provider."""
    headers = {"Host": client.host, "Authorization": f"Bearer {provider.user_token()}"}
    reply = client.send(Signed("POST", f"{ENTRA}?api-version={PREVIEW}", headers, b""))
    assert reply.status == 200, reply
    token: str = reply.json["accessToken"]["token"]
    return token


def raise_resource(server: RunningServer, resource: Resource) -> None:
    """Revoke every token of the resource, once."""
    now = server.clock.micros()
    beside(server, lambda database: raise_generation(database, resource.number, now))


def _manage(server: RunningServer, resource: Resource) -> None:
    now = server.clock.micros()
    encryption = open_encryption(server.settings, server.data)
    other, gone = add_resource(server, "other"), add_resource(server, "gone")

    async def change(transaction: Transaction) -> None:
        await assign_role(transaction, resource, APPLICATION, role="contributor", now_micros=now)
        await assign_management_role(transaction, APPLICATION, "reader", now_micros=now)
        await regenerate_access_key(transaction, encryption, other.resource, slot="primary", now_micros=now)
        await begin_resource_deletion(transaction, gone.resource, now)

    transact(server, change)
    beside(
        server,
        lambda database: Deletions(database, [identities_of_resource(database), users_of_resource(database)]).finish(),
    )
    with_keyring(server, schedule(server.settings), signing_keys.rotate)


def sums(export: Export) -> dict[str, tuple[int, str]]:
    """The sums of every table but the clock, which an import sets."""
    found = {name: (each.rows, each.sha256.hex()) for name, each in export.end.sums.items()}
    del found["clock"]
    return found


def add_identities(place: Place, count: int) -> None:
    """So many more in the oldest resource, half of them with a custom id."""
    columns = (
        "resource",
        "flake",
        "generation",
        "valid_from_micros",
        "custom_id",
        "created_micros",
        "last_token_micros",
    )

    def row(number: int) -> tuple[object, ...]:
        flake = (count + number).to_bytes(8, "big") + random_bytes(8)
        named = f"user-{random_bytes(6).hex()}@example.org" if number % 2 else None
        return 1, flake, 1 + number % 3, 0, named, number, number if number % 5 else None

    async def run() -> None:
        database = await place.open()
        for start in range(0, count, 10_000):
            rows = [row(number) for number in range(start, min(start + 10_000, count))]

            async def load(transaction: Transaction, rows: list[tuple[object, ...]] = rows) -> None:
                await transaction.load("identities", columns, rows)

            await database.transact(load)
        await database.close()

    asyncio.run(run())


@contextmanager
def serving(place: Place, clock: MovableClock) -> Iterator[tuple[RunningServer, SignedClient]]:
    """A server on the database, and a client with its oldest resource's key."""
    with running_server(place.settings, data=place.folder, clock=clock) as server, SignedClient(server) as client:
        yield server, client
