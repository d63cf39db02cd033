"""`watchword resource`: the resource of a data directory, and its access keys in the clear."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import click

from watchword.cli.output import json_option, print_facts, print_json
from watchword.cli.setting_flags import with_settings
from watchword.settings import Settings

_OF_A_DATA_FOLDER = ("data", "encryption_key_file")


@click.group()
def resource() -> None:
    """The resource of a data directory, and its access keys."""


@resource.command()
@json_option
@with_settings(_OF_A_DATA_FOLDER)
def keys(settings: Settings, as_json: bool) -> None:
    """Show both access keys of the resource."""
    from watchword.cli.installation import read_access_keys

    primary, secondary = read_access_keys(settings, _data(settings))
    shown_resource = primary.resource
    shown = {
        "resource": shown_resource.name,
        "id": shown_resource.id,
        "primary": b64encode(primary.secret).decode(),
        "secondary": b64encode(secondary.secret).decode(),
    }
    if as_json:
        print_json(shown)
    else:
        print_facts(
            [
                ("resource", f"{shown_resource.name} ({shown_resource.id})"),
                ("primary key", shown["primary"]),
                ("secondary key", shown["secondary"]),
            ]
        )


@resource.command()
@click.option(
    "--key", type=click.Choice(["primary", "secondary"]), default="primary", help="Which of the two access keys."
)
@with_settings((*_OF_A_DATA_FOLDER, "port", "tls", "public_endpoint"))
def connection_string(settings: Settings, key: str) -> None:
    """Print the connection string, with the address of the server that runs on the data directory, or that would."""
    from watchword.cli.installation import read_access_keys
    from watchword.wire.connection_string import ConnectionString

    data = _data(settings)
    chosen = next(each for each in read_access_keys(settings, data) if each.slot == key)
    print(ConnectionString(_endpoint(settings, data), chosen.secret))


def _endpoint(settings: Settings, data: Path) -> str:
    from watchword.cli.folders import find_folders
    from watchword.cli.running import running_servers

    if settings.public_endpoint:
        return settings.public_endpoint.rstrip("/")
    for server in running_servers(find_folders().running):
        if server.data.resolve() == data.resolve():
            return server.endpoint
    return f"{'https' if settings.tls else 'http'}://localhost:{settings.port}"


def _data(settings: Settings) -> Path:
    from watchword.cli.folders import find_folders

    return settings.data or find_folders().server
