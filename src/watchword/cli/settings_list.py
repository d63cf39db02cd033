"""`watchword settings`: every setting with its flag, variable, default and meaning."""

from __future__ import annotations

import os
from dataclasses import fields

import click

from watchword.cli.help_pages import Explained
from watchword.cli.output import json_option, print_json, print_table
from watchword.cli.setting_checks import require_spelled
from watchword.cli.setting_flags import default_of, flag_of, flag_settings
from watchword.cli.settings_in_force import settings_in_force
from watchword.settings import PREFIX, Settings


@click.command(cls=Explained)
@click.option("--markdown", is_flag=True, help="Print the table of the reference page.")
@click.option("--in-force", is_flag=True, help="Print the values in force here, and where each comes from.")
@json_option
def settings(markdown: bool, in_force: bool, as_json: bool) -> None:
    """List every setting and its default, or what is in force."""
    if in_force:
        require_spelled(os.environ)
        found = settings_in_force(os.environ)
        if as_json:
            print_json(found)
        else:
            print_table(("setting", "value", "where it comes from"), [(a.setting, a.value, a.origin) for a in found])
    elif as_json:
        print_json([dict(zip(("flag", "variable", "default", "unit", "help"), row, strict=True)) for row in rows()])
    elif markdown:
        print(markdown_table())
    else:
        shown = [
            (flag, variable, default, f"{text} ({unit})" if unit else text)
            for flag, variable, default, unit, text in rows()
        ]
        print_table(("flag", "variable", "default", "what it does"), shown)


def rows() -> list[tuple[str, str, str, str, str]]:
    """Flag, variable, default, unit and help of each; no flag for a secret."""
    flags = {setting.name: flag_of(setting) for setting in flag_settings()}
    return [
        (
            flags.get(setting.name, ""),
            PREFIX + setting.name.upper(),
            default_of(setting),
            setting.metadata["unit"],
            setting.metadata["help"],
        )
        for setting in fields(Settings)
    ]


def markdown_table() -> str:
    """The table of docs/reference/settings.md."""
    lines = ["| flag | variable | default | unit | what it does |", "|---|---|---|---|---|"]
    for flag, variable, default, unit, text in rows():
        cells = (_code(flag), _code(variable), _code(default), unit, text)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
