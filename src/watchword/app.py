"""Composition: the ground, the doors, the services, the listeners; in the order in which a request meets them.

Nothing registers itself by being imported: what is served is the list of services in `open_watchword`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from watchword.chat.narrator import ChatNarrator
from watchword.chat.opening import open_chat, open_moderator
from watchword.clock import MachineClock, SystemClock
from watchword.entra.opening import open_entra, open_issuers, open_remote_issuers
from watchword.files import Process
from watchword.ground import open_ground
from watchword.identity.opening import open_identity
from watchword.management.opening import open_management
from watchword.measurements import DROPPED_LOG_LINES, Measurements
from watchword.realtime.opening import open_realtime
from watchword.resources.first_resource import FirstResource
from watchword.resources.issuers import find_issuers
from watchword.rest.application import Watchword
from watchword.rest.health import Health
from watchword.rest.metrics import Metrics
from watchword.rest.opening import Pipelines, open_doors
from watchword.rest.refusals import refusals_worded
from watchword.rest.service import OpenService
from watchword.rest.standing import Standing
from watchword.settings import Settings
from watchword.telemetry.opening import open_tracing
from watchword.telemetry.traffic import Traffic
from watchword.verification.opening import open_verification

_log = logging.getLogger(__name__)


async def open_watchword(
    settings: Settings,
    data: Path,
    first: FirstResource,
    *,
    clock: MachineClock | None = None,
    endpoint: str | None = None,
    operator_port: int | None = None,
    process: Process | None = None,
    services: Sequence[OpenService] = (),
) -> Watchword:
    """The service over a data folder, which is made where it is missing.

    `endpoint` is where clients reach it, and `operator_port` where operators do, if they have a port of their own;
    `process` says which of several processes this is, for whom their supervisor has prepared the folder. `services` are
    served beside Watchword's own. Where it cannot be opened, nothing stays open.

    Raises:
        OperatorError: a setting, the folder, the database or its encryption key is not usable; says what to do.
    """
    clock = clock or SystemClock()
    measured = Measurements(dropped_log_lines=DROPPED_LOG_LINES)
    traffic = Traffic(measured)
    opened = AsyncExitStack()
    try:
        # Before a first start makes anything: what it shows once would be lost with a setting that cannot be read.
        tracing = open_tracing(clock) if settings.traces else None
        if tracing is not None:
            opened.push_async_callback(tracing.close)
        pipelines = Pipelines(settings, clock, traffic, tracing=tracing)
        issuers = find_issuers(settings, endpoint)
        remote_issuers = open_remote_issuers(settings, clock)
        moderator = open_moderator(settings, clock, measured.moderation)
        ground = await open_ground(
            opened, settings, data, first=first, clock=clock, measured=measured, issuers=issuers, process=process
        )

        # Who is let in.
        entra = await open_issuers(ground, remote_issuers, endpoint if settings.entra else None)
        doors = open_doors(ground, pipelines.origins, callers=entra.callers, managers=entra.managers)

        # What is served: a new service is a line here.
        for_clients = [
            open_identity(ground, doors),
            open_entra(ground, doors, entra),
            open_verification(ground, doors),
            open_chat(ground, doors, moderator),
            open_realtime(ground, doors, ChatNarrator(ground.database, ground.clock)),
            *(open_service(ground, doors) for open_service in services),
        ]
        purges = [purge for service in for_clients for purge in service.purges]
        own_endpoint = None if operator_port is None else settings.public_endpoint or endpoint
        management = open_management(ground, doors, purges, own_endpoint=own_endpoint)
        every = [*for_clients, management]

        # What the server says of itself.
        standing = Standing(ground.database, ground.encryption, ground.clock_watch)
        gauges = [*ground.gauges, *(gauge for service in every for gauge in service.gauges)]
        metrics = Metrics(ground, traffic, standing, process=process, gauges=gauges)
        opened.callback(metrics.snapshots.close)

        # Where it is served.
        answer = pipelines.answering(
            doors,
            ground.service_clock,
            clients=[*(binding for service in for_clients for binding in service.bindings)],
            operators=[*management.bindings, *metrics.bindings(doors, apart=operator_port is not None)],
            everybody=Health(standing).bindings(doors),
            operator_port=operator_port,
        )
    except BaseException:
        await _close(opened)
        raise
    background = [*ground.background, *(begin for service in every for begin in service.background)]
    background.append(metrics.snapshots.keep_writing)
    return Watchword(
        answer,
        pipelines.most_body_bytes,
        ground,
        word_refusal=refusals_worded(pipelines.words),
        metrics=metrics,
        background=background,
        opened=opened,
    )


async def _close(opened: AsyncExitStack) -> None:
    """What cannot be closed must not hide why."""
    try:
        await opened.aclose()
    except Exception:  # noqa: BLE001 - whatever it is, the failure before it is the one to tell.
        _log.exception("what was opened could not be closed")
