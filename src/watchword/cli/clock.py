"""`watchword clock`: what is left of a clock that was wrong."""

from __future__ import annotations

from datetime import timedelta

import click

from watchword.cli.output import format_moment
from watchword.cli.setting_flags import with_settings
from watchword.clock import SystemClock, to_datetime
from watchword.server.terminal import say
from watchword.settings import Settings


@click.group()
def clock() -> None:
    """Mend what a wrong clock left in the database."""


@clock.command()
@with_settings(("data",))
def lower(settings: Settings) -> None:
    """Let issue times go on from now, after a clock that was ahead. Stop every server on the database first.

    A server whose clock is behind the last issue time of its database takes it for wrong, and issues nothing. Run this
    where the clock is right now, and was ahead before.
    """
    from watchword.cli.data_folder import transact
    from watchword.storage.clock_watch import lower_high_water

    now = SystemClock().micros()
    lowered = transact(settings, lambda transaction: lower_high_water(transaction, now))
    if lowered.before_micros <= now:
        say(f"Nothing was to do: the last issue time is {_moment(lowered.before_micros)}, which is past.")
        return
    say(f"Issue times went on from {_moment(lowered.before_micros)}; they go on from {_moment(now)}.")
    kept = to_datetime(lowered.reserved_micros) + timedelta(hours=25)
    say(
        f"Tokens from the future may exist, so what is revoked now is remembered until {format_moment(kept)}. "
        "To end such tokens, revoke the signing keys: watchword keys revoke."
    )


def _moment(micros: int) -> str:
    return format_moment(to_datetime(micros)) if micros else "none"
