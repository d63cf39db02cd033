"""Settings that make no sense are refused before anything starts: each by a sentence that says what to write instead.

What needs more than the settings to be judged, such as whether a port is free, is refused by whoever needs it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import fields

from watchword.errors import OperatorError
from watchword.settings import PREFIX, Settings, is_service_link

_LARGEST_PORT = 65_535
_AT_LEAST_ONE = (
    "workers", "database_pool", "database_batch", "chat_participants", "chat_batch", "chat_message_bytes",
    "realtime_sockets_of_user",
)  # fmt: skip
_ZERO_OR_MORE = (
    "chat_metadata_bytes", "chat_receipt_participants", "chat_threads_of_user", "chat_messages_of_thread",
    "chat_bytes_of_thread", "chat_retention_days", "realtime_sockets_of_resource",
)  # fmt: skip
_POSITIVE = (
    "database_timeout",
    "head_deadline",
    "body_deadline",
    "answer_deadline",
    "realtime_kept",
    "moderation_timeout",
)
_NOT_NEGATIVE = ("key_lifetime", "key_publish_ahead", "keep_alive", "stop_deadline", "drain_delay")

BOUNDS = (
    (_AT_LEAST_ONE, 1.0, "1 or more"),
    (_ZERO_OR_MORE, 0.0, "0 or more"),
    (_POSITIVE, math.ulp(0.0), "more than 0 seconds"),
    (_NOT_NEGATIVE, 0.0, "0 seconds or more"),
    (("journal_kept",), 120.0, "120 seconds or more"),
)
"""Settings that are numbers, but for ports; each with the least that it may be, in numbers and in words."""

_OTHER_VARIABLES = ("HOME", "ENDPOINT", "OPERATOR_ENDPOINT", "VERIFIER", "SHARED")
"""What programs beside the server are told in variables with the same beginning."""

_LIKENESS = 0.75


def require_spelled(environment: Mapping[str, str]) -> None:
    """Refuse what only looks like a setting.

    Raises:
        OperatorError: a variable is nearly the name of a setting, so that the setting would silently not be in force.
    """
    known = [setting.name.upper() for setting in fields(Settings)]
    for variable in sorted(environment):
        name = variable.removeprefix(PREFIX)
        if not variable.startswith(PREFIX) or name in known or is_of_others(variable, environment):
            continue
        if meant := difflib.get_close_matches(name, known, 1, _LIKENESS):
            raise OperatorError(
                f"{variable} is not a setting; {PREFIX}{meant[0]} is.",
                f"Rename or unset {variable}. `watchword settings` lists every setting.",
            )


def is_of_others(variable: str, environment: Mapping[str, str]) -> bool:
    """Whether a variable that begins like ours is meant for somebody else."""
    return variable.removeprefix(PREFIX) in _OTHER_VARIABLES or is_service_link(variable, environment)


def require_bounds(settings: Settings) -> None:
    """Refuse what no server could do.

    Raises:
        OperatorError: a number is out of its bounds.
    """
    for name in ("port", "operator_port"):
        port = getattr(settings, name)
        if port is not None and not 0 <= port <= _LARGEST_PORT:
            raise _refused(name, f"{port} is not a port", f"from 0 to {_LARGEST_PORT}; 0 picks a free one")
    for names, least, bounds in BOUNDS:
        for name in names:
            number = getattr(settings, name)
            if not math.isfinite(number) or number < least:
                raise _refused(name, f"{number:g} is out of bounds", bounds)


def require_sense(settings: Settings) -> None:
    """Refuse what a server must not start with.

    Raises:
        OperatorError: two settings contradict each other.
    """
    if 0 < settings.key_lifetime < settings.key_publish_ahead:
        raise OperatorError(
            f"A signing key would live for {settings.key_lifetime:g} seconds and be published"
            f" {settings.key_publish_ahead:g} seconds before it signs: it would be replaced before it ever signed.",
            "Make --key-lifetime longer, or --key-publish-ahead shorter, which is the time that verifiers have to fetch"
            " a new key.",
        )
    if not settings.tls and (settings.certificate or settings.certificate_key):
        raise OperatorError(
            "There is a certificate to use, but TLS is off.", "Leave out --no-tls, or --certificate and its key."
        )
    if settings.realtime_kept >= settings.journal_kept:
        raise OperatorError(
            f"Events would be kept for {settings.realtime_kept:g} seconds for a realtime client that is away, and the"
            f" journal, out of which they are sent, for {settings.journal_kept:g}.",
            "Make --realtime-kept shorter than --journal-kept.",
        )
    if settings.operator_port is None and settings.operator_host != Settings().operator_host:
        raise OperatorError(
            "--operator-host has no effect without a port of the operators' own.", "Set --operator-port too."
        )


def _refused(name: str, what: str, bounds: str) -> OperatorError:
    flag, variable = f"--{name.replace('_', '-')}", PREFIX + name.upper()
    return OperatorError(f"{flag} ({variable}): {what}.", f"Write {bounds}.")
