"""What a server in the foreground tells when it starts: people, systemd, and the other programs of this user."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from watchword.app import Watchword
from watchword.resources.first_resource import FirstResource
from watchword.resources.store import list_resources
from watchword.rest.resource_hosts import ResourceHosts
from watchword.server import development, systemd
from watchword.server.data_lock import DataLock
from watchword.server.data_owner import require_private, tell_public_roles
from watchword.server.folders import Folders
from watchword.server.installation import access_keys, describe_database
from watchword.server.listener import Door
from watchword.server.running import announced, describe_this, running_servers
from watchword.server.signals import Signals
from watchword.server.start_up import InForce, format_start_up
from watchword.server.terminal import is_watched, say
from watchword.settings import Settings

Mode = Literal["dev", "serve"]


@dataclass(frozen=True)
class Foreground:
    """What a server stands on, however many processes it is. On PostgreSQL it needs no `lock`: there may be others."""

    mode: Mode
    settings: Settings
    data: Path
    first: FirstResource
    door: Door
    signals: Signals
    folders: Folders
    lock: DataLock | None

    def say_stopping(self) -> None:
        """Who starts on the same data waits for the end of this one. Safe in the handler of a signal."""
        if self.lock is not None:
            self.lock.say_stopping()

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
        OperatorError: everybody knows its keys, and it is no server for development.
    """
    settings, door = foreground.settings, foreground.door
    if foreground.mode == "serve":
        await application.database.transact(lambda transaction: require_private(transaction, foreground.data))
        await application.database.transact(tell_public_roles)
    resources = await application.database.transact(list_resources)
    keys = await access_keys(application.database, application.encryption) if resources else []
    first_start = application.first_start
    in_force = InForce(
        foreground.mode,
        door.endpoint,
        keys,
        describe_database(settings, foreground.data),
        foreground.data.name.startswith(development.FOLDER_PREFIX),
        door.certificate,
        first_start is not None,
        is_watched(),
        len(running_servers(foreground.folders.running)),
        str(first_start.operator or "") if first_start else "",
        len(resources),
        ResourceHosts(settings.resource_suffix).endpoint(door.endpoint, resources[0].name) if resources else "",
        application.database.schema.note,
        door.operator_endpoint,
        settings,
    )
    return format_start_up(in_force, door.port)
