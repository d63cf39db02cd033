"""The service of realtime, put together."""

from __future__ import annotations

from dataclasses import fields

from watchword.ground import Ground
from watchword.realtime.allocations import Allocations, RealtimeLimits
from watchword.realtime.door import SocketDoor
from watchword.realtime.endings import Endings
from watchword.realtime.happenings import Narrator
from watchword.realtime.operations import RealtimeOperations
from watchword.realtime.roster import Roster
from watchword.realtime.seals import Seals
from watchword.realtime.sockets import Sockets
from watchword.realtime.store import RegistrationStore
from watchword.realtime.trusted_operations import TrustedSocketOperations
from watchword.realtime.trusted_sockets import TrustedSockets
from watchword.rest.doors import Doors
from watchword.rest.live_tokens import LiveTokens
from watchword.rest.resource_hosts import ResourceHosts
from watchword.rest.service import Service
from watchword.settings import Settings
from watchword.storage.clock_watch import AgreedClock
from watchword.telemetry.levels import Gauge


def open_realtime(ground: Ground, doors: Doors, narrator: Narrator) -> Service:
    """`narrator` says what the entries of the journal mean, and who hears of them."""
    settings, clock = ground.settings, AgreedClock(ground.clock_watch)
    limits = limits_of(settings)
    store = RegistrationStore(ground.database)
    roster = Roster()
    live_tokens = LiveTokens(ground.database, ground.subjects, ground.service_clock)
    endings = Endings(roster, ground.revocation_store, live_tokens=live_tokens, clock=ground.service_clock)
    counts = ground.measured.realtime
    sockets = Sockets(
        ground.journal,
        narrator,
        store=store,
        roster=roster,
        endings=endings,
        clock=clock,
        counts=counts,
        kept_seconds=limits.kept,
    )
    allocations = Allocations(
        sockets.hub, store, seals=Seals(ground.database, ground.encryption), clock=clock, limits=limits
    )
    origins = frozenset(origin.rstrip("/").lower() for origin in settings.cors_origins)
    door = SocketDoor(allocations, live_tokens, ResourceHosts(settings.resource_suffix), origins)
    gauges = [
        Gauge("watchword_realtime_sockets", "Realtime sockets that are open.", lambda: sockets.count),
        Gauge("watchword_realtime_users", "Users with an open realtime socket.", lambda: roster.user_count),
    ]
    trusted = TrustedSocketOperations(TrustedSockets(store, clock, ground.journal.wake))
    return Service(
        [*RealtimeOperations(allocations, sockets, door).bindings(doors), *trusted.bindings(doors)],
        background=[sockets.keep_telling, sockets.keep_beating],
        purges=[store.purge_of_resources],
        gauges=gauges,
    )


def limits_of(settings: Settings) -> RealtimeLimits:
    """Each limit is the setting of its name, with `realtime_` before it."""
    return RealtimeLimits(**{each.name: getattr(settings, f"realtime_{each.name}") for each in fields(RealtimeLimits)})
