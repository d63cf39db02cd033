"""A server of several processes in the foreground: it prepares the data, has workers answer, and sees to them."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from watchword.files import Worker
from watchword.server.announcement import Foreground, describe_start
from watchword.server.listener import opened_application
from watchword.server.orders import Orders
from watchword.server.supervisor import Supervisor
from watchword.storage.sqlite_messages import SOCKET_NAME

_LONGEST_SOCKET_PATH_BYTES = 100
"""Systems take 103 at the least."""


async def supervise(foreground: Foreground) -> None:
    """Returns after a graceful stop.

    Raises:
        OperatorError: the server could not start, or no worker is left and none starts.
    """
    settings, data, door = foreground.settings, foreground.data, foreground.door
    async with opened_application(settings, data, foreground.first, door.endpoint, door.operator_port) as application:
        start_up = await describe_start(foreground, application)
    gc.enable()
    with _common_folder() as folder:
        everybody = Worker("supervisor", Path(folder))
        lock = foreground.lock.file.fileno() if foreground.lock else None
        orders = Orders(
            everybody, foreground.mode, settings, data.absolute(), door.endpoint, (), door.operator_port, lock
        )
        supervisor = Supervisor(orders, door.sockets)

        def stop() -> None:
            foreground.say_stopping()
            supervisor.stop()

        foreground.signals.direct(stop=stop, reload=supervisor.reload)
        async with supervisor.started():
            with foreground.announced():
                foreground.greet(start_up)
                await supervisor.watch()


def _common_folder() -> TemporaryDirectory[str]:
    """Of this server's processes alone; sockets in it have to have short names."""
    made = TemporaryDirectory(prefix="watchword-workers-", ignore_cleanup_errors=True)
    if len(os.fsencode(made.name)) + 1 + len(SOCKET_NAME) > _LONGEST_SOCKET_PATH_BYTES:
        made.cleanup()
        made = TemporaryDirectory(prefix="watchword-workers-", dir="/tmp", ignore_cleanup_errors=True)
    return made
