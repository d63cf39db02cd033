"""Composition: settings, storage, rules, operations, ASGI; in the order in which a request meets them, from below.

Nothing registers itself by being imported: what answers at which path is the list in `_bindings`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path as FilePath
from typing import Any

from watchword.clock import Clock, MonotoneClock, SystemClock
from watchword.entra.authenticator import EntraAuthenticator, EntraManagers
from watchword.entra.exchanges import Exchanges
from watchword.entra.issuers import Issuer, Issuers
from watchword.entra.opening import open_local_issuer, open_remote_issuers
from watchword.entra.operations import EntraOperations
from watchword.errors import OperatorError
from watchword.files import sync_folder
from watchword.identifiers import FlakeMinter
from watchword.identity import store as identity_store
from watchword.identity.access_tokens import AccessTokens, LastTokens
from watchword.identity.identities import Identities
from watchword.identity.operations import IdentityOperations
from watchword.identity.store import IdentityStore
from watchword.keyring.encryption import Encryption, load_or_create_key_file, parse_key
from watchword.keyring.key_check import require_fitting_key
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import Schedule
from watchword.management.operations import GroupOperations
from watchword.management.resource_operations import ResourceOperations
from watchword.measurements import DatabaseTrips, Measurements
from watchword.resources.access_keys import AccessKeys, create_resource
from watchword.resources.bearer_secrets import BearerSecret
from watchword.resources.deletion import Deletions
from watchword.resources.operators import create_operator
from watchword.rest.application import Http, http_application
from watchword.rest.authentication import AccessKeyAuthenticator
from watchword.rest.call import Authenticator
from watchword.rest.cors import Cors
from watchword.rest.forwarded import Origins
from watchword.rest.health import Health
from watchword.rest.management_authentication import ManagerAuthenticator, Managers
from watchword.rest.metrics import Metrics
from watchword.rest.openapi import OpenApi
from watchword.rest.operator_authentication import OperatorAuthenticator
from watchword.rest.operator_listener import apart
from watchword.rest.pipeline import Pipeline
from watchword.rest.request_log import RequestLog
from watchword.rest.resource_hosts import ResourceHosts
from watchword.rest.routes import AnyBinding, paths
from watchword.rest.traffic import Traffic
from watchword.rest.verifier_authentication import VerifierAuthenticator
from watchword.rest.worker import Worker
from watchword.revocations.feed import Feed
from watchword.revocations.revocations import Revocations
from watchword.revocations.store import RevocationStore
from watchword.revocations.users import ExchangedUsers
from watchword.settings import Settings
from watchword.storage import Database, Transaction
from watchword.storage.sqlite import SqliteDatabase
from watchword.verification.operations import VerificationOperations
from watchword.wire.management import canonical_path

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DATABASE_FILE = "watchword.sqlite"
KEY_FILE = "encryption.key"


@dataclass(frozen=True, slots=True)
class FirstResource:
    """The resource that a new data folder is given, and its operator; guid, keys and token are drawn where None."""

    name: str
    location: str
    id: str | None = None
    keys: tuple[bytes, bytes] | None = None
    operator: BearerSecret | None = None


class Watchword:
    """A running service: an ASGI application with what it stands on."""

    def __init__(
        self,
        http: Any,
        database: Database,
        encryption: Encryption,
        feed: Feed,
        metrics: Metrics,
        background: Sequence[Coroutine[Any, Any, None]],
        first_operator: BearerSecret | None,
    ) -> None:
        self._http = http
        self.database = database
        self.encryption = encryption
        self.first_operator = first_operator
        """The token that this very start has made, to be shown once."""
        self.metrics = metrics
        self._feed = feed
        self._background = [asyncio.create_task(each) for each in background]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("//"):
            # Observed: JavaScript doubles the first slash when its endpoint ends in one, identity.md section 2.4.
            scope["path"] = "/" + scope["path"].lstrip("/")
        if scope["type"] == "http" and b"%2f" in scope["raw_path"].lower():
            # An escaped slash is part of a segment (RFC 3986, section 2.2) and never parts two.
            scope["path"] = scope["raw_path"].decode("ascii")
        if scope["type"] == "http" and scope["path"][1:5].lower() in ("subs", "prov"):
            scope["path"] = canonical_path(scope["path"])
        await self._http(scope, receive, send)

    def stop_waiting(self) -> None:
        """Whoever waits for news is answered now, so that a stop need not wait for them."""
        self._feed.close()

    async def close(self) -> None:
        """What is still to be written is written; the application must have stopped answering before."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self.metrics.snapshots.close()
        await self.database.close()


async def open_watchword(
    settings: Settings,
    data: FilePath,
    first: FirstResource,
    clock: Clock | None = None,
    endpoint: str | None = None,
    operator_port: int | None = None,
    worker: Worker | None = None,
) -> Watchword:
    """The service over a data folder, which is made where it is missing.

    `endpoint` is where clients reach it, and `operator_port` where operators do, if they have a port of their own;
    `worker` says which of several processes this is.

    Raises:
        OperatorError: the folder, the database or its encryption key is not usable; says what to do.
    """
    clock = clock or SystemClock()

    # Storage.
    data.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240 - once, before anybody is served.
    encryption = open_encryption(settings, data)
    measured = Measurements()
    database = await open_database(settings, data, measured.database)
    try:
        first_operator = await database.transact(
            lambda transaction: _first_start(transaction, encryption, clock, first)
        )
    except BaseException:
        await database.close()
        raise
    newest_flake, high_water = await identity_store.newest_marks(database)

    # Rules.
    issue_clock = MonotoneClock(clock, high_water)
    keyring = Keyring(
        database, encryption, issue_clock, settings.signing_algorithm, schedule(settings), measured.signatures
    )
    await keyring.prepare()
    revocation_store = RevocationStore(database)
    feed = Feed(revocation_store, measured.feed_answers)
    revocations = Revocations(revocation_store, feed, issue_clock)
    store = IdentityStore(database)
    identities = Identities(store, feed, FlakeMinter(clock, newest_flake), clock, issue_clock)
    last_tokens = LastTokens(store, issue_clock)
    access_tokens = AccessTokens(keyring, last_tokens, clock, issue_clock)
    users = ExchangedUsers(database, feed, issue_clock)
    remote_issuers = open_remote_issuers(settings, clock)
    local_issuer = await open_local_issuer(database, clock, endpoint if settings.entra else None)
    all_issuers: list[Issuer] = [*remote_issuers, *filter(None, [local_issuer])]
    issuers = Issuers(all_issuers, settings.entra_tenants or (local_issuer.tenants if local_issuer else ()), clock)
    exchanges = Exchanges(database, users, keyring, clock, issue_clock)

    deletions = Deletions(database, [store.purge, users.purge])
    hosts = ResourceHosts(settings.resource_suffix)

    # Operations.
    own_endpoint = None if operator_port is None else settings.public_endpoint or endpoint
    traffic = Traffic(measured)
    metrics = Metrics(measured, traffic, keyring, revocation_store, feed, worker)
    health = Health(database).bindings()
    for_clients: list[AnyBinding] = [
        *IdentityOperations(identities, access_tokens, users).bindings(),
        *EntraOperations(database, issuers, exchanges).bindings(),
        *VerificationOperations(database, keyring, revocations, feed, clock).bindings(),
    ]
    for_operators: list[AnyBinding] = [
        *GroupOperations(database, deletions, feed, clock).bindings(),
        *ResourceOperations(database, encryption, deletions, feed, clock, hosts, own_endpoint).bindings(),
        *metrics.bindings(is_guarded=operator_port is None),
    ]

    # HTTP.
    origins = Origins(settings.public_endpoint, settings.trusted_proxies)
    authenticators: list[Authenticator] = [
        AccessKeyAuthenticator(AccessKeys(database, encryption), clock, origins.public_host, hosts),
        VerifierAuthenticator(database, hosts),
    ]
    managers: list[ManagerAuthenticator] = [OperatorAuthenticator(database)]
    if all_issuers:
        # The last, because they take every bearer token that is left.
        authenticators.append(EntraAuthenticator(issuers, database, exchanges, hosts))
        managers.append(EntraManagers(issuers, database))
    request_log = RequestLog(clock)

    def http_of(bindings: list[AnyBinding], origins: Origins) -> Http:
        hsts = settings.hsts or None
        pipeline = Pipeline(authenticators, origins, request_log, hsts, Managers(managers), traffic)
        return http_application(pipeline, paths([*bindings, *OpenApi(bindings).bindings()]))

    background = (
        last_tokens.keep_flushing(),
        keyring.keep_rotating(),
        revocations.keep_purging(),
        *(issuer.follow() for issuer in remote_issuers),
        deletions.keep_finishing(),
        metrics.snapshots.keep_writing(),
    )
    here = [] if operator_port is not None else for_operators
    http: Any = http_of([*for_clients, *here, *health], origins)
    if settings.cors_origins:
        http = Cors(http, settings.cors_origins)
    if local_issuer is not None:
        http = local_issuer.beside(http)
    if operator_port is not None:
        # The public endpoint is not theirs: they come back to where they came.
        operator_http = http_of([*for_operators, *health], Origins(None, settings.trusted_proxies))
        http = apart(http, operator_http, operator_port)
    return Watchword(http, database, encryption, feed, metrics, background, first_operator)


async def open_database(settings: Settings, data: FilePath, trips: DatabaseTrips | None = None) -> Database:
    """The engine by setting, with its schema in place; `trips` counts what it does.

    Raises:
        OperatorError: the database is not usable.
    """
    if not settings.database:
        database = SqliteDatabase(data / DATABASE_FILE, synchronous=settings.synchronous, trips=trips)
        sync_folder(data)
        return database
    try:
        from watchword.storage.postgres import open_postgres
    except ImportError:
        raise OperatorError(
            "PostgreSQL needs a driver that is not installed.", "Install it with: pip install 'watchword[postgres]'"
        ) from None
    return await open_postgres(
        settings.database,
        pool=settings.database_pool,
        batch=settings.database_batch,
        statement_cache=settings.database_statement_cache,
        patience=timedelta(seconds=settings.database_timeout),
        trips=trips,
    )


def schedule(settings: Settings) -> Schedule:
    """When signing keys change."""
    every = timedelta(seconds=settings.key_lifetime) if settings.key_lifetime else None
    return Schedule(every, timedelta(seconds=settings.key_publish_ahead))


def open_encryption(settings: Settings, data: FilePath) -> Encryption:
    """The key by setting, else the key file's, which is made where it is missing.

    Raises:
        OperatorError: the key is not usable.
    """
    if settings.encryption_key:
        return Encryption(parse_key(settings.encryption_key))
    return Encryption(load_or_create_key_file(settings.encryption_key_file or data / KEY_FILE))


async def _first_start(
    transaction: Transaction, encryption: Encryption, clock: Clock, first: FirstResource
) -> BearerSecret | None:
    """The token of the first operator, where this is the first start of all."""
    await require_fitting_key(transaction, encryption)
    # Who deleted every resource did so on purpose: the feed remembers that there was one.
    [(there,)] = await transaction.execute("select (select count(*) from resources) + (select cursor from feed)")
    if there:
        return None
    await create_resource(
        transaction, encryption, clock, name=first.name, location=first.location, id=first.id, keys=first.keys
    )
    return await create_operator(transaction, "first", "contributor", clock.micros(), first.operator)
