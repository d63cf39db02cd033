"""How the contract words an error: status, code, sentence and target for every fact that a rule can raise.

    {"error": {"code": "ValidationError", "message": "Invalid scopes - Scopes field is required.", "target": "scopes"}}

Two generations of wording live side by side. Model validation says `"<Prop>: The <Prop> field is required."` with a
target in PascalCase and no `api-supported-versions` header; the service's own checks say what they like, with a target
in camelCase and the header. Source: identity.md section 3.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

import msgspec

from watchword import errors
from watchword.errors import CallerError, InternalFault, Unavailable

DENIED = "Denied by the resource provider."
"""Source: identity.md section 2.1, quoted five times."""


class ErrorDetail(msgspec.Struct, omit_defaults=True):
    """What went wrong: a code for programs, a sentence for people, and the field or parameter that is meant."""

    code: str
    message: str
    target: str | None = None


class ErrorResponse(msgspec.Struct):
    """The one shape of every error."""

    error: ErrorDetail


@dataclass(frozen=True, slots=True)
class WireError:
    """`lists_versions` says whether the answer carries `api-supported-versions`; `logged` is what stands in our own
    log, where that says more than the contract lets the message say.
    """

    status: int
    code: str
    message: str
    target: str | None = None
    lists_versions: bool = True
    headers: tuple[tuple[str, str], ...] = field(default=())
    logged: str = ""

    @property
    def reason(self) -> str:
        """The reason as the log has it."""
        return self.logged or self.message

    def body(self) -> bytes:
        return msgspec.json.encode(ErrorResponse(ErrorDetail(self.code, self.message, self.target)))


INTERNAL = WireError(500, "InternalError", "Internal server error.", lists_versions=False)
"""Source: the sentence, identity.md section 3.2. Assumed: the code of an internal error is `InternalError`."""

_Fact = (
    errors.NotAuthenticated
    | errors.NotAllowed
    | errors.MalformedBody
    | errors.MissingField
    | errors.Unstorable
    | errors.InvalidQuery
    | errors.MalformedGuid
    | errors.InvalidHost
    | errors.ForeignHost
    | errors.UnsupportedApiVersion
    | errors.MissingApiVersion
    | errors.UnknownPath
    | errors.MethodNotAllowed
    | errors.HttpsRequired
    | errors.UpgradeRequired
    | errors.InvalidHandshake
    | errors.TooLarge
    | errors.TooSlow
    | errors.TooManyRequests
    | errors.NotServed
    | errors.IssuerUnavailable
    | errors.WrongClock
    | InternalFault
    | Unavailable
)


def describe(error: CallerError | InternalFault | Unavailable) -> WireError:
    """The words for what any service may find, which a contract has no others for."""
    return _describe(error)  # type: ignore[arg-type]  # Every leaf of CallerError is worded; a test walks the tree.


def _describe(error: _Fact) -> WireError:  # noqa: C901 - one line a fact, read like a table.
    match error:
        case errors.NotAuthenticated(reason):
            # Assumed: a refused signature is told without `api-supported-versions`, like every refused credential.
            return WireError(401, "Denied", f"{DENIED} {reason}", lists_versions=False)
        case errors.NotAllowed(reason):
            return WireError(403, "Forbidden", reason, lists_versions=False)
        case errors.MalformedBody(reason, name):
            # Assumed: a body that cannot be read is a `ValidationError`, shaped like those of model validation.
            target = pascal(name) or None
            where = f"{target}: " if target else "The request body could not be read: "
            return invalid(f"{where}{reason}.", target, lists_versions=False)
        case errors.MissingField(name):
            target = pascal(name)
            return invalid(f"{target}: The {target} field is required.", target, lists_versions=False)
        case errors.Unstorable():
            # Assumed: what cannot be stored is a `ValidationError`.
            return invalid("A name or value holds a character or a number that cannot be stored.", None)
        case errors.InvalidQuery(parameter, reason):
            return invalid(f"{parameter}: {reason}", parameter, lists_versions=False)
        case errors.MalformedGuid(name):
            # Assumed: what should be a guid and is none is a `ValidationError`, worded like that of a Teams user's.
            return invalid(f"Provided {pascal(name)} has invalid format.", name)
        case errors.InvalidHost(reason):
            return WireError(400, "InvalidHost", reason, "Host", lists_versions=False)
        case errors.ForeignHost(host):
            message = (
                f"The host {host} is not served here. Call the server by localhost or an address, or have its operator "
                "name the host with --host-names."
            )
            return WireError(421, "MisdirectedRequest", message, "Host", lists_versions=False)
        case errors.UnsupportedApiVersion(uri, version, served):
            message = f"The HTTP resource that matches the request URI '{uri}' does not support the API version"
            return WireError(
                400, "UnsupportedApiVersion", f"{message} {version!r:.60}. Supported: {', '.join(served)}."
            )
        case errors.MissingApiVersion(served):
            # Assumed: a missing api-version is answered with `ApiVersionUnspecified`, ASP.NET Core's code.
            message = "An API version is required, but was not specified. Add ?api-version= with one of:"
            return WireError(400, "ApiVersionUnspecified", f"{message} {', '.join(served)}.")
        case errors.UnknownPath():
            return WireError(404, "NotFound", "There is no operation at this path.", lists_versions=False)
        case errors.MethodNotAllowed(method, allowed):
            methods = ", ".join(allowed)
            message = f"This path does not answer to {method}, only to: {methods}."
            return WireError(405, "MethodNotAllowed", message, lists_versions=False, headers=(("allow", methods),))
        case errors.HttpsRequired():
            message = "This port speaks https, and the request came as plain http. Write https:// in the endpoint."
            return WireError(400, "HttpsRequired", message, lists_versions=False)
        case errors.UpgradeRequired(reason):
            # Source: RFC 9110, section 15.5.22, and RFC 6455, section 4.4.
            message = f"This operation is a WebSocket: {reason}."
            offered = (("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-version", "13"))
            return WireError(426, "UpgradeRequired", message, lists_versions=False, headers=offered)
        case errors.InvalidHandshake(reason):
            message = f"The handshake of the WebSocket is refused: {reason}."
            return WireError(400, "InvalidHandshake", message, lists_versions=False)
        case errors.TooLarge(part, maximum_bytes):
            status = 413 if part == "body" else 431
            message = f"The request's {part} is larger than {maximum_bytes} bytes."
            return WireError(status, "RequestTooLarge", message, lists_versions=False)
        case errors.TooSlow(part, deadline):
            message = f"The request's {part} was not complete within {deadline.total_seconds():g} seconds."
            return WireError(408, "RequestTimeout", message, lists_versions=False)
        case errors.TooManyRequests(kind, requests, seconds, retry_after):
            # Source: surroundings.md section 1.3, status, code and first sentence of the chat service.
            # Assumed: the identity service words it alike, and sends `Retry-After`.
            message = f"Rate limit exceeded. Of {kind}, a resource may send {requests} requests in {seconds} seconds."
            return WireError(429, "TooManyRequests", message, headers=retry(retry_after))
        case errors.NotServed(operation, reason):
            return WireError(501, "NotImplemented", f"{operation} is not served. {reason}")
        case errors.IssuerUnavailable(retry_after, issuer):
            message = f"The signing keys of the issuer {issuer} cannot be fetched, so no token of its can be checked."
            return unavailable(message, retry_after)
        case errors.WrongClock(retry_after):
            what = "it issues no tokens and creates no chat threads"
            message = f"The clock of this server cannot be trusted, so {what} until that is fixed."
            return unavailable(message, retry_after)
        case Unavailable(retry_after):
            return unavailable("The server is currently unable to handle the request. Try again shortly.", retry_after)
        case InternalFault():
            return INTERNAL
        case _ as never:
            assert_never(never)


def invalid(message: str, target: str | None, *, lists_versions: bool = True) -> WireError:
    return WireError(400, "ValidationError", message, target, lists_versions)


def unavailable(message: str, retry_after: timedelta) -> WireError:
    return WireError(503, "ServiceUnavailable", message, lists_versions=False, headers=retry(retry_after))


def retry(after: timedelta) -> tuple[tuple[str, str], ...]:
    """Tells it in whole seconds, and not too early."""
    return (("retry-after", str(max(1, math.ceil(after.total_seconds())))),)


def pascal(name: str) -> str:
    return name[:1].upper() + name[1:]
