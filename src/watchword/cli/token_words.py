"""What an access token claims, in words; ours, Azure's, or anybody's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from watchword.cli.output import format_moment
from watchword.clock import to_datetime
from watchword.errors import InvalidToken
from watchword.tokens.jwks import decode_base64url

_LATEST_SECONDS = 253_402_300_799
"""The end of the year 9999, beyond which no datetime goes."""


@dataclass(frozen=True)
class DecodedToken:
    """Both parts of JSON, as they stand."""

    header: dict[str, Any]
    claims: dict[str, Any]


def decode(token: str) -> DecodedToken:
    """Decode a token without judging it.

    Raises:
        InvalidToken: it is no JWT.
    """
    parts = token.strip().split(".")
    if len(parts) != 3:
        raise InvalidToken(
            "format",
            "This is no access token: it should have three parts, separated by dots. See that it was copied whole.",
        )
    try:
        header, claims = (msgspec.json.decode(decode_base64url(part), type=dict[str, Any]) for part in parts[:2])
    except (ValueError, RecursionError):
        raise InvalidToken(
            "format", "This is no access token: its parts are not base64url of JSON. See that it was copied whole."
        ) from None
    return DecodedToken(header, claims)


def describe(token: DecodedToken, now: datetime) -> Iterator[tuple[str, str]]:
    """Name and value of everything it claims; what is not known by name comes last, as it stands."""
    rest = dict(token.claims)
    if skypeid := rest.pop("skypeid", None):
        yield "identity", f"8:{skypeid}"
    if "acsScope" in rest:
        yield "scopes", str(rest.pop("acsScope")).replace(",", ", ")
    micros, seconds = rest.pop("iatMicros", None), rest.pop("iat", None)
    if _is_moment(seconds):
        exact = isinstance(micros, int) and micros // 1_000_000 == seconds
        yield "issued", format_moment(to_datetime(seconds * 1_000_000)) + (f" ({micros} microseconds)" if exact else "")
    if _is_moment(rest.get("exp")):
        expires = to_datetime(int(rest.pop("exp")) * 1_000_000)
        yield "expires", f"{format_moment(expires)} ({_distance(expires - now)})"
    for claim, name in (
        ("resourceId", "resource"),
        ("resourceLocation", "data location"),
        ("rgn", "region"),
        ("jti", "token id"),
        ("gen", "generation of the identity"),
        ("resourceGen", "generation of the resource"),
        ("accessKey", "asked for by access key"),
    ):
        if claim in rest:
            yield name, str(rest.pop(claim))
    yield "signed with", f"{token.header.get('alg', 'nothing')}, key {token.header.get('kid', 'not named')}"
    for claim, value in rest.items():
        yield f"claim {claim}", msgspec.json.encode(value).decode()


def _is_moment(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= _LATEST_SECONDS


def _distance(ahead: timedelta) -> str:
    minutes = abs(ahead) // timedelta(minutes=1)
    hours, minutes = divmod(minutes, 60)
    amount = f"{hours} h {minutes} min" if hours else f"{minutes} min"
    return f"in {amount}" if ahead > timedelta(0) else f"{amount} ago"
