"""Bearer tokens as they stand on the wire (RFC 6750)."""

from __future__ import annotations

from watchword.rest.request import Request

USER_HEADER = "x-skypetoken"
"""Where some clients of chat put a user's access token. Source: surroundings.md."""

_SCHEME = "bearer"


def bearer_token(request: Request) -> str | None:
    """None where the Authorization header is missing, or of another scheme."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == _SCHEME else None
