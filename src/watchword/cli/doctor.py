"""`watchword doctor`: is this installation sound, and what to do if not."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from watchword.cli.findings import Finding
from watchword.cli.help_pages import Explained
from watchword.cli.output import json_option, print_json
from watchword.cli.setting_flags import with_settings
from watchword.settings import Settings

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command(cls=Explained)
@json_option
@with_settings(
    (
        "data", "encryption_key_file", "host", "port", "tls", "certificate", "certificate_key", "public_endpoint",
        "moderation_url", "moderation_secret_file", "moderation_on_failure", "moderation_timeout", "outbound_networks",
    )
)  # fmt: skip
def doctor(settings: Settings, as_json: bool) -> None:
    """See whether this installation is sound.

    Looks at the data directory, its disk, the key, the database, the clock, the certificate, the port and the
    moderation webhook, and says what to do where something is wrong; the exit status is 1 then.
    """
    from watchword.cli.checks import check_installation
    from watchword.cli.data_folder import data_of, find_running
    from watchword.clock import SystemClock
    from watchword.server.folders import find_folders

    folders = find_folders()
    data = data_of(settings)
    if not settings.data and (running := find_running(settings)) is not None:
        settings = replace(settings, port=running.port, tls=running.endpoint.startswith("https:"))
    findings = check_installation(settings, data, folders, clock=SystemClock())
    is_sound = not any(finding.status == "problem" for finding in findings)
    if as_json:
        print_json({"sound": is_sound, "findings": findings})
    else:
        _show(findings)
    if not is_sound:
        sys.exit(1)


def _show(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    for finding in findings:
        console.print(
            Text.assemble((f"{finding.status:<8}", _COLOURS[finding.status]), f"{finding.about}: {finding.message}")
        )
        if finding.remedy:
            console.print(Text(f"{'':8}{finding.remedy}"))
