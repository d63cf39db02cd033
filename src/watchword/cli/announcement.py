"""What a server in the foreground tells when it starts: people, systemd, and the other programs of this user."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from watchword.app import Watchword
from watchword.cli import development, systemd
from watchword.cli.folders import Folders
from watchword.cli.installation import access_keys, describe_database
from watchword.cli.output import say
from watchword.cli.running import announced, describe_this, running_servers
from watchword.cli.server import Door
from watchword.cli.signals import Signals
from watchword.cli.start_up import InForce, format_start_up
from watchword.errors import OperatorError
from watchword.resources.access_keys import AccessKey
from watchword.resources.first_resource import FirstResource
from watchword.resources.store import list_resources
from watchword.rest.resource_hosts import ResourceHosts
from watchword.settings import Settings

Mode = Literal["dev", "serve"]


@dataclass(frozen=True)
class Foreground:
    """What a server stands on, however many processes it is."""

    mode: Mode
    settings: Settings
    data: Path
    first: FirstResource
    door: Door
    signals: Signals
    folders: Folders

    def announced(self) -> AbstractContextManager[None]:
        """Other programs of this user find it, until the block ends."""
        door, ca = self.door, self.door.certificate.ca if self.door.certificate else None
        this = describe_this(
            self.mode,
            door.endpoint,
            door.host,
            door.port,
            self.data,
            ca,
            entra=self.settings.entra,
            operator_endpoint=door.operator_endpoint,
        )
        return announced(this, self.folders.running)

    def greet(self, start_up: str) -> None:
        """Tell people and systemd that it answers."""
        print(start_up, flush=True)
        for note in self.door.certificate.notes if self.door.certificate else ():
            say(f"watchword: {note}")
        systemd.notify("READY=1")


async def describe_start(foreground: Foreground, application: Watchword) -> str:
    """What people are told of a server that is about to answer.

    Raises:
        OperatorError: its keys are in the documentation, and it is no server for development.
    """
    settings, door = foreground.settings, foreground.door
    resources = await application.database.transact(list_resources)
    keys = await access_keys(application.database, application.encryption) if resources else []
    _require_private(foreground.mode, keys, foreground.data)
    in_force = InForce(
        foreground.mode,
        door.endpoint,
        keys,
        describe_database(settings, foreground.data),
        foreground.data.name.startswith(development.FOLDER_PREFIX),
        door.certificate,
        application.first_operator is not None,
        len(running_servers(foreground.folders.running)),
        str(application.first_operator or ""),
        len(resources),
        ResourceHosts(settings.resource_suffix).endpoint(door.endpoint, resources[0].name) if resources else "",
        application.database.schema.note,
        door.operator_endpoint,
    )
    return format_start_up(in_force, door.port)


def _require_private(mode: Mode, keys: list[AccessKey], data: Path) -> None:
    if mode == "serve" and keys and keys[0].resource.id == development.RESOURCE_ID:
        raise OperatorError(
            f"The data directory {data} was made by `watchword dev`: everybody knows its access keys.",
            "Run `watchword dev` on it, or give `watchword serve` a directory of its own with --data.",
        )
