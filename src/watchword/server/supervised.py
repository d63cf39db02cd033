"""A server of several processes in the foreground: it prepares the data, has workers answer, and sees to them."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from watchword.errors import OperatorError, reason_of
from watchword.files import Process
from watchword.server.announcement import Foreground, describe_start
from watchword.server.folders import temporary_folder
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
    settings, data, listening = foreground.settings, foreground.data, foreground.listening
    async with opened_application(
        settings, data, foreground.first, endpoint=listening.endpoint, operator_port=listening.operator_port
    ) as application:
        start_up = await describe_start(foreground, application)
    gc.enable()
    with _common_folder() as folder:
        everybody = Process("supervisor", Path(folder))
        lock = foreground.lock.file.fileno() if foreground.lock else None
        orders = Orders(
            everybody, foreground.mode, settings, data.absolute(), listening.endpoint, (), listening.operator_port, lock
        )
        supervisor = Supervisor(orders, listening.sockets)

        def stop() -> None:
            foreground.say_stopping()
            supervisor.stop()

        foreground.signals.direct(stop=stop, reload=supervisor.reload)
        async with supervisor.started():
            with foreground.announced():
                foreground.greet(start_up)
                await supervisor.watch()


def _common_folder() -> TemporaryDirectory[str]:
    """The folder is this server's processes' alone; sockets in it have to have short names."""
    made = temporary_folder("watchword-workers-")
    if len(os.fsencode(made.name)) + 1 + len(SOCKET_NAME) > _LONGEST_SOCKET_PATH_BYTES:
        made.cleanup()
        try:
            made = TemporaryDirectory(prefix="watchword-workers-", dir="/tmp", ignore_cleanup_errors=True)
        except OSError as error:
            raise OperatorError(
                f"No folder for the workers' socket has a name that is short enough: {reason_of(error)}.",
                "Name a folder with a short name in TMPDIR.",
            ) from None
    return made
