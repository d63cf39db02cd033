"""One call from its first request to its result, told as a conversation without I/O.

    for attempt in ...:  FetchBearer?  ->  Send  ->  Reply or TransportError  ->  result, error, or Pause and again

Whoever drives it, blocking or not, carries out each step and sends the answer in; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

from watchword.client.authentication import Authentication, FetchBearer
from watchword.client.errors import IdentityNotFound, ServiceError, TransportError
from watchword.client.replies import Reply, error_of
from watchword.client.requests import Call, Request
from watchword.client.retries import Retries, may_have_happened
from watchword.clock import Clock

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Send:
    """A step: the answer is a `Reply`, or the `TransportError` that came instead."""

    request: Request
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pause:
    """A step: nothing is to be answered, after that while."""

    delay: timedelta


Step = Send | Pause | FetchBearer


@dataclass(frozen=True, slots=True)
class Terms:
    """What the calls of one client have in common; `host` is the authority as it is sent."""

    host: str
    authentication: Authentication
    retries: Retries
    clock: Clock


def converse(call: Call[Result], terms: Terms) -> Generator[Step, Any, Result]:
    """Hold the conversation that one call takes, with its retries, without any I/O of its own.

    Raises:
        ServiceError: the service said no, and goes on saying so.
        TransportError: no answer came.
    """
    unsure = False
    for tries in count(1):
        proof = yield from terms.authentication.authorize(call.request, terms.host, terms.clock)
        answer: Reply | TransportError = yield Send(call.request, _headers(call.request, terms.host) | proof)
        error: ServiceError | TransportError
        if isinstance(answer, Reply):
            refusal = error_of(answer, terms.clock)
            if refusal is None:
                return call.read(answer)
            error = refusal
        else:
            error = answer
        if unsure and call.wants_absence and isinstance(error, IdentityNotFound):
            # An earlier try was carried out and its reply lost: what the caller wanted is done.
            return call.read(Reply(204, {}, b""))
        delay = terms.retries.delay(tries, error, repeatable=call.repeatable)
        if delay is None:
            raise error
        unsure = unsure or may_have_happened(error)
        yield Pause(delay)
    raise AssertionError("a count has no end")


def _headers(request: Request, host: str) -> dict[str, str]:
    headers = {"Host": host, "Accept": "application/json", "User-Agent": "watchword-client"}
    return headers | {"Content-Type": request.content_type} if request.body else headers
