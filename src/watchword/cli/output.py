"""How commands speak: tables and sentences for people, JSON for programs; what is no answer goes to standard error."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import click

from watchword.server.terminal import is_watched

_ROWS_THAT_SET_THE_WIDTHS = 1_000

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def print_json(value: object) -> None:
    """Indented JSON; datetimes in ISO 8601."""
    print(_indented(value))


def print_json_list(values: Iterable[object]) -> None:
    """A list, each element as soon as it is there: the whole need not fit into memory."""
    print("[", end="")
    separator = "\n"
    for value in values:
        print(separator + _indented([value])[2:-2], end="")
        separator = ",\n"
    print("]" if separator == "\n" else "\n]")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Draws no lines, so that a cell can be copied and a row can be searched for; prints a row as soon as it is there.


    No cell is ever broken. On a terminal that is too narrow for a row, each is a block: its first cell on a line of its
    own, and the others below it.
    """
    rows = iter(rows)
    first = list(itertools.islice(rows, _ROWS_THAT_SET_THE_WIDTHS))
    widths = [max(map(_width, column)) for column in zip(columns, *first, strict=True)]
    needed = sum(widths) + 2 * (len(widths) - 1)
    if is_watched() and needed > shutil.get_terminal_size().columns:
        _print_blocks(columns, itertools.chain(first, rows))
        return
    heading = _line(columns, widths)
    print(click.style(heading, bold=True) if is_watched() else heading)
    for row in itertools.chain(first, rows):
        print(_line(row, widths))


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """One fact a line, never wrapped: long ones are there to be copied."""
    print("\n".join(fact_lines(facts)))


def fact_lines(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The lines of `print_facts`."""
    facts = list(facts)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        yield f"  {name:<{width}}  {value}"


def format_moment(moment: datetime | None) -> str:
    """Tells the local time to the second, or a dash."""
    return "-" if moment is None else moment.astimezone().isoformat(" ", "seconds")


def print_what_can_be_encoded() -> None:
    """A character that standard output or standard error cannot hold is written as an escape, such as \\u540d.

    Output that is no terminal may have a small code page, as on Windows, and a text of somebody's own must not end a
    command half-way.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _indented(value: object) -> str:
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        # JSON has escapes of its own, which its readers know.
        return "".join(each if each.isascii() else json.dumps(each)[1:-1] for each in text)
    return text


def _print_blocks(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    width = max(map(_width, columns[1:]), default=0)
    for row in rows:
        print(click.style(row[0], bold=True))
        for name, cell in zip(columns[1:], row[1:], strict=True):
            print(f"  {name:<{width}}  {cell}")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    """How many columns a text takes: some characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
