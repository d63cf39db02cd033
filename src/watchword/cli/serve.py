"""`watchword dev` and `watchword serve`: which data, which resource, and for whom to listen."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import click

from watchword.cli.help_pages import Explained
from watchword.cli.setting_flags import with_settings
from watchword.errors import OperatorError
from watchword.server import development
from watchword.server.terminal import is_watched
from watchword.settings import Settings

_NOT_FOR_DEVELOPMENT = (
    "database_pool",
    "database_batch",
    "database_statement_cache",
    "database_timeout",
    "resource_name",
    "start_anew",
)
_ONLY_FOR_DEVELOPMENT = ("entra",)


@click.command(cls=Explained)
@with_settings(defaults=development.DEFAULTS, hidden=_NOT_FOR_DEVELOPMENT)
def dev(settings: Settings) -> None:
    """Run a throw-away service on this machine.

    Everybody knows its resource and its access keys, so it listens on loopback only. Without --data its data is in a
    temporary directory, which is removed when it stops.
    """
    _require_loopback((*settings.host, *settings.operator_host))
    if settings.database:
        raise OperatorError(
            "`watchword dev` does not run on PostgreSQL: it would put access keys into it that everybody knows.",
            "Unset WATCHWORD_DATABASE, or run `watchword serve`, which draws keys of its own.",
        )
    if not settings.tls:
        # Without TLS a browser would take the server for any site whose name leads here, and everybody knows the keys.
        settings = replace(settings, host_names=(*settings.host_names, "localhost"))
    from watchword.resources.bearer_secrets import BearerSecret
    from watchword.resources.first_resource import FirstResource
    from watchword.resources.operators import PREFIX
    from watchword.server.foreground import run

    first = FirstResource(
        development.RESOURCE_NAME,
        settings.data_location,
        development.RESOURCE_ID,
        (development.PRIMARY_KEY, development.SECONDARY_KEY),
        BearerSecret(PREFIX, development.OPERATOR_ID, development.OPERATOR_SECRET),
    )
    run("dev", settings, settings.data, first=first)


@click.command(cls=Explained)
@with_settings(hidden=_ONLY_FOR_DEVELOPMENT)
def serve(settings: Settings) -> None:
    """Run the service on a data directory.

    The first start makes the directory with a resource and its access keys, and prints them on a terminal; elsewhere it
    says which commands show them.
    """
    from watchword.identifiers import new_guid
    from watchword.resources.first_resource import FirstResource
    from watchword.server.folders import find_folders
    from watchword.server.foreground import run

    if settings.entra:
        raise OperatorError(
            "The issuer for development gives tokens to everybody: `watchword serve` does not run it.",
            "Run `watchword dev --entra`, or name an issuer of your own with --entra-issuers.",
        )
    data = settings.data or find_folders().server
    first = FirstResource(settings.resource_name, settings.data_location, new_guid(), has_operator=is_watched())
    run("serve", settings, data, first=first)


def _require_loopback(hosts: tuple[str, ...]) -> None:
    """The keys are in the documentation: whoever could connect could sign."""
    for host in hosts:
        try:
            is_loopback = ipaddress.ip_address(host).is_loopback
        except ValueError:
            is_loopback = False
        if not is_loopback:
            raise OperatorError(
                f"`watchword dev` listens on 127.0.0.1 and ::1 only, not on {host}: everybody knows its access keys.",
                "Run `watchword serve`, which draws keys of its own, to listen elsewhere.",
            )
