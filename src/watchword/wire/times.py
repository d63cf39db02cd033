"""Times as they are written on the wire, and read from it; here they are microseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from watchword.clock import to_datetime, to_micros


def format_time(micros: int) -> str:
    """.NET's round-trip form with trailing zeros trimmed: `2022-11-16T09:48:02.723344+00:00`; of time since 1970.

    Observed: identity.md section 3.1. Ours has six digits at the most, where the original has seven.
    """
    seconds, fraction = divmod(micros, 1_000_000)
    digits = f".{fraction:06d}".rstrip("0") if fraction else ""
    return f"{_until_seconds(seconds)}{digits}+00:00"


def format_seconds(micros: int) -> str:
    """`2025-04-14T15:32:27+00:00`. Observed: `lastTokenIssuedAt` has no fraction."""
    return f"{_until_seconds(micros // 1_000_000)}+00:00"


@lru_cache(256)
def _until_seconds(seconds: int) -> str:
    # All requests of one second share it.
    return to_datetime(seconds * 1_000_000).isoformat()[:-6]


def parse_time(text: str) -> int | None:
    """A time of ISO 8601, such as `2026-11-21T01:14:27.5+01:00`, cut off to microseconds; None where it is none.

    A time without an offset is UTC. The sign of an offset such as `+01:00` may have become a space, which is how a form
    decodes it where nobody has escaped it.
    """
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
