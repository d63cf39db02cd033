"""`watchword chat import`: brings a history in from a file, and goes on after an interruption."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watchword.cli.connection import connected_to, connection_options, find_connection, trust_for
from watchword.cli.help_pages import Explained
from watchword.cli.output import json_option, print_json, print_table
from watchword.cli.progress import shown_progress
from watchword.errors import OperatorError
from watchword.server.folders import find_folders
from watchword.server.terminal import say
from watchword.wire.connection_string import parse_connection_string

if TYPE_CHECKING:
    from watchword.cli.history_rooms import Room
    from watchword.client import HistoryImport, HistoryImports
    from watchword.transfer.exports import Report

_path = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command("import", cls=Explained)
@click.argument("file", type=_path)
@click.option(
    "--from",
    "format",
    type=click.Choice(["matrix", "stream", "watchword"]),
    default="watchword",
    show_default=True,
    help="What wrote the file: Element, Stream Chat, or a Watchword.",
)
@click.option("--users", type=_path, help='JSON file that says who is who: {"@ada:matrix.org": "8:acs:..."}.')
@click.option("--others", metavar="ID", help="The user who stands for all that --users does not name.")
@click.option("--unread", is_flag=True, help="The history counts as unread for its participants.")
@json_option
@connection_options
def import_history(
    file: Path,
    format: str,
    users: Path | None,
    *,
    others: str | None,
    unread: bool,
    as_json: bool,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """Bring a history in from a file, with its original times and senders, into new threads.

    What is interrupted goes on where it was, when the same command is run again.
    """
    rooms = _read(file, format, users, others=others)
    digest = hashlib.sha256(
        repr((format, others)).encode() + file.read_bytes() + (users.read_bytes() if users else b"")
    )
    connection = find_connection(connection_string, connection_string_file)
    verify = trust_for(parse_connection_string(connection.text).endpoint, find_folders())
    from watchword.client import HistoryImports

    with (
        connected_to(connection),
        HistoryImports.from_connection_string(connection.text, verify=verify) as imports,
        shown_progress() as report,
    ):
        done = [(room, _bring(imports, room, digest, unread=unread, report=report)) for room in rooms]
    _tell(done, as_json)


def _bring(imports: HistoryImports, room: Room, digest: Any, *, unread: bool, report: Report) -> HistoryImport:
    """Its id is made of what it holds: so whoever runs the same again goes on."""
    own = digest.copy()
    own.update(room.key.encode())
    total = len(room.records)
    return imports.bring(
        f"file-{own.hexdigest()[:40]}",
        room.topic,
        room.records,
        participants=room.participants.values(),
        created_by=room.created_by,
        unread=unread,
        report=lambda reached: report(room.topic, reached, total),
    )


def _read(file: Path, format: str, users: Path | None, *, others: str | None) -> list[Room]:
    from watchword.cli.history_rooms import as_ours, read_json
    from watchword.cli.matrix_history import read_matrix
    from watchword.cli.stream_history import read_stream
    from watchword.cli.watchword_history import read_watchword

    content = file.read_bytes()
    if format == "watchword":
        rooms = read_watchword(file, content)
    else:
        rooms = (read_matrix if format == "matrix" else read_stream)(file, read_json(file, content))
    known = {} if users is None else read_json(users, users.read_bytes())
    if not isinstance(known, Mapping) or not all(isinstance(each, str) for each in known.values()):
        raise OperatorError(f"{users} does not say who is who.", 'It holds {"@ada:matrix.org": "8:acs:...", ...}.')
    return as_ours(rooms, known, others)


def _tell(done: list[tuple[Room, HistoryImport]], as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    "room": room.key,
                    "thread": each.thread,
                    "messages": each.reached,
                    "not_added": list(each.not_added),
                    "left_out": dict(room.left_out),
                }
                for room, each in done
            ]
        )
        return
    print_table(("thread", "messages", "room"), [(each.thread, str(each.reached), room.key) for room, each in done])
    for room, each in done:
        for user in each.not_added:
            say(f"{room.key}: {user} could not be added.")
        for kind, count in sorted(room.left_out.items()):
            say(f"{room.key}: {count} of {kind} are not brought along.")
