"""The way of one request, read downward: what it is, who sent it, what it is answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from time import perf_counter
from types import MappingProxyType
from urllib.parse import parse_qsl

import falcon.asgi
import msgspec

from watchword.errors import CallerError, NotAllowed, NotAuthenticated, TooLarge, Unavailable
from watchword.rest.call import (
    Answer,
    Authenticator,
    Call,
    Caller,
    EventStream,
    ManagementBinding,
    ManagementCall,
    Manager,
    PublicBinding,
    RawAnswer,
    Request,
    why_not_allowed,
)
from watchword.rest.forwarded import Origins
from watchword.rest.management_authentication import Managers
from watchword.rest.request_log import RequestLog
from watchword.rest.routes import AnyBinding, Path
from watchword.rest.traffic import Traffic
from watchword.wire import headers
from watchword.wire.errors import INTERNAL, WireError, describe

MAXIMUM_BODY_BYTES = 65_536

_log = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder()


class Pipeline:
    """What every operation goes through."""

    def __init__(
        self,
        authenticators: Sequence[Authenticator],
        origins: Origins,
        request_log: RequestLog,
        strict_transport_security: str | None,
        managers: Managers,
        traffic: Traffic,
    ) -> None:
        self._authenticators = authenticators
        self._origins = origins
        self._request_log = request_log
        self._strict_transport_security = strict_transport_security
        self._managers = managers
        self._traffic = traffic

    async def answer(
        self, path: Path, http: falcon.asgi.Request, response: falcon.asgi.Response, parts: Mapping[str, str]
    ) -> None:
        """Carry out the operation at `path`, or say in the contract's words why not."""
        started = perf_counter()
        correlation = headers.correlation_vector()
        sent = _headers(http.scope)
        query = _query(http.scope["query_string"])
        version = query.get("api-version")
        binding: AnyBinding | None = None
        caller: Caller | Manager | None = None
        error: WireError | None = None
        try:
            origin = self._origins.origin(http.scope, sent)
            # The template: what somebody typed into the path would reach the log with the sentence of a refusal.
            binding = path.choose(http.method, version, f"{origin}{path.template}")
            target = http.scope.get("watchword.target") or _target(http.scope)
            port = (http.scope.get("server") or (None, None))[1]
            request = Request(http.method, target, query, sent, origin, port, await _read_body(http, sent))
            if isinstance(binding, PublicBinding):
                answer = await binding.function(request)
            elif isinstance(binding, ManagementBinding):
                manager = caller = await self._managers.authenticate(request)
                management_call = ManagementCall(binding.operation, version or "", request, manager, parts)
                answer = await binding.function(management_call)
            else:
                # All requests of a tick are read before the first is authenticated: what a step needs then stays in the
                # processor's caches, which one whole request overruns.
                await asyncio.sleep(0)
                caller = await self._authenticate(request)
                if binding.right not in caller.rights:
                    raise NotAllowed(why_not_allowed(caller, binding.right))
                answer = await binding.function(Call(binding.operation, version or "", request, caller, parts))
            _write(response, answer, binding.operation.success)
        except (CallerError, Unavailable) as refusal:
            error = describe(refusal)
        except Exception:  # noqa: BLE001 - whatever it is, the caller learns nothing but its request id.
            _log.exception("request %s failed", correlation)
            error = INTERNAL
        if error is not None:
            _write_error(response, error)
        self._add_headers(response, path, sent, correlation, error, started)
        seconds = perf_counter() - started
        operation = binding.operation if binding is not None else None
        code, is_proved = error.code if error is not None else "", caller is not None
        self._traffic.record(operation, response.status_code, code, version, sent, seconds, is_proved=is_proved)
        self._request_log.write(
            correlation, http.method, path, binding, version, sent, response, error, caller, seconds
        )

    async def refuse(self, http: falcon.asgi.Request, response: falcon.asgi.Response, fact: CallerError) -> None:
        """What leads to no operation at all."""
        started = perf_counter()
        correlation = headers.correlation_vector()
        sent = _headers(http.scope)
        error = describe(fact)
        _write_error(response, error)
        path = Path("")
        self._add_headers(response, path, sent, correlation, error, started)
        seconds = perf_counter() - started
        self._traffic.record(None, error.status, error.code, None, sent, seconds, is_proved=False)
        self._request_log.write(correlation, http.method, path, None, None, sent, response, error, None, seconds)

    async def fail(self, response: falcon.asgi.Response, failure: Exception) -> None:
        """What went wrong beside every operation, perhaps in what adds headers or writes logs: so it needs neither."""
        correlation = headers.correlation_vector()
        _log.error("request %s failed", correlation, exc_info=failure)
        _write_error(response, INTERNAL)
        response.set_header("ms-cv", correlation)

    async def _authenticate(self, request: Request) -> Caller:
        for authenticator in self._authenticators:
            caller = await authenticator.authenticate(request)
            if caller is not None:
                return caller
        if "authorization" not in request.headers:
            raise NotAuthenticated("The Authorization header is missing: sign the request with an access key.")
        raise NotAuthenticated("The scheme of the Authorization header is not HMAC-SHA256.")

    def _add_headers(
        self,
        response: falcon.asgi.Response,
        path: Path,
        sent: Mapping[str, str],
        correlation: str,
        error: WireError | None,
        started: float,
    ) -> None:
        set_header = response.set_header
        set_header("ms-cv", correlation)
        set_header("request-context", headers.REQUEST_CONTEXT)
        if path.supported_versions and (error is None or error.lists_versions):
            set_header(headers.SUPPORTED_VERSIONS, path.supported_versions)
        echoed = headers.echoed_request_id(sent.get(headers.CLIENT_REQUEST_ID))
        if echoed is not None:
            set_header(headers.CLIENT_REQUEST_ID, echoed)
        if self._strict_transport_security is not None and not self._origins.is_loopback(sent.get("host", "")):
            set_header("strict-transport-security", self._strict_transport_security)
        set_header("x-processing-time", f"{(perf_counter() - started) * 1_000:.0f}ms")


def _headers(scope: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    pairs: Sequence[tuple[bytes, bytes]] = scope["headers"]  # type: ignore[assignment]
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


@lru_cache(1024)
def _query(raw: bytes) -> Mapping[str, str]:
    """Names in lower case, as the original does not tell them apart; of a repeated name the last value counts."""
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="replace")
    return MappingProxyType({name.lower(): value for name, value in pairs})


def _target(scope: Mapping[str, object]) -> str:
    query: bytes = scope["query_string"]  # type: ignore[assignment]
    path: bytes = scope["raw_path"]  # type: ignore[assignment]
    return (path + b"?" + query if query else path).decode("latin-1")


async def _read_body(http: falcon.asgi.Request, sent: Mapping[str, str]) -> bytes:
    """Raises:
    TooLarge: before more than the cap is in memory.
    """
    if sent.get("content-length", "0") == "0" and "transfer-encoding" not in sent:
        return b""
    body: bytes = await http.stream.read(MAXIMUM_BODY_BYTES + 1)
    if len(body) > MAXIMUM_BODY_BYTES:
        raise TooLarge("body", MAXIMUM_BODY_BYTES)
    return body


def _write(response: falcon.asgi.Response, answer: Answer, success: int) -> None:
    match answer:
        case None:
            response.status = 204
        case RawAnswer(body, extra, status):
            response.status = status
            response.data = body
            for name, value in extra:
                response.set_header(name, value)
        case EventStream(events):
            response.status = success
            response.sse = events
        case _:
            response.status = success
            response.data = _encoder.encode(answer)
            response.content_type = headers.JSON


def _write_error(response: falcon.asgi.Response, error: WireError) -> None:
    response.status = error.status
    response.data = error.body()
    response.content_type = headers.JSON_ERROR
    for name, value in error.headers:
        response.set_header(name, value)
