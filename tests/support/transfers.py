"""Exports and imports in this process, by the same rules as the commands'; and a database that has something of all."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.data import add_resource, add_verifier, beside, first_resource, transact, with_keyring
from tests.support.engines import FreshSettings, Place
from tests.support.exchanges import ENTRA, put
from tests.support.provider import APPLICATION, TENANT, Provider
from tests.support.signed import PREVIEW, Signed, SignedClient
from watchword.app import open_encryption, schedule
from watchword.clock import Clock
from watchword.entra.store import assign_management_role, assign_role
from watchword.identity.store import IdentityStore
from watchword.resources.access_keys import regenerate_access_key
from watchword.resources.deletion import Deletions, begin_resource_deletion
from watchword.resources.store import Resource
from watchword.storage import Database, Transaction
from watchword.testing import MovableClock, RunningServer, running_server
from watchword.transfer.export_file import ExportReader
from watchword.transfer.exports import Export, Report, write_export
from watchword.transfer.imports import Import, Importer
from watchword.verification import signing_keys

KEY = base64.b64encode(bytes(range(32))).decode()
CUSTOM_ID = "ada@example.org"
ROWS_IN_A_CHUNK = 5


def silent(doing: str, done: int, total: int) -> None:
    """Whoever does not look."""


async def export_from(
    database: Database, place: Place, file: Path, clock: Clock, rows: int = ROWS_IN_A_CHUNK
) -> Export:
    encryption = open_encryption(place.settings, place.folder)
    return await write_export(
        database, encryption, file, clock, silent, engine="any", program="0.2.0", rows_in_a_chunk=rows
    )


async def import_into(
    database: Database, place: Place, file: Path, clock: Clock, report: Report = silent, *, keep_tokens: bool = False
) -> Import:
    with file.open("rb") as opened:
        reader = ExportReader(file, opened, open_encryption(place.settings, place.folder))
        return await Importer(database, reader, clock, report).run(keep_tokens=keep_tokens)


def exported(place: Place, file: Path, clock: Clock | None = None) -> Export:
    """The file's content, of a database that nobody need have open."""

    async def run() -> Export:
        database = await place.open()
        try:
            return await export_from(database, place, file, clock or MovableClock())
        finally:
            await database.close()

    return asyncio.run(run())


def imported(
    place: Place, file: Path, clock: Clock | None = None, report: Report = silent, *, keep_tokens: bool = False
) -> Import:
    async def run() -> Import:
        place.folder.mkdir(exist_ok=True)
        database = await place.open()
        try:
            return await import_into(database, place, file, clock or MovableClock(), report, keep_tokens=keep_tokens)
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
    clock: MovableClock = field(default_factory=MovableClock)


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
        return Source(
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
            provider.clock,
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
    from watchword.revocations.store import RevocationStore

    now = server.clock.micros()
    beside(server, lambda database: RevocationStore(database).raise_resource(resource.number, now))


def _manage(server: RunningServer, resource: Resource) -> None:
    now = server.clock.micros()
    encryption = open_encryption(server.settings, server.data)
    other, gone = add_resource(server, "other"), add_resource(server, "gone")

    async def change(transaction: Transaction) -> None:
        await assign_role(transaction, resource, APPLICATION, "contributor", now)
        await assign_management_role(transaction, APPLICATION, "reader", now)
        await regenerate_access_key(transaction, encryption, other.resource, "primary", now)
        await begin_resource_deletion(transaction, gone.resource, now)

    transact(server, change)
    beside(server, lambda database: Deletions(database, [IdentityStore(database).purge]).finish())
    with_keyring(server, schedule(server.settings), signing_keys.rotate)


def sums(export: Export) -> dict[str, tuple[int, str]]:
    """Of every table but the clock, which an import sets."""
    found = {name: (each.rows, each.sha256.hex()) for name, each in export.end.sums.items()}
    del found["clock"]
    return found
