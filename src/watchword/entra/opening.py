"""The service around OpenID issuers, put together. What only some servers need, such as an HTTP client, only they load.

Callers prove themselves by tokens of the issuers, so these are opened before the doors, and the service after them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchword.clock import Clock
from watchword.entra.assignments import Assignments
from watchword.entra.authenticator import EntraAuthenticator, EntraManagers
from watchword.entra.exchanges import Exchanges
from watchword.entra.issuers import Issuer, Issuers
from watchword.entra.operations import EntraOperations
from watchword.ground import Background, Ground
from watchword.rest.callers import Caller, Manager
from watchword.rest.doors import Authenticator, Doors
from watchword.rest.resource_hosts import ResourceHosts
from watchword.rest.service import Service
from watchword.settings import Settings
from watchword.subjects.exchanged_users import users_of_resource

if TYPE_CHECKING:
    from watchword.entra.development import DevelopmentIssuer
    from watchword.entra.remote_issuer import RemoteIssuer


@dataclass(frozen=True, slots=True)
class Entra:
    """What is there before the doors are: `callers` and `managers` are none where there is no issuer."""

    issuers: Issuers
    exchanges: Exchanges
    callers: Sequence[Authenticator[Caller]]
    managers: Sequence[Authenticator[Manager]]
    local: DevelopmentIssuer | None
    background: Sequence[Background]


def open_remote_issuers(settings: Settings, clock: Clock) -> list[RemoteIssuer]:
    """Make the issuers that the settings name; nothing is fetched yet.

    Raises:
        OperatorError: one of them has no address to be trusted.
    """
    if not settings.entra_issuers:
        return []
    from watchword.entra.remote_issuer import RemoteIssuer

    of_tenants = bool(settings.entra_tenants)
    return [RemoteIssuer(address, clock, of_tenants=of_tenants) for address in settings.entra_issuers]


async def open_issuers(ground: Ground, remote: Sequence[RemoteIssuer], endpoint: str | None) -> Entra:
    """The remote issuers, and the one for development where it is to run at an `endpoint`."""
    settings, database, clock = ground.settings, ground.database, ground.clock
    local = None
    if endpoint is not None:
        from watchword.entra.development import open_development_issuer

        local = await open_development_issuer(database, clock, endpoint)
    every: list[Issuer] = [*remote, *filter(None, [local])]
    issuers = Issuers(every, settings.entra_tenants or (local.tenants if local else ()), clock)
    exchanges = Exchanges(
        database,
        ground.users,
        ground.keyring,
        issuers=ground.issuers,
        clock=clock,
        clock_watch=ground.clock_watch,
        service_clock=ground.service_clock,
    )
    hosts = ResourceHosts(settings.resource_suffix)
    return Entra(
        issuers,
        exchanges,
        callers=[EntraAuthenticator(issuers, database, exchanges, hosts=hosts)] if every else [],
        managers=[EntraManagers(issuers, database)] if every else [],
        local=local,
        background=[issuer.follow for issuer in remote],
    )


def open_entra(ground: Ground, doors: Doors, entra: Entra) -> Service:
    """Exchanges and assignments are served without an issuer too, and then refuse every token."""
    operations = EntraOperations(entra.issuers, entra.exchanges, Assignments(ground.database, ground.users))
    bindings = operations.bindings(doors)
    if entra.local is not None:
        bindings += entra.local.bindings(doors)
    return Service(bindings, background=entra.background, purges=[users_of_resource(ground.database)])
