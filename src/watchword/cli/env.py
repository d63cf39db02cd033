"""`watchword env`: lines for the shell; `watchword trust`: the whole system. Both make programs trust the local CA."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from watchword.cli.help_pages import Explained, ExplainedGroup
from watchword.cli.questions import require_consent, yes_option
from watchword.cli.setting_flags import with_settings
from watchword.server.shells import Shell, format_lines, guess_shell
from watchword.server.terminal import say
from watchword.settings import Settings

_dry_run = click.option("--dry-run", is_flag=True, help="Only show the commands that would be run.")


@click.command(cls=Explained)
@click.option(
    "--shell",
    type=click.Choice([shell.value for shell in Shell]),
    help="Shell to write for; by default the login shell.",
)
@click.option("--port", type=int, help="Port of the server that is meant, where several run.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Data directory of the server that is meant, where several run."
)
@with_settings(("encryption_key_file",))
def env(settings: Settings, shell: str | None, port: int | None, *, data: Path | None) -> None:
    """Print shell lines that point every SDK at the running server.

    Prints shell lines that set the connection string and make programs trust the server's certificate; and where the
    server is `watchword dev --entra`, that give programs its managed identity and its application.
    WATCHWORD_OPERATOR_ENDPOINT is the operators' own address, where they have one.

    To be evaluated: eval "$(watchword env)", or in fish: watchword env | source
    """
    from watchword.cli.environment import build_environment
    from watchword.entra.development import application, managed_identity
    from watchword.server.folders import find_folders, make_private
    from watchword.server.installation import read_access_keys
    from watchword.server.running import find_one
    from watchword.wire.connection_string import ConnectionString

    folders = find_folders()
    server = find_one(folders.running, port, data)
    primary, _ = read_access_keys(settings, server.data)
    connection_string = str(ConnectionString(server.endpoint, primary.secret))
    environment = build_environment(connection_string, server.ca, make_private(folders.bundles), current=os.environ)
    variables = environment.variables
    if server.entra:
        variables |= managed_identity(server.endpoint) | application(server.endpoint)
    if server.operator_endpoint:
        variables |= {"WATCHWORD_OPERATOR_ENDPOINT": server.operator_endpoint}
    for warning in environment.warnings:
        say(f"watchword: {warning}")
    chosen = Shell(shell) if shell else guess_shell(os.environ, sys.platform)
    print(format_lines(variables, chosen), end="")


@click.group(cls=ExplainedGroup)
def trust() -> None:
    """Make this system trust the local CA, or no longer."""


@trust.command()
@_dry_run
@yes_option
def install(dry_run: bool, yes: bool) -> None:
    """Make the whole system trust the local CA.

    On Linux browsers have stores of their own in the user's home: this user's are changed as well. As root it asks
    first, since it changes what all users of the machine trust.
    """
    from watchword.cli import browser_stores
    from watchword.cli import trust as store

    ca, system = _local_ca(), store.find_trust_store()
    run = store.print_command if dry_run else None
    if not dry_run and store.is_root_asked(system):
        require_consent(f"Let all programs of this machine trust {ca}?", given=yes)
    browsers = store.browsers_of(system)
    if browsers and browser_stores.is_there():
        store.run_all(browser_stores.install_commands(ca, browsers), run)
        if not dry_run:
            say(f"The browsers of this user, which have stores of their own, trust {ca} now.")
    store.install(ca, system, run)
    if not dry_run:
        say(f"The system trusts {ca} now. `watchword trust remove` undoes it.")
        if browsers and not browser_stores.is_there():
            say(browser_stores.advice(ca))


@trust.command()
@_dry_run
def remove(dry_run: bool) -> None:
    """Make the system, and on Linux this user's browsers, forget the local CA."""
    from watchword.cli import browser_stores
    from watchword.cli import trust as store

    ca, system = _local_ca(), store.find_trust_store()
    run = store.print_command if dry_run else None
    browsers = store.browsers_of(system)
    if browsers and browser_stores.is_there():
        store.run_some(browser_stores.remove_commands(ca, browsers), run)
    store.remove(ca, system, run)
    if not dry_run:
        say(f"The system no longer trusts {ca}.")


def _local_ca() -> Path:
    from watchword.certificates import prepare_authority
    from watchword.clock import SystemClock, to_datetime
    from watchword.server.folders import find_folders

    authority, _ = prepare_authority(find_folders().certificates, to_datetime(SystemClock().micros()))
    return authority.certificate_path
