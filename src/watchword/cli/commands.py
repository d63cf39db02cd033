"""The tree of commands, and how a failure of any of them is told: a sentence and what to do next, no stack trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from watchword.cli.bash_completion import complete_colons
from watchword.cli.chat import chat
from watchword.cli.clock import clock
from watchword.cli.doctor import doctor
from watchword.cli.entra import entra
from watchword.cli.env import env, trust
from watchword.cli.group import group
from watchword.cli.health import health
from watchword.cli.help_pages import COMMAND_GROUPS, write_in_groups
from watchword.cli.identity import identity
from watchword.cli.keys import keys
from watchword.cli.migrate import migrate
from watchword.cli.operator import operator
from watchword.cli.quickstart import quickstart
from watchword.cli.resource import resource
from watchword.cli.role import role
from watchword.cli.serve import dev, serve
from watchword.cli.settings_list import settings
from watchword.cli.token import token
from watchword.cli.transfer import export, import_
from watchword.cli.verifier import verifier
from watchword.errors import CallerError, GroupNotFound, ResourceNotFound, WatchwordError
from watchword.wire.management_errors import describe

_COMMANDS: tuple[click.Command, ...] = (
    dev,
    serve,
    quickstart,
    env,
    trust,
    identity,
    token,
    chat,
    group,
    resource,
    operator,
    verifier,
    role,
    entra,
    keys,
    export,
    import_,
    migrate,
    clock,
    doctor,
    health,
    settings,
)


_INTERRUPTED = 130

_REMEDIES: Mapping[type[WatchwordError], str] = {
    GroupNotFound: "`watchword group list` shows those there are, and `watchword group create` makes one.",
    ResourceNotFound: "`watchword resource list` shows those there are, and `watchword resource create` makes one.",
}
"""What to do next, where the words on the wire are for callers and not for who types a command."""

complete_colons()


class _Root(click.Group):
    """Lists its commands in the order in which one meets them, and tells their failures."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            # As the shell has it of every program that Ctrl-C ended.
            click.echo("watchword: Interrupted.", err=True)
            ctx.exit(_INTERRUPTED)
        except WatchwordError as error:
            # What a rule says of a caller has its words on the wire; commands call the same rules.
            told = describe(error).message if isinstance(error, CallerError) else error
            click.echo(f"watchword: {told}", err=True)
            if remedy := _REMEDIES.get(type(error)):
                click.echo(remedy, err=True)
            ctx.exit(1)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {name: (name, command.get_short_help_str(limit=90)) for name, command in self.commands.items()}
        del ctx
        write_in_groups(COMMAND_GROUPS, rows, formatter, others="Others")

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - so it is called.
        return list(self.commands)


@click.group(
    cls=_Root,
    commands={command.name or "": command for command in _COMMANDS},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="watchword", message="watchword %(version)s", help="Print the version and exit.")
def watchword() -> None:
    """Watchword: a self-hosted service for identities, access tokens and chat, for Azure's SDKs."""
