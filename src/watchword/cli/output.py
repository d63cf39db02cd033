"""How commands speak: tables and sentences for people, JSON for programs; what is no answer goes to standard error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import click

from watchword.server.terminal import is_watched

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def print_json(value: object) -> None:
    """Indented JSON; datetimes in ISO 8601."""
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Without lines, so that a cell can be copied and a row can be searched for; colour only on a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    on_terminal = is_watched()
    table = Table(box=SIMPLE_HEAD if on_terminal else None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    # What goes into a pipe or a file is not cut to the width of a terminal that is not there.
    Console(width=None if on_terminal else 10_000).print(table)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """One fact a line, never wrapped: long ones are there to be copied."""
    facts = list(facts)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        print(f"  {name:<{width}}  {value}")


def format_moment(moment: datetime | None) -> str:
    """In local time to the second, or a dash."""
    return "-" if moment is None else moment.astimezone().isoformat(" ", "seconds")
