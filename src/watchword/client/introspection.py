"""Asking the service itself about a token (RFC 7662): exact, and a round trip.

POST /introspect        token=<the token>
{"active":true,"sub":"8:acs:...","scope":"chat voip","exp":1665473669,...}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from watchword.client.errors import TransportError
from watchword.client.fetching import Question, refusal
from watchword.client.replies import Reply
from watchword.client.requests import Request
from watchword.clock import Clock, to_datetime
from watchword.wire.verification import INTROSPECT, IntrospectionBody

_DEADLINE = timedelta(seconds=10)
_LARGEST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Introspection:
    """What the service says of a token at this instant; of an inactive one nothing but that, as a rule.

    `reason` says why a token is inactive, to who holds an access key of the token's resource.
    """

    active: bool
    identity: str | None = None
    resource: str | None = None
    scopes: frozenset[str] = frozenset()
    issued: datetime | None = None
    expires: datetime | None = None
    token_id: str | None = None
    reason: str | None = None


def introspection_question(token: str) -> Question:
    body = urlencode({"token": token}).encode("ascii")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Question(Request("POST", INTROSPECT.path, body), headers, _DEADLINE, _LARGEST_BYTES)


def read_introspection(answer: Reply | TransportError, clock: Clock) -> Introspection:
    """Read the service's answer, or pass on why there is none.

    Raises:
        ServiceError: the service said no.
        TransportError: no answer came.
    """
    if isinstance(answer, TransportError):
        raise answer
    if (error := refusal(answer, clock)) is not None:
        raise error
    try:
        body = msgspec.json.decode(answer.body, type=IntrospectionBody)
    except (ValueError, RecursionError):
        raise answer.unexpected("The reply is not an introspection; is the endpoint right?") from None
    return Introspection(
        active=body.active,
        identity=body.sub,
        resource=body.resource,
        scopes=frozenset((body.scope or "").split()),
        issued=_moment(body.iat),
        expires=_moment(body.exp),
        token_id=body.jti,
        reason=body.reason,
    )


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else to_datetime(seconds * 1_000_000)
