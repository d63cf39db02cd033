"""`watchword clock`: what is left of a clock that was wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import click

from watchword.cli.help_pages import ExplainedGroup
from watchword.cli.output import format_moment
from watchword.cli.setting_flags import with_settings
from watchword.clock import SystemClock, to_datetime
from watchword.server.terminal import say
from watchword.settings import Settings


@click.group(cls=ExplainedGroup)
def clock() -> None:
    """Fix what a wrong clock left in the database."""


@clock.command()
@with_settings(("data",))
def lower(settings: Settings) -> None:
    """Let the issue times of tokens go on from now, after a clock that was ahead.

    Stop every server on the database first. A server whose clock is behind the last issue time of its database takes it
    for wrong, and issues nothing. Run this where the clock is right now, and was ahead before.
    """
    from watchword.cli.data_folder import own_data_of, transact
    from watchword.storage.clock_marks import lower_high_water

    now = SystemClock().micros()
    # Every server is to be stopped: one that runs is not the one that is meant.
    settings = replace(settings, data=own_data_of(settings))
    lowered = transact(settings, lambda transaction: lower_high_water(transaction, now))
    if lowered.before_micros <= now:
        last = "no issue time is stored"
        if lowered.before_micros:
            last = f"the last issue time is {_moment(lowered.before_micros)}, which is past"
        say(f"There was nothing to do: {last}.")
        return
    say(f"Issue times went on from {_moment(lowered.before_micros)}; they go on from {_moment(now)}.")
    kept = to_datetime(lowered.reserved_micros) + timedelta(hours=25)
    say(
        f"Tokens from the future may exist, so what is revoked now is remembered until {format_moment(kept)}. "
        "To end such tokens, revoke the signing keys: watchword keys revoke."
    )


def _moment(micros: int) -> str:
    return format_moment(to_datetime(micros))
