"""`watchword chat`: what a user sees and does in chat, for people at a terminal and for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import click

from watchword.cli.chat_import import import_history
from watchword.cli.completion import complete_identities
from watchword.cli.connection import connected_to, connection_options, find_connection, trust_for
from watchword.cli.help_pages import ExplainedGroup
from watchword.cli.output import json_option, print_facts, print_json, print_table
from watchword.cli.questions import require_consent, yes_option
from watchword.cli.trusted_chat import export, members, redact, threads
from watchword.server.folders import find_folders
from watchword.server.terminal import say
from watchword.wire.connection_string import parse_connection_string

if TYPE_CHECKING:
    from watchword.cli.chat_session import ChatSession

_SHORTEST = timedelta(hours=1)

speaker_option = click.option(
    "--as",
    "user",
    required=True,
    metavar="ID",
    shell_complete=complete_identities,
    help="The user in whose name this is done, such as 8:acs:...",
)
thread_argument = click.argument("thread", metavar="THREAD")


@contextmanager
def speaking_as(user: str, connection_string: str | None, connection_string_file: str | None) -> Iterator[ChatSession]:
    """A session of the user, by a token that is issued for the command, and revoked after it."""
    from watchword.cli.chat_session import ChatSession
    from watchword.client import ServiceError

    connection = find_connection(connection_string, connection_string_file)
    endpoint = parse_connection_string(connection.text).endpoint
    with connected_to(connection) as client:
        issued = client.get_token(user, ["chat"], token_expires_in=_SHORTEST)
        try:
            with ChatSession(endpoint, user, issued.token, verify=trust_for(endpoint, find_folders())) as session:
                yield session
        finally:
            # Only Watchword revokes a single token; elsewhere it ends within the hour.
            with suppress(ServiceError):
                client.revoke_token(issued.token)


@click.group(cls=ExplainedGroup)
def chat() -> None:
    """See and send messages as one of the users of a resource, or manage its chats."""


@chat.command("list")
@speaker_option
@json_option
@connection_options
def list_all(user: str, as_json: bool, connection_string: str | None, *, connection_string_file: str | None) -> None:
    """List the threads that a user is or was in, the one with the newest message first."""
    from watchword.cli.transcript import on_a_terminal

    with speaking_as(user, connection_string, connection_string_file) as session:
        found = list(session.threads())
    if as_json:
        print_json(
            [
                {
                    "id": each.id,
                    "topic": each.topic,
                    "last_message": each.lastMessageReceivedOn,
                    "deleted": each.deletedOn,
                }
                for each in found
            ]
        )
        return
    rows = [
        (each.id, on_a_terminal(each.topic), each.lastMessageReceivedOn or "-", "deleted" if each.deletedOn else "")
        for each in found
    ]
    print_table(("thread", "topic", "newest message", ""), rows)


@chat.command()
@thread_argument
@speaker_option
@click.option("--last", type=click.IntRange(min=1), default=100, help="How many messages; by default 100.")
@json_option
@connection_options
def show(
    thread: str,
    user: str,
    last: int,
    *,
    as_json: bool,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """Show a thread as a user sees it: topic, participants, the newest messages."""
    from watchword.cli.transcript import on_a_terminal, transcript

    with speaking_as(user, connection_string, connection_string_file) as session:
        found = session.thread(thread)
        participants = list(session.participants(thread))
        messages = list(islice(session.messages(thread), last))
    if as_json:
        ordered = sorted(messages, key=lambda each: int(each.sequenceId))
        print_json({"thread": found, "participants": participants, "messages": ordered})
        return
    names = {each.senderCommunicationIdentifier.rawId: each.senderDisplayName or ""
             for each in messages if each.senderCommunicationIdentifier is not None}  # fmt: skip
    names |= {each.communicationIdentifier.rawId: each.displayName or "" for each in participants}
    named = {id: name for id, name in names.items() if name}
    ids = [each.communicationIdentifier.rawId for each in participants]
    people = [f"{on_a_terminal(named[id])} ({id})" if id in named else id for id in ids]
    facts = [("topic", on_a_terminal(found.topic).replace("\n", " ")), ("created", found.createdOn)]
    print_facts([*facts, *(("participant", each) for each in people)])
    print()
    for line in transcript(messages, named):
        print(line)


@chat.command()
@thread_argument
@click.argument("text")
@speaker_option
@click.option("--html", is_flag=True, help="The text is HTML; only what is safe to show in a page is stored.")
@click.option("--sender-name", metavar="NAME", help="The name that is shown with this message.")
@json_option
@connection_options
def send(
    thread: str,
    text: str,
    user: str,
    *,
    html: bool,
    sender_name: str | None,
    as_json: bool,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """Send a message to a thread, and print its id. The text - is standard input."""
    content = sys.stdin.read() if text == "-" and connection_string_file != "-" else text
    with speaking_as(user, connection_string, connection_string_file) as session:
        id = session.send(thread, content, type="html" if html else "text", sender_name=sender_name)
    if as_json:
        print_json({"id": id})
    else:
        print(id)


@chat.command()
@thread_argument
@speaker_option
@click.option("--message", metavar="ID", help="Only this message of the user's own; that there was one stays visible.")
@yes_option
@connection_options
def delete(
    thread: str,
    user: str,
    message: str | None,
    *,
    yes: bool,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """Delete a thread with all its messages for everybody, or one message of the user's own."""
    what = f"the thread {thread}, with all its messages, for everybody" if message is None else f"the message {message}"
    require_consent(f"Delete {what}?", yes)
    with speaking_as(user, connection_string, connection_string_file) as session:
        if message is None:
            session.delete_thread(thread)
        else:
            session.delete_message(thread, message)
    say(f"Deleted {what}.")


chat.add_command(import_history)
for _command in (threads, members, redact, export):
    chat.add_command(_command)
