"""What `doctor` looks at, from the data directory to the door. Nothing is changed, nothing is made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from watchword.certificates import certificate_facts
from watchword.cli.database_checks import check_database, check_disk, check_key_file
from watchword.cli.findings import Finding, ok, problem, told_by, warning
from watchword.clock import MachineClock, to_datetime
from watchword.errors import OperatorError
from watchword.http.sockets import bind
from watchword.server.certificate import LEAF_FOLDER
from watchword.server.folders import Folders
from watchword.server.running import running_servers
from watchword.settings import Settings

_SOON = timedelta(days=30)


def check_installation(settings: Settings, data: Path, folders: Folders, clock: MachineClock) -> list[Finding]:
    """Everything there is to say, in the order in which a server needs it."""
    return [
        *_check_data_directory(data),
        *check_disk(data),
        *check_key_file(settings, data),
        *check_database(settings, data, clock),
        *_check_certificate(settings, folders, clock),
        *_check_port(settings, folders),
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
    if os.name == "posix" and (mode := data.stat().st_mode & 0o077):
        remedy = f"Close it with: chmod 700 {data}"
        if mode & 0o022:
            yield problem(about, f"Others may write to {data}, and so replace the database or its key.", remedy)
        else:
            yield warning(about, f"Others may look into {data}.", remedy)
        return
    yield ok(about, f"{data} is this user's alone.")


def _check_certificate(settings: Settings, folders: Folders, clock: MachineClock) -> Iterator[Finding]:
    about = "certificate"
    if not settings.tls:
        yield ok(about, "TLS is off; a proxy in front has to speak it.")
        return
    leaf, ca = folders.certificates / LEAF_FOLDER, folders.certificates / "ca.pem"
    paths: tuple[Path, Path | None, Path | None]
    if settings.certificate:
        paths = (settings.certificate, settings.certificate_key, None)
    elif ca.exists() or (leaf / "leaf.pem").exists():
        paths = (leaf / "leaf.pem", leaf / "leaf-key.pem", ca)
    else:
        yield ok(about, f"There is none yet; the first start makes a local CA in {folders.certificates}.")
        return
    remedy = (
        "Get a new certificate, and restart the server."
        if settings.certificate
        else f"Remove {leaf} and restart the server: it makes a new certificate under the same CA."
    )
    try:
        facts = certificate_facts(*paths)
    except OperatorError as error:
        yield told_by(about, error) if settings.certificate else problem(about, error.message, remedy)
        return
    now = to_datetime(clock.micros())
    names = ", ".join(facts.names)
    if facts.key_fits is False:
        yield problem(about, f"The key {paths[1]} is not that of {paths[0]}.", remedy)
    elif facts.signed_by_authority is False:
        yield problem(about, f"{paths[0]} was not signed by the local CA {ca}.", remedy)
    elif not facts.starts <= now < facts.expires:
        yield problem(
            about,
            f"It holds from {facts.starts:%Y-%m-%d} to {facts.expires:%Y-%m-%d}, and today is {now:%Y-%m-%d}.",
            f"See that the clock is right. {remedy}",
        )
    elif facts.expires - now < _SOON:
        yield warning(
            about,
            f"It expires on {facts.expires:%Y-%m-%d}.",
            remedy if settings.certificate else "Restart the server: it makes a new one.",
        )
    else:
        yield ok(about, f"It holds for {names} until {facts.expires:%Y-%m-%d}.")


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
