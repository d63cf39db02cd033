"""The doors of a server, and the pipelines of its listeners, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from watchword.clock import Clock, ServiceClock
from watchword.ground import Ground
from watchword.http.exchange import Exchange
from watchword.http.forwarded import Origins
from watchword.resources.access_keys import AccessKeys
from watchword.rest.authentication import AccessKeyAuthenticator
from watchword.rest.call import AnyBinding
from watchword.rest.callers import Caller, Manager
from watchword.rest.cors import Cors
from watchword.rest.doors import Authenticator, Doors, Words, make_doors
from watchword.rest.hosts import Hosts
from watchword.rest.limits import Limits, parse_limits
from watchword.rest.live_tokens import LiveTokens
from watchword.rest.openapi import OpenApi
from watchword.rest.operator_authentication import OperatorAuthenticator
from watchword.rest.operator_listener import Answering, apart
from watchword.rest.pipeline import Pipeline
from watchword.rest.resource_hosts import ResourceHosts
from watchword.rest.routes import Routes, paths
from watchword.rest.user_door import UserDoor
from watchword.rest.verifier_authentication import VerifierAuthenticator
from watchword.settings import Settings
from watchword.telemetry.request_log import RequestLog
from watchword.telemetry.traffic import Traffic
from watchword.wire.errors import describe as describe_common
from watchword.wire.identity_errors import describe
from watchword.wire.times import format_time

if TYPE_CHECKING:
    from watchword.telemetry.tracing import Tracing


def open_doors(
    ground: Ground,
    origins: Origins,
    *,
    callers: Sequence[Authenticator[Caller]] = (),
    managers: Sequence[Authenticator[Manager]] = (),
) -> Doors:
    """`callers` and `managers` prove themselves to others. They are asked last: they take every bearer token left."""
    hosts = ResourceHosts(ground.settings.resource_suffix)
    access_keys = AccessKeys(ground.database, ground.encryption)
    users = UserDoor(
        describe,
        keyring=ground.keyring,
        live_tokens=LiveTokens(ground.database, ground.subjects, ground.service_clock),
        hosts=hosts,
    )
    return make_doors(
        callers=[
            AccessKeyAuthenticator(access_keys, ground.clock, origins.public_host, hosts=hosts),
            VerifierAuthenticator(ground.database, hosts),
            *callers,
        ],
        users=users,
        managers=[OperatorAuthenticator(ground.database), *managers],
    )


class Pipelines:
    """Makes a pipeline for each listener of a server; they share hosts, log, counts and traces.

    Raises:
        OperatorError: a setting cannot be read.
    """

    def __init__(self, settings: Settings, clock: Clock, traffic: Traffic, *, tracing: Tracing | None) -> None:
        suffixes = (settings.resource_suffix, settings.tls_suffix)
        self._settings = settings
        self._clock = clock
        self._traffic = traffic
        self._tracing = tracing
        self._limits = parse_limits(settings.rate_limits)
        self._hosts = Hosts(settings.host_names, settings.public_endpoint, suffixes)
        self._log = RequestLog(clock, format_time=format_time)
        self.origins = Origins(settings.public_endpoint, settings.trusted_proxies)
        self._made: list[Pipeline] = []

    def most_body_bytes(self, exchange: Exchange) -> int:
        """How large the body of a request may be, at whichever listener."""
        return max(pipeline.most_body_bytes(exchange) for pipeline in self._made)

    def words(self, path: str) -> Words:
        """Those of the contract that a path is of, at whichever listener."""
        found = (pipeline.words(path) for pipeline in self._made)
        return next((words for words in found if words is not describe_common), describe_common)

    def answering(
        self,
        doors: Doors,
        service_clock: ServiceClock,
        *,
        clients: Sequence[AnyBinding],
        operators: Sequence[AnyBinding],
        everybody: Sequence[AnyBinding],
        operator_port: int | None,
    ) -> Answering:
        """What answers on every port; what is for operators, on theirs alone where they have one."""
        if operator_port is None:
            return self._answering([*clients, *operators, *everybody], doors, self.origins, service_clock=service_clock)
        # The public endpoint is not theirs: they come back to where they came.
        own_origins = Origins(None, self._settings.trusted_proxies)
        return apart(
            self._answering([*clients, *everybody], doors, self.origins, service_clock=service_clock),
            self._answering([*operators, *everybody], doors, own_origins, service_clock=service_clock),
            operator_port,
        )

    def _answering(
        self, bindings: Sequence[AnyBinding], doors: Doors, origins: Origins, *, service_clock: ServiceClock
    ) -> Answering:
        settings = self._settings
        pipeline = Pipeline(
            Routes(paths([*bindings, *OpenApi(bindings, doors).bindings()])),
            self._hosts,
            origins,
            cors=Cors(settings.cors_origins),
            clock=service_clock,
            request_log=self._log,
            traffic=self._traffic,
            strict_transport_security=settings.hsts or None,
            limits=Limits(self._limits, self._clock, settings.workers) if self._limits else None,
            tracing=self._tracing,
        )
        self._made.append(pipeline)
        return pipeline.answer
