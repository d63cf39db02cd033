"""What `doctor` looks at, from the data directory to the door. Nothing is changed, nothing is made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from watchword.cli.certificate_checks import check_certificate
from watchword.cli.database_checks import check_database, check_disk, check_key_file
from watchword.cli.findings import Finding, ok, problem, told_by, warning
from watchword.cli.moderation_checks import check_moderation
from watchword.cli.proxy_variables import loopback_goes_to_a_proxy, proxies_in_force
from watchword.cli.realtime_checks import check_realtime
from watchword.clock import MachineClock
from watchword.errors import OperatorError
from watchword.files import opens_to_strangers
from watchword.http.sockets import bind
from watchword.server.folders import Folders
from watchword.server.running import running_servers
from watchword.settings import Settings


def check_installation(settings: Settings, data: Path, folders: Folders, *, clock: MachineClock) -> list[Finding]:
    """Everything there is to say, in the order in which a server needs it."""
    return [
        *_check_data_directory(data),
        *check_disk(data),
        *check_key_file(settings, data),
        *check_database(settings, data, clock),
        *check_certificate(settings, folders, clock),
        *_check_port(settings, folders),
        *check_realtime(settings, folders),
        *check_moderation(settings),
        *_check_proxies(),
    ]


def _check_data_directory(data: Path) -> Iterator[Finding]:
    about = "data directory"
    if not data.is_dir():
        yield problem(
            about,
            f"{data} is not there.",
            "Name the directory with --data, or start `watchword serve` once: it makes a new one.",
        )
        return
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield problem(about, f"This user may not write to {data}.", "Run this as the user who runs the server.")
        return
    status = data.stat()
    if os.name == "posix" and status.st_mode & 0o077:
        remedy = f"Close it with: chmod 700 {data}"
        if not opens_to_strangers(status, 0o077):
            yield warning(about, f"{data} is open to the group {status.st_gid}, which this process is in.", remedy)
        elif opens_to_strangers(status, 0o022):
            yield problem(about, f"Others may write to {data}, and so replace the database or its key.", remedy)
        else:
            yield warning(about, f"Others may look into {data}.", remedy)
        return
    yield ok(about, f"{data} is this user's alone.")


def _check_port(settings: Settings, folders: Folders) -> Iterator[Finding]:
    ours = [server for server in running_servers(folders.running) if server.port == settings.port]
    if ours:
        yield ok("port", f"Port {settings.port} is that of {ours[0]}.")
    else:
        try:
            sockets = bind(settings.host, settings.port)
        except OperatorError as error:
            yield told_by("port", error)
        else:
            for each in sockets:
                each.close()
            yield ok("port", f"Port {settings.port} is free on {', '.join(settings.host)}.")
    try:
        for each in bind(("::1",), 0):
            each.close()
            yield ok("IPv6", "The machine has it.")
            return
    except OperatorError:
        pass
    yield warning("IPv6", "The machine has none: clients reach the server by 127.0.0.1 only.", "Nothing need be done.")


def _check_proxies() -> Iterator[Finding]:
    about, named = "proxy", ", ".join(loopback_goes_to_a_proxy(os.environ))
    if named:
        yield warning(
            about,
            f"The environment names a proxy ({named}), and NO_PROXY does not hold localhost: programs would ask the "
            "proxy for what is on this machine.",
            'Start them after eval "$(watchword env)", which extends NO_PROXY; our own commands need nothing.',
        )
    elif proxies_in_force(os.environ):
        yield ok(about, "One is named by the environment, which excepts localhost.")
    else:
        yield ok(about, "The environment names none.")
