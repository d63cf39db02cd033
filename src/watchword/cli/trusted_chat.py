"""`watchword chat threads`, `members`, `redact` and `export`: chats of a resource for whoever manages it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchword.cli.completion import complete_identities
from watchword.cli.connection import connected_to, connection_options, find_connection, trust_for
from watchword.cli.help_pages import Explained
from watchword.cli.output import format_moment, json_option, print_json, print_json_list, print_table
from watchword.cli.questions import require_consent, yes_option
from watchword.errors import OperatorError, reason_of
from watchword.files import written_whole
from watchword.server.folders import find_folders
from watchword.server.terminal import say
from watchword.wire.connection_string import parse_connection_string

if TYPE_CHECKING:
    from watchword.client import TrustedServer

_thread = click.argument("thread", metavar="THREAD")


@contextmanager
def trusted_server(connection_string: str | None, connection_string_file: str | None) -> Iterator[TrustedServer]:
    """A client of the trusted server, by the connection string itself: no user is asked for."""
    from watchword.client import Retries, TrustedServer

    connection = find_connection(connection_string, connection_string_file)
    verify = trust_for(parse_connection_string(connection.text).endpoint, find_folders())
    with (
        connected_to(connection),
        TrustedServer.from_connection_string(connection.text, verify=verify, retries=Retries(count=1)) as server,
    ):
        yield server


@click.command(cls=Explained)
@click.option("--member", metavar="ID", shell_complete=complete_identities, help="Only threads of this user.")
@click.option("--topic", metavar="TEXT", default="", help="Only threads whose topic begins so.")
@click.option("--active-since", type=click.DateTime(), help="Only threads with a message since then, in UTC.")
@click.option("--limit", type=click.IntRange(min=1), help="How many at the most.")
@json_option
@connection_options
def threads(
    member: str | None,
    topic: str,
    active_since: datetime | None,
    *,
    limit: int | None,
    as_json: bool,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """List the threads of a resource, whoever is in them, the one with the newest message first."""
    from watchword.cli.transcript import on_a_terminal

    since = None if active_since is None else active_since.replace(tzinfo=UTC)
    with trusted_server(connection_string, connection_string_file) as server:
        found = islice(server.threads(member=member, topic_prefix=topic, active_since=since), limit)
        if as_json:
            print_json_list(found)
            return
        rows = (
            (
                each.id,
                on_a_terminal(each.topic).replace("\n", " "),
                str(each.participant_count),
                str(each.message_count),
                format_moment(each.last_message),
                "frozen" if each.frozen else "",
            )
            for each in found
        )
        print_table(("thread", "topic", "members", "messages", "newest message", ""), rows)


@click.command(cls=Explained)
@_thread
@click.option("--former", is_flag=True, help="Those, too, who were removed or have left.")
@click.option(
    "--add", metavar="ID", multiple=True, shell_complete=complete_identities, help="Add this user; repeatable."
)
@click.option("--remove", metavar="ID", multiple=True, help="Remove this user.")
@json_option
@connection_options
def members(
    thread: str,
    *,
    former: bool,
    add: tuple[str, ...],
    remove: tuple[str, ...],
    as_json: bool,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """List the members of a thread, after adding and removing some."""
    from watchword.cli.transcript import on_a_terminal
    from watchword.client import ChatParticipant

    with trusted_server(connection_string, connection_string_file) as server:
        refused = server.add_participants(thread, [ChatParticipant(user=each) for each in add]) if add else ()
        if refused:
            raise OperatorError(
                f"Not added: {', '.join(refused)}.", "Are they users of this resource? All others are in."
            )
        for user in remove:
            server.remove_participant(thread, user)
        found = list(server.participants(thread, former=former))
    if as_json:
        print_json(found)
    else:
        rows = [
            (each.user, on_a_terminal(each.display_name or "-"), format_moment(each.read), format_moment(each.removed))
            for each in found
        ]
        print_table(("user", "name", "has read", "removed"), rows)


@click.command(cls=Explained)
@_thread
@click.argument("messages", metavar="MESSAGE...", nargs=-1, required=True)
@yes_option
@connection_options
def redact(
    thread: str,
    messages: tuple[str, ...],
    *,
    yes: bool,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """Take everything that anybody wrote out of messages, for good; that there were some stays visible."""
    what = f"the message {messages[0]}" if len(messages) == 1 else f"{len(messages)} messages"
    require_consent(f"Redact {what} for good?", yes)
    with trusted_server(connection_string, connection_string_file) as server:
        for each in messages:
            server.redact_message(thread, each)
    say(f"Redacted {what}.")


@click.command(cls=Explained)
@click.argument("thread", metavar="[THREAD]", required=False)
@click.option("--user", metavar="ID", shell_complete=complete_identities, help="All that is kept of this user instead.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write, else to standard output."
)
@connection_options
def export(
    thread: str | None,
    *,
    user: str | None,
    output: Path | None,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """Export a thread, or what is kept of a user's chats, as JSON lines."""
    if (thread is None) == (user is None):
        raise click.UsageError("Name a thread, or a user with --user.")
    with trusted_server(connection_string, connection_string_file) as server:
        lines = server.export_user(user) if user is not None else server.export_thread(str(thread))
        if output is None:
            for line in lines:
                sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            return
        count = _write(output, lines)
    say(f"Wrote {count} lines to {output}.")


def _write(output: Path, lines: Iterable[bytes]) -> int:
    """Whole or not at all, and for nobody else to read; how many.

    Raises:
        OperatorError: it is there already, or cannot be written.
    """
    if output.exists():
        raise OperatorError(f"{output} is there already.", "Name another file, or remove it.")
    count = 0
    try:
        with written_whole(output) as file:
            for line in lines:
                file.write(line)
                count += 1
    except OSError as error:
        raise OperatorError(f"{output} cannot be written: {reason_of(error)}.", "Name another file.") from None
    return count
