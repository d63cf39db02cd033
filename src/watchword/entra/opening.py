"""Which issuers a server has, by setting. What only some servers need, such as an HTTP client, only they load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.clock import Clock
from watchword.settings import Settings
from watchword.storage import Database

if TYPE_CHECKING:
    from watchword.entra.development import DevelopmentIssuer
    from watchword.entra.remote_issuer import RemoteIssuer


def open_remote_issuers(settings: Settings, clock: Clock) -> list[RemoteIssuer]:
    """Raises:
    OperatorError: one of them has no address to be trusted.
    """
    if not settings.entra_issuers:
        return []
    from watchword.entra.remote_issuer import RemoteIssuer

    of_tenants = bool(settings.entra_tenants)
    return [RemoteIssuer(address, clock, of_tenants=of_tenants) for address in settings.entra_issuers]


async def open_local_issuer(database: Database, clock: Clock, endpoint: str | None) -> DevelopmentIssuer | None:
    """The one for development, of a server that knows where it is reached and is to run it."""
    if endpoint is None:
        return None
    from watchword.entra.development import open_development_issuer

    return await open_development_issuer(database, clock, endpoint)
