"""A server in the foreground: from its settings to its end, which a signal brings about."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

from watchword.errors import OperatorError
from watchword.resources.first_resource import FirstResource
from watchword.server import development, systemd
from watchword.server.announcement import Foreground, Mode, describe_start
from watchword.server.data_lock import held
from watchword.server.data_owner import require_for_development, require_nothing_lost
from watchword.server.event_loop import run_event_loop
from watchword.server.folders import find_folders, temporary_folder
from watchword.server.listener import Listener, opened_application
from watchword.server.listening import listen
from watchword.server.logs import set_up_logs
from watchword.server.signals import Signals, is_left_by_its_terminal
from watchword.settings import Settings

_LEFT_AFTER_DEADLINE_SECONDS = 5.0
"""For a server that stops to write down what it knows, once its requests are finished or cut off."""


def run(mode: Mode, settings: Settings, data: Path | None, *, first: FirstResource) -> None:
    """Returns after a graceful stop. Without `data` the data is in a temporary directory until then.

    Raises:
        OperatorError: the server could not start; says what to do.
    """
    set_up_logs(settings, for_people=mode == "dev")
    _require_workers(settings)
    folders = find_folders()
    with ExitStack() as stack:
        reloads = mode == "serve" and not is_left_by_its_terminal()
        signals = stack.enter_context(Signals(hang_up_reloads=reloads))
        if data is None:
            data = Path(stack.enter_context(temporary_folder(development.FOLDER_PREFIX)))
        # `watchword dev` listens on loopback, whatever it is given.
        sockets = systemd.take_sockets() if mode == "serve" else []
        listening = listen(settings, folders.certificates, sockets)
        lock = None
        if not settings.database:
            patience = settings.drain_delay + settings.stop_deadline + _LEFT_AFTER_DEADLINE_SECONDS
            lock = stack.enter_context(held(data, patience, lambda: not signals.asked_to_stop))
            require_nothing_lost(settings, data)
        if mode == "dev":
            require_for_development(settings, data)
        foreground = Foreground(mode, settings, data, first, listening, signals, folders, lock)
        if settings.workers == 1:
            run_event_loop(_serve(foreground))
        else:
            from watchword.server.supervised import supervise

            run_event_loop(supervise(foreground))


async def _serve(foreground: Foreground) -> None:
    settings, listening, folders = foreground.settings, foreground.listening, foreground.folders
    async with opened_application(
        settings, foreground.data, foreground.first, endpoint=listening.endpoint, operator_port=listening.operator_port
    ) as application:
        listener = Listener(
            settings, application, listening, certificates=folders.certificates, on_stop=foreground.say_stopping
        )
        foreground.signals.direct(stop=listener.stop, reload=listener.reload)
        start_up = await describe_start(foreground, application)
        with foreground.announced():
            foreground.greet(start_up)
            try:
                await listener.run()
            finally:
                systemd.notify("STOPPING=1")


def _require_workers(settings: Settings) -> None:
    if settings.workers < 1:
        raise OperatorError(f"{settings.workers} workers answer nobody.", "Set --workers to 1 or more.")
    if settings.workers > 1 and sys.platform == "win32":
        raise OperatorError(
            "On Windows a server is one process.", "Leave --workers at 1; several servers can share PostgreSQL."
        )
