"""Who calls: the check of a request's HMAC, as a dependency of every route."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from fastapi import HTTPException, Request

_AUTHORIZATION = re.compile(r"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=(.+)")
_CLOCK_SKEW = timedelta(minutes=5)


def signature_check(key: bytes) -> Callable[[Request], Awaitable[None]]:
    """The dependency that lets in whoever signed with that key."""

    async def check_signature(request: Request) -> None:
        headers = request.headers
        found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        date, host = headers.get("x-ms-date", ""), headers.get("host", "")
        if found is None or not _is_recent(date):
            raise HTTPException(401, "The request is not signed, or its date is too far from now.")
        digest = base64.b64encode(hashlib.sha256(await request.body()).digest()).decode()
        string_to_sign = f"{request.method}\n{_target(request)}\n{date};{host};{digest}"
        expected = base64.b64encode(hmac.digest(key, string_to_sign.encode(), "sha256")).decode()
        if headers.get("x-ms-content-sha256") != digest or not hmac.compare_digest(expected, found[1]):
            raise HTTPException(401, "The signature does not fit the request.")

    return check_signature


def _target(request: Request) -> str:
    """As the client sent it: what was signed is not decoded."""
    path, query = request.scope["raw_path"].decode(), request.scope["query_string"].decode()
    return f"{path}?{query}" if query else path


def _is_recent(date: str) -> bool:
    try:
        return abs(datetime.now(UTC) - parsedate_to_datetime(date)) <= _CLOCK_SKEW
    except (TypeError, ValueError):
        return False
