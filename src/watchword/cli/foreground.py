"""A server in the foreground: from its settings to its end, which a signal brings about."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from watchword.app import DATABASE_FILE, FirstResource
from watchword.cli import development
from watchword.cli.folders import Folders, find_folders
from watchword.cli.installation import access_keys, describe_database, find_encryption
from watchword.cli.logs import set_up_logs
from watchword.cli.output import say
from watchword.cli.running import announced, describe_this, running_servers
from watchword.cli.server import Door, Stopping, open_door, opened
from watchword.cli.start_up import InForce, format_start_up
from watchword.errors import OperatorError
from watchword.resources.access_keys import AccessKey
from watchword.resources.store import list_resources
from watchword.rest.resource_hosts import ResourceHosts
from watchword.rest.serving import run_event_loop
from watchword.settings import Settings

Mode = Literal["dev", "serve"]


def run(mode: Mode, settings: Settings, data: Path | None, first: FirstResource) -> None:
    """Returns after a graceful stop. Without `data` the data is in a temporary directory until then.

    Raises:
        OperatorError: the server could not start; says what to do.
    """
    set_up_logs(settings, for_people=mode == "dev")
    folders = find_folders()
    with ExitStack() as stack:
        stopping = stack.enter_context(Stopping())
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=development.FOLDER_PREFIX)))
        door = open_door(settings, folders.certificates)
        run_event_loop(_serve(mode, settings, data, first, door, stopping, folders))


async def _serve(
    mode: Mode, settings: Settings, data: Path, first: FirstResource, door: Door, stopping: Stopping, folders: Folders
) -> None:
    if (data / DATABASE_FILE).exists():
        # A new key in the place of a lost one would only hide what has happened.
        find_encryption(settings, data)
    async with opened(settings, data, first, door) as (application, http):
        stopping.stops(http)
        resources = await application.database.transact(list_resources)
        keys = await access_keys(application.database, application.encryption) if resources else []
        _require_private(mode, keys, data)
        ca = door.certificate.ca if door.certificate else None
        in_force = InForce(
            mode,
            door.endpoint,
            keys,
            describe_database(settings, data),
            data.name.startswith(development.FOLDER_PREFIX),
            door.certificate,
            application.first_operator is not None,
            len(running_servers(folders.running)),
            str(application.first_operator or ""),
            len(resources),
            ResourceHosts(settings.resource_suffix).endpoint(door.endpoint, resources[0].name) if resources else "",
            door.operator_endpoint,
        )
        this = describe_this(
            mode,
            door.endpoint,
            door.host,
            door.port,
            data,
            ca,
            entra=settings.entra,
            operator_endpoint=door.operator_endpoint,
        )
        with announced(this, folders.running):
            print(format_start_up(in_force, door.port), flush=True)
            for note in door.certificate.notes if door.certificate else ():
                say(f"watchword: {note}")
            await http.run()


def _require_private(mode: Mode, keys: list[AccessKey], data: Path) -> None:
    if mode == "serve" and keys and keys[0].resource.id == development.RESOURCE_ID:
        raise OperatorError(
            f"The data directory {data} was made by `watchword dev`: everybody knows its access keys.",
            "Run `watchword dev` on it, or give `watchword serve` a directory of its own with --data.",
        )
