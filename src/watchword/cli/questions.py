"""What a command asks before it does what cannot be undone."""

from __future__ import annotations

import sys

import click

from watchword.errors import OperatorError

yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def require_consent(question: str, given: bool) -> None:
    """Ask on the terminal, unless consent was `given` already.

    Raises:
        OperatorError: the answer was no, or there is nobody to ask.
    """
    if given:
        return
    if not sys.stdin.isatty():
        raise OperatorError("Nothing was changed: there is no terminal to ask for consent.", "Give it with --yes.")
    if not click.confirm(question, err=True):
        raise OperatorError("Nothing was changed.", "Answer y, or give --yes, to go on.")
