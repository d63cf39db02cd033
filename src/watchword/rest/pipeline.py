"""The way of one request, read downward: what it is, who sent it, what it is answered."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec

from watchword.bounded_cache import bounded_cache
from watchword.clock import ServiceClock
from watchword.errors import (
    CallerError,
    InternalFault,
    InvalidQuery,
    NotServed,
    OperatorError,
    TooLarge,
    Unavailable,
    UnknownPath,
)
from watchword.http.exchange import Exchange
from watchword.http.forwarded import Origins
from watchword.http.methods import METHODS
from watchword.http.request_reader import MAXIMUM_BODY_BYTES
from watchword.rest.call import Accepted, Answer, AnyBinding, Call, EventStream, RawAnswer, Upgrade, Work
from watchword.rest.callers import User
from watchword.rest.cors import Cors
from watchword.rest.doors import Proved, Words
from watchword.rest.hosts import Hosts
from watchword.rest.limits import Limits
from watchword.rest.request import Request
from watchword.rest.routes import Path, Routes
from watchword.rest.waves import ALONE, Wave, Waves, go_alone
from watchword.telemetry.finished import OTHER, Finished
from watchword.telemetry.request_log import RequestLog
from watchword.telemetry.trace_context import find_trace_id
from watchword.telemetry.traffic import Traffic
from watchword.wire import headers
from watchword.wire.errors import INTERNAL, WireError

if TYPE_CHECKING:
    from watchword.telemetry.tracing import Tracing

MOST_PARAMETERS = 100
"""Of a query; no operation knows more than a handful."""

_NOWHERE = Path("")
_JSON = ("content-type", headers.JSON)
_JSON_ERROR = ("content-type", headers.JSON_ERROR)
_EVENTS = (("content-type", "text/event-stream"), ("cache-control", "no-cache"))
_CONTEXT = ("request-context", headers.REQUEST_CONTEXT)
_RETRY_AFTER_A_FAULT = timedelta(seconds=5)
_RETRY_LARGE_BODY = timedelta(seconds=1)

_log = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder()


class Pipeline:
    """What every operation goes through."""

    def __init__(
        self,
        routes: Routes,
        hosts: Hosts,
        origins: Origins,
        *,
        cors: Cors,
        clock: ServiceClock,
        request_log: RequestLog,
        traffic: Traffic,
        strict_transport_security: str | None,
        limits: Limits | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._routes = routes
        self._hosts = hosts
        self._origins = origins
        self._cors = cors
        self._clock = clock
        self._request_log = request_log
        self._traffic = traffic
        self._strict_transport_security = strict_transport_security
        self._limits = limits
        self._tracing = tracing
        # Nobody who only reads waits for a commit.
        self._join: Mapping[Work, Callable[[], Awaitable[Wave]]] = {
            "reads": Waves().join,
            "writes": Waves().join,
            "waits": go_alone,
        }

    def most_body_bytes(self, exchange: Exchange) -> int:
        """What the largest body at a path may be; asked while one arrives that is larger than most are."""
        found = self._routes.find(_without_doubled_slash(exchange.path))
        return found[0].largest_body_bytes(exchange.method) if found is not None else MAXIMUM_BODY_BYTES

    def words(self, path: str) -> Words:
        """Those of the contract that a path is of, which may lead nowhere or be told in part."""
        return self._routes.words(_without_doubled_slash(path))

    async def answer(self, exchange: Exchange) -> None:
        """Carry out the operation that is asked for, or say in the contract's words why not."""
        started = perf_counter()
        exchange.path = _without_doubled_slash(exchange.path)
        correlation = headers.correlation_vector()
        sent = exchange.headers
        path, binding, version = _NOWHERE, None, None
        caller: Proved | None = None
        proved: float | None = None
        ignored: list[str] = []
        answer: Answer | Accepted = None
        error: WireError | None = None
        wave = ALONE
        try:
            self._hosts.require(exchange)
            query = _query(exchange.query)
            version = query.get("api-version")
            path, parts = self._find(exchange)
            if self._cors.answers(exchange, path):
                return
            origin = self._origins.origin(exchange.connection, sent)
            binding = path.choose(exchange.method, version, origin)
            if exchange.finds_no_room:
                raise Unavailable(_RETRY_LARGE_BODY)
            largest = binding.largest_body_bytes
            if exchange.is_too_large or len(exchange.body) > largest:
                raise TooLarge("body", largest)
            port = exchange.connection.server_port
            request = Request(exchange.method, exchange.target, query, sent, origin, port, exchange.body, ignored)
            wave = await self._join[binding.work]()
            caller = await binding.door.admit(request, binding.operation)
            proved = perf_counter() if caller is not None else None
            if self._limits is not None and caller is not None:
                self._limits.take(
                    caller.counted_for,
                    binding.operation,
                    version or "",
                    body=request.body,
                    user=caller.token.identity if isinstance(caller, User) else "",
                    thread=parts.get("chatThreadId", ""),
                )
            now = self._clock.micros(None if caller is None else caller.counted_for)
            answer = await binding.function(Call(binding.operation, version or "", request, caller, parts, now))
            if type(answer) is Upgrade:
                answer = answer.accept(exchange)
        except (CallerError, Unavailable) as refusal:
            error = self._words(exchange, path, binding)(refusal)
        except OperatorError as fault:
            # The installation is at fault, and its operator is told what to do; the caller may come again after that.
            _log.error("request %s was refused: %s", correlation, fault)
            error = self._words(exchange, path, binding)(Unavailable(_RETRY_AFTER_A_FAULT))
        except Exception:  # noqa: BLE001 - whatever it is, the caller learns nothing but its request id.
            _log.exception("request %s failed", correlation)
            error = self._words(exchange, path, binding)(InternalFault())
        echoed = headers.client_request_id(sent)
        told = self._headers(path, sent, correlation, echoed=echoed, error=error)
        told.append(("x-processing-time", f"{(perf_counter() - started) * 1_000:.0f}ms"))
        status = _send(exchange, binding, answer, error=error, told=told)
        finished = Finished(
            request_id=correlation,
            method=exchange.method,
            path=path.template,
            operation=None if binding is None else binding.operation.id,
            version=_told_version(binding, version),
            headers=sent,
            scheme=exchange.connection.scheme,
            status=status,
            code=None if error is None else error.code,
            reason=None if error is None else error.reason,
            resource=None if caller is None else caller.resource_id,
            caller=None if caller is None else caller.name,
            seconds=perf_counter() - started,
            seconds_to_caller=None if proved is None else proved - started,
            ignored=ignored,
        )
        self._traffic.record(finished)
        trace_id = self._tracing.record(finished) if self._tracing is not None else find_trace_id(sent)
        self._request_log.write(finished, trace_id, echoed)
        wave.leave()
        if isinstance(answer, EventStream):
            await answer.write_to(exchange)

    def _find(self, exchange: Exchange) -> tuple[Path, Mapping[str, str]]:
        if exchange.method not in METHODS:
            raise NotServed(exchange.method, "No operation has this method.")
        found = self._routes.find(exchange.path)
        if found is None:
            raise UnknownPath(exchange.path)
        return found

    def _words(self, exchange: Exchange, path: Path, binding: AnyBinding | None) -> Words:
        if binding is not None:
            return binding.door.describe
        return self._routes.words(exchange.path) if path is _NOWHERE else path.describe

    def _headers(
        self, path: Path, sent: Mapping[str, str], correlation: str, *, echoed: str | None, error: WireError | None
    ) -> list[tuple[str, str]]:
        told = [("ms-cv", correlation), _CONTEXT]
        if path.supported_versions and (error is None or error.lists_versions):
            told.append((headers.SUPPORTED_VERSIONS, path.supported_versions))
        if echoed is not None:
            told.append((headers.CLIENT_REQUEST_ID, echoed))
        if self._strict_transport_security is not None and not self._origins.is_loopback(sent.get("host", "")):
            told.append(("strict-transport-security", self._strict_transport_security))
        return told


@bounded_cache(most_entries=256, longest_text=128)
def _query(raw: str) -> Mapping[str, str]:
    """Names in lower case, as the original does not tell them apart; of a repeated name the last value counts.

    Raises:
        InvalidQuery: it has so many parameters that reading them would cost more than all the rest of a request.
    """
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="replace", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise InvalidQuery("query", f"It has more than {MOST_PARAMETERS} parameters.") from None
    return MappingProxyType({name.lower(): value for name, value in pairs})


def _without_doubled_slash(path: str) -> str:
    """Observed: JavaScript doubles the first slash when its endpoint ends in one, identity.md section 2.4."""
    return "/" + path.lstrip("/") if path.startswith("//") else path


def _told_version(binding: AnyBinding | None, version: str | None) -> str | None:
    """The version as it may be told: what is none of the operation's could be anything that somebody typed."""
    if not version:
        return None
    return version if binding is not None and version in binding.known_versions else OTHER


def _send(
    exchange: Exchange,
    binding: AnyBinding | None,
    answer: Answer | Accepted,
    *,
    error: WireError | None,
    told: list[tuple[str, str]],
) -> int:
    """The status of the answer, which has left, but for the events of a stream."""
    if error is not None or binding is None:
        error = error or INTERNAL
        exchange.answer(error.status, [_JSON_ERROR, *told, *error.headers], error.body())
        return error.status
    status = binding.operation.success
    match answer:
        case None:
            status = 204
            exchange.answer(status, told)
        case RawAnswer(body, extra, status):
            exchange.answer(status, [*extra, *told, *binding.operation.told], body)
        case Accepted(extra, on_open):
            status = 101
            exchange.switch([*extra, *told], on_open)
        case EventStream():
            exchange.begin(status, [*_EVENTS, *told])
        case _:
            exchange.answer(status, [_JSON, *told, *binding.operation.told], _encoder.encode(answer))
    return status
