"""Composition: settings, storage, rules, operations, HTTP; in the order in which a request meets them, from below.

Nothing registers itself by being imported: what answers at which path is the list in `_bindings`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from watchword.clock import Clock, MachineClock, MonotoneClock, ReadingClock, SystemClock
from watchword.entra.assignments import Assignments
from watchword.entra.authenticator import EntraAuthenticator, EntraManagers
from watchword.entra.exchanges import Exchanges
from watchword.entra.issuers import Issuer, Issuers
from watchword.entra.opening import open_local_issuer, open_remote_issuers
from watchword.entra.operations import EntraOperations
from watchword.files import Worker
from watchword.http.exchange import Exchange
from watchword.http.forwarded import Origins
from watchword.identifiers import FlakeMinter
from watchword.identity import store as identity_store
from watchword.identity.access_tokens import AccessTokens
from watchword.identity.identities import Identities
from watchword.identity.last_tokens import HighWater, LastTokens
from watchword.identity.operations import IdentityOperations
from watchword.identity.store import IdentityStore
from watchword.keyring.encryption import Encryption, open_encryption
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import Schedule
from watchword.management.operations import GroupOperations
from watchword.management.resource_operations import ResourceOperations
from watchword.management.subscription_operations import SubscriptionOperations
from watchword.management.tag_operations import TagOperations
from watchword.measurements import DROPPED_LOG_LINES, Measurements
from watchword.resources.access_keys import AccessKeys
from watchword.resources.deletion import Deletions
from watchword.resources.first_resource import FirstResource, FirstStart, make_first
from watchword.rest.authentication import AccessKeyAuthenticator
from watchword.rest.call import AnyBinding
from watchword.rest.callers import Caller, Manager
from watchword.rest.cors import Cors
from watchword.rest.doors import Authenticator, Doors, open_doors
from watchword.rest.health import Health
from watchword.rest.hosts import Hosts
from watchword.rest.limits import Limits, parse_limits
from watchword.rest.metrics import Metrics
from watchword.rest.openapi import OpenApi
from watchword.rest.operator_authentication import OperatorAuthenticator
from watchword.rest.operator_listener import Answering, apart
from watchword.rest.pipeline import Pipeline
from watchword.rest.resource_hosts import ResourceHosts
from watchword.rest.routes import Routes, paths
from watchword.rest.standing import Standing
from watchword.rest.user_door import UserDoor
from watchword.rest.verifier_authentication import VerifierAuthenticator
from watchword.revocations.feed import Feed
from watchword.revocations.revocations import Revocations
from watchword.revocations.store import RevocationStore
from watchword.revocations.users import ExchangedUsers
from watchword.settings import Settings
from watchword.storage import Database, Transaction
from watchword.storage.clock_watch import ClockWatch
from watchword.storage.opening import open_database
from watchword.subjects.subjects import Subjects
from watchword.telemetry.opening import open_tracing
from watchword.telemetry.request_log import RequestLog
from watchword.telemetry.traffic import Traffic
from watchword.transfer.store import require_finished_imports
from watchword.verification.operations import VerificationOperations
from watchword.wire.headers import client_request_id
from watchword.wire.identity_bodies import format_time
from watchword.wire.identity_errors import describe

if TYPE_CHECKING:
    from watchword.telemetry.tracing import Tracing


class Watchword:
    """A running service: what answers, with what it stands on."""

    def __init__(
        self,
        answer: Callable[[Exchange], Awaitable[None]],
        database: Database,
        encryption: Encryption,
        feed: Feed,
        metrics: Metrics,
        tracing: Tracing | None,
        background: Sequence[Coroutine[Any, Any, None]],
        first_start: FirstStart | None,
    ) -> None:
        self._answer = answer
        self.database = database
        self.encryption = encryption
        self.first_start = first_start
        """None where others were here before."""
        self.metrics = metrics
        self._feed = feed
        self._tracing = tracing
        self._background = [asyncio.create_task(each) for each in background]

    async def answer(self, exchange: Exchange) -> None:
        if exchange.path.startswith("//"):
            # Observed: JavaScript doubles the first slash when its endpoint ends in one, identity.md section 2.4.
            exchange.path = "/" + exchange.path.lstrip("/")
        await self._answer(exchange)

    def stop_waiting(self) -> None:
        """Whoever waits for news is answered now, so that a stop need not wait for them."""
        self._feed.close()

    async def close(self) -> None:
        """What is still to be written is written; the application must have stopped answering before."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._tracing is not None:
            await self._tracing.close()
        self.metrics.snapshots.close()
        await self.database.close()


async def open_watchword(
    settings: Settings,
    data: FilePath,
    first: FirstResource,
    clock: MachineClock | None = None,
    endpoint: str | None = None,
    operator_port: int | None = None,
    worker: Worker | None = None,
    services: Sequence[Callable[[Doors], Sequence[AnyBinding]]] = (),
) -> Watchword:
    """The service over a data folder, which is made where it is missing.

    `endpoint` is where clients reach it, and `operator_port` where operators do, if they have a port of their own;
    `worker` says which of several processes this is, for whom their supervisor has prepared the folder. `services` are
    more than Watchword's own, composed elsewhere: each is given the doors, and binds its operations to them.

    Raises:
        OperatorError: the folder, the database or its encryption key is not usable; says what to do.
    """
    clock = clock or SystemClock()
    # Before a first start makes anything: what it shows once would be lost with a setting that cannot be read.
    limits = parse_limits(settings.rate_limits)
    suffixes = (settings.resource_suffix, settings.tls_suffix)
    known_hosts = Hosts(settings.host_names, settings.public_endpoint, suffixes)
    origins = Origins(settings.public_endpoint, settings.trusted_proxies)
    tracing = open_tracing(clock) if settings.traces else None

    # Storage.
    data.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240 - once, before anybody is served.
    encryption = open_encryption(settings, data)
    measured = Measurements(dropped_log_lines=DROPPED_LOG_LINES)
    database = await open_database(settings, data, worker, trips=measured.database)
    try:
        first_start = await database.transact(lambda transaction: _start(transaction, encryption, clock, first))
        await encryption.tidy(database)
    except BaseException:
        await database.close()
        raise
    newest_flake, high_water = await identity_store.newest_marks(database)

    # Rules.
    issue_clock = MonotoneClock(clock, high_water)
    reading_clock = ReadingClock(issue_clock, clock)
    clock_watch = ClockWatch(database, clock, issue_clock)
    await clock_watch.prepare()
    keyring = Keyring(
        database, encryption, reading_clock, settings.signing_algorithm, schedule(settings), measured.signatures
    )
    await keyring.prepare()
    revocation_store = RevocationStore(database)
    feed = Feed(revocation_store, measured.feed_answers)
    revocations = Revocations(revocation_store, feed, reading_clock)
    store = IdentityStore(database)
    minter = FlakeMinter(clock, newest_flake)
    identities = Identities(store, feed, minter, clock, reading_clock, clock_watch)
    last_tokens = LastTokens(store)
    access_tokens = AccessTokens(keyring, last_tokens, clock, clock_watch)
    users = ExchangedUsers(database, feed, reading_clock)
    remote_issuers = open_remote_issuers(settings, clock)
    local_issuer = await open_local_issuer(database, clock, endpoint if settings.entra else None)
    all_issuers: list[Issuer] = [*remote_issuers, *filter(None, [local_issuer])]
    issuers = Issuers(all_issuers, settings.entra_tenants or (local_issuer.tenants if local_issuer else ()), clock)
    exchanges = Exchanges(database, users, keyring, clock, clock_watch)
    deletions = Deletions(database, [store.purge, users.purge])
    hosts = ResourceHosts(settings.resource_suffix)

    # Doors.
    callers: list[Authenticator[Caller]] = [
        AccessKeyAuthenticator(AccessKeys(database, encryption), clock, origins.public_host, hosts),
        VerifierAuthenticator(database, hosts),
    ]
    managers: list[Authenticator[Manager]] = [OperatorAuthenticator(database)]
    if all_issuers:
        # The last, because they take every bearer token that is left.
        callers.append(EntraAuthenticator(issuers, database, exchanges, hosts))
        managers.append(EntraManagers(issuers, database))
    subjects = Subjects(database)
    user_door = UserDoor(
        describe,
        database=database,
        keyring=keyring,
        revocations=revocations,
        subjects=subjects,
        clock=clock,
        hosts=hosts,
    )
    doors = open_doors(callers=callers, users=user_door, managers=managers)

    # Operations.
    own_endpoint = None if operator_port is None else settings.public_endpoint or endpoint
    traffic = Traffic(measured)
    standing = Standing(database, encryption, clock_watch)
    metrics = Metrics(measured, traffic, keyring, revocation_store, feed, standing, worker)
    health = Health(standing).bindings(doors)
    for_clients: list[AnyBinding] = [
        *IdentityOperations(identities, access_tokens, users).bindings(doors),
        *EntraOperations(issuers, exchanges, Assignments(database, users)).bindings(doors),
        *VerificationOperations(database, keyring, revocations, subjects, feed, clock).bindings(doors),
    ]
    for_operators: list[AnyBinding] = [
        *SubscriptionOperations(database).bindings(doors),
        *TagOperations(database).bindings(doors),
        *GroupOperations(database, deletions, feed, clock).bindings(doors),
        *ResourceOperations(database, encryption, deletions, feed, clock, hosts, own_endpoint).bindings(doors),
        *metrics.bindings(doors.operators if operator_port is None else doors.nobody),
    ]

    # HTTP.
    request_log = RequestLog(clock, format_time=format_time, find_client_request_id=client_request_id)

    def answering(bindings: list[AnyBinding], origins: Origins) -> Answering:
        return Pipeline(
            Routes(paths([*bindings, *OpenApi(bindings, doors).bindings()])),
            known_hosts,
            origins,
            Cors(settings.cors_origins),
            request_log,
            traffic,
            settings.hsts or None,
            Limits(limits, clock, settings.workers) if limits else None,
            tracing,
        ).answer

    background = (
        last_tokens.keep_flushing(),
        HighWater(store, issue_clock).keep_writing(),
        clock_watch.keep_looking(),
        keyring.keep_rotating(clock_watch),
        revocations.keep_purging(clock, clock_watch),
        *(issuer.follow() for issuer in remote_issuers),
        deletions.keep_finishing(),
        metrics.snapshots.keep_writing(),
    )
    for_clients += [binding for service in services for binding in service(doors)]
    here = [*for_clients, *([] if operator_port is not None else for_operators), *health]
    if local_issuer is not None:
        here += local_issuer.bindings(doors)
    answer = answering(here, origins)
    if operator_port is not None:
        # The public endpoint is not theirs: they come back to where they came.
        there = answering([*for_operators, *health], Origins(None, settings.trusted_proxies))
        answer = apart(answer, there, operator_port)
    return Watchword(answer, database, encryption, feed, metrics, tracing, background, first_start)


def schedule(settings: Settings) -> Schedule:
    """When signing keys change."""
    every = timedelta(seconds=settings.key_lifetime) if settings.key_lifetime else None
    return Schedule(every, timedelta(seconds=settings.key_publish_ahead))


async def _start(
    transaction: Transaction, encryption: Encryption, clock: Clock, first: FirstResource
) -> FirstStart | None:
    await require_finished_imports(transaction)
    await encryption.in_force(transaction)
    return await make_first(transaction, encryption, clock, first)
