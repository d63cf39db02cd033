"""What a server in the foreground tells when it starts: people, systemd, and the other programs of this user."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from watchword.clock import to_datetime
from watchword.keyring import signing_keys
from watchword.keyring.store import SigningKeyRow
from watchword.resources.first_resource import FirstResource
from watchword.resources.store import list_resources
from watchword.rest.application import Watchword
from watchword.rest.resource_hosts import ResourceHosts
from watchword.server import development, systemd
from watchword.server.data_lock import DataLock
from watchword.server.data_owner import require_private, tell_public_roles
from watchword.server.folders import Folders
from watchword.server.installation import access_keys, describe_database
from watchword.server.listening import Listening
from watchword.server.running import announced, describe_this, running_servers
from watchword.server.signals import Signals
from watchword.server.start_up import InForce, format_start_up
from watchword.server.terminal import is_watched, say, show
from watchword.settings import Settings
from watchword.storage import Transaction

Mode = Literal["dev", "serve"]


@dataclass(frozen=True)
class Foreground:
    """What a server stands on, however many processes it is. On PostgreSQL it needs no `lock`: there may be others."""

    mode: Mode
    settings: Settings
    data: Path
    first: FirstResource
    listening: Listening
    signals: Signals
    folders: Folders
    lock: DataLock | None

    def say_stopping(self) -> None:
        """Who starts on the same data waits for the end of this one. Safe in the handler of a signal."""
        if self.lock is not None:
            self.lock.say_stopping()

    def announced(self) -> AbstractContextManager[None]:
        """Other programs of this user find it, until the block ends."""
        listening, ca = self.listening, self.listening.certificate.ca if self.listening.certificate else None
        this = describe_this(
            self.mode,
            listening.endpoint,
            listening.host,
            port=listening.port,
            data=self.data,
            ca=ca,
            entra=self.settings.entra,
            operator_endpoint=listening.operator_endpoint,
            tls=self.settings.tls,
        )
        return announced(this, self.folders.running)

    def greet(self, start_up: str) -> None:
        """Tell people and systemd that it answers."""
        show(start_up)
        for note in self.listening.certificate.notes if self.listening.certificate else ():
            say(f"watchword: {note}")
        systemd.notify("READY=1")


async def describe_start(foreground: Foreground, application: Watchword) -> str:
    """What people are told of a server that is about to answer.

    Raises:
        OperatorError: everybody knows its keys, and it is no server for development.
    """
    settings, listening = foreground.settings, foreground.listening
    if foreground.mode == "serve":
        await application.ground.database.transact(lambda transaction: require_private(transaction, foreground.data))
        await application.ground.database.transact(tell_public_roles)
    coming = await _prepare_next_key(foreground, application)
    resources = await application.ground.database.transact(list_resources)
    keys = await access_keys(application.ground.database, application.ground.encryption) if resources else []
    first_start = application.ground.first_start
    in_force = InForce(
        foreground.mode,
        listening.endpoint,
        keys,
        describe_database(settings, foreground.data),
        foreground.data.name.startswith(development.FOLDER_PREFIX),
        listening.certificate,
        first_start is not None,
        is_watched(),
        len(running_servers(foreground.folders.running)),
        str(first_start.operator or "") if first_start else "",
        len(resources),
        ResourceHosts(settings.resource_suffix).endpoint(listening.endpoint, resources[0].name) if resources else "",
        application.ground.database.schema.note,
        listening.operator_endpoint,
        coming,
        settings,
    )
    return format_start_up(in_force, listening.port)


async def _prepare_next_key(foreground: Foreground, application: Watchword) -> str:
    """The key that is published to sign later, for people. For development a new algorithm waits for nobody."""
    keyring = application.ground.keyring

    async def look(transaction: Transaction) -> SigningKeyRow | None:
        if foreground.mode == "dev":
            await signing_keys.take_up_algorithm(transaction, keyring)
        return await signing_keys.next_key(transaction, keyring)

    row = await application.ground.database.transact(look)
    if row is None:
        return ""
    return f"{row.kid} ({row.algorithm}) signs from {to_datetime(row.signs_from_micros).isoformat(' ', 'seconds')}"
