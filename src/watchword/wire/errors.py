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
from watchword.errors import CallerError, Unavailable

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
    """`lists_versions` says whether the answer carries `api-supported-versions`."""

    status: int
    code: str
    message: str
    target: str | None = None
    lists_versions: bool = True
    headers: tuple[tuple[str, str], ...] = field(default=())

    def body(self) -> bytes:
        return msgspec.json.encode(ErrorResponse(ErrorDetail(self.code, self.message, self.target)))


INTERNAL = WireError(500, "InternalError", "Internal server error.", lists_versions=False)
"""Source: the sentence, identity.md section 3.2. Assumed: the code of an internal error is `InternalError`."""

_Fact = (
    errors.NotAuthenticated
    | errors.NotAllowed
    | errors.IdentityNotOwned
    | errors.IdentityNotFound
    | errors.MalformedIdentity
    | errors.MalformedBody
    | errors.MissingField
    | errors.NoScopes
    | errors.UnknownScope
    | errors.InvalidLifetime
    | errors.InvalidCustomId
    | errors.Unstorable
    | errors.InvalidQuery
    | errors.MalformedGuid
    | errors.InvalidUserToken
    | errors.UnexpectedUserToken
    | errors.AssignmentNotFound
    | errors.InvalidHost
    | errors.ForeignHost
    | errors.UnsupportedApiVersion
    | errors.MissingApiVersion
    | errors.UnknownPath
    | errors.MethodNotAllowed
    | errors.TooLarge
    | errors.TooSlow
    | errors.TooManyRequests
    | errors.NotServed
    | Unavailable
)


_ManagementFact = (
    errors.UnknownOperator
    | errors.OperatorNotAllowed
    | errors.NoManagementRole
    | errors.GroupNotFound
    | errors.ResourceNotFound
    | errors.OperationNotFound
    | errors.BeingDeleted
    | errors.NameTaken
    | errors.InvalidName
    | errors.InvalidProperty
    | errors.TooManyResources
    | errors.KeyTaken
)


def describe(error: CallerError | Unavailable) -> WireError:
    """The contract's words for what went wrong."""
    if isinstance(error, errors.ManagementRefusal):
        return _describe_management(error)  # type: ignore[arg-type]  # As below.
    return _describe(error)  # type: ignore[arg-type]  # Every leaf of CallerError is in _Fact; a test walks the tree.


def _describe(error: _Fact) -> WireError:  # noqa: C901 - one line a fact, read like a table.
    match error:
        case errors.NotAuthenticated(reason):
            # Assumed: a refused signature is told without `api-supported-versions`, like every refused credential.
            return WireError(401, "Denied", f"{DENIED} {reason}", lists_versions=False)
        case errors.NotAllowed(reason):
            return WireError(403, "Forbidden", reason, lists_versions=False)
        case errors.IdentityNotOwned():
            return WireError(401, "IdentityNotOwned", "Provided identity doesn't belong to the resource.")
        case errors.IdentityNotFound():
            # Source: the sentence. Assumed: an identity that is not there is answered with 404 `IdentityNotFound`.
            return WireError(404, "IdentityNotFound", "Provided identity doesn't exist.")
        case errors.MalformedIdentity():
            # Assumed: what is no identifier is a `ValidationError` of `id`.
            return _invalid("Provided identity id has invalid format. It should look like 8:acs:<guid>_<guid>.", "id")
        case errors.MalformedBody(reason, name):
            # Assumed: a body that cannot be read is a `ValidationError`, shaped like those of model validation.
            target = _pascal(name) or None
            where = f"{target}: " if target else "The request body could not be read: "
            return _invalid(f"{where}{reason}.", target, lists_versions=False)
        case errors.MissingField(name):
            target = _pascal(name)
            return _invalid(f"{target}: The {target} field is required.", target, lists_versions=False)
        case errors.NoScopes():
            return _invalid("Invalid scopes - Scopes field is required.", "scopes")
        case errors.UnknownScope(scope, name, allowed):
            # Assumed: an unknown scope is a `ValidationError` that begins like the recorded one.
            known = ", ".join(allowed)
            return _invalid(f"Invalid scopes - {scope!r:.60} is not supported. Supported scopes: {known}.", name)
        case errors.InvalidLifetime(minutes, minimum, maximum):
            interval = f"Value must be within the [{minimum}, {maximum}] interval."
            return _invalid(f"ExpiresInMinutes value {minutes} is invalid. {interval}", "ExpiresInMinutes")
        case errors.InvalidCustomId(length, maximum):
            # Assumed: a custom id that is empty or too long is a `ValidationError` of `customId`.
            return _invalid(f"CustomId must have 1 to {maximum} characters, not {length}.", "customId")
        case errors.Unstorable():
            # Assumed: what cannot be stored is a `ValidationError`.
            return _invalid("A name or value holds a character or a number that cannot be stored.", None)
        case errors.InvalidQuery(parameter, reason):
            return _invalid(f"{parameter}: {reason}", parameter, lists_versions=False)
        case errors.MalformedGuid(name):
            # Assumed: what should be a guid and is none is a `ValidationError`, worded like that of a Teams user's.
            return _invalid(f"Provided {_pascal(name)} has invalid format.", name)
        case errors.InvalidUserToken():
            # Observed: without `api-supported-versions`, as if from a step before the operation.
            return WireError(401, "InvalidAccessToken", "Provided access token is not valid.", lists_versions=False)
        case errors.UnexpectedUserToken(name, malformed):
            return _invalid(_UNEXPECTED[name, malformed], name)
        case errors.AssignmentNotFound():
            # Assumed: an assignment that is not there is answered with 404 `NotFound`.
            return WireError(404, "NotFound", "There is no such assignment.")
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
            return WireError(429, "TooManyRequests", message, headers=_retry(retry_after))
        case errors.NotServed(operation, reason):
            return WireError(501, "NotImplemented", f"{operation} is not served. {reason}")
        case errors.IssuerUnavailable(retry_after, issuer):
            message = f"The signing keys of the issuer {issuer} cannot be fetched, so no token of its can be checked."
            return _unavailable(message, retry_after)
        case errors.WrongClock(retry_after):
            message = "The clock of this server cannot be trusted, so it issues no tokens until that is mended."
            return _unavailable(message, retry_after)
        case Unavailable(retry_after):
            return _unavailable("The server is currently unable to handle the request. Try again shortly.", retry_after)
        case _ as never:
            assert_never(never)


_UNEXPECTED = {
    ("appId", True): "Provided AppId has invalid format.",
    ("appId", False): "AAD application is not the expected one.",
    ("userId", True): "Provided UserId has invalid format.",
    ("userId", False): "Provided AAD token issued for unexpected user.",
}
"""Source: identity.md section 3.2."""


def _describe_management(error: _ManagementFact) -> WireError:  # noqa: C901 - one line a fact, read like a table.
    """The resource manager's words. Source: surroundings.md section 3.1 for the codes of what is not found.

    Assumed: the other codes and all sentences of the management API; the shape of errors is published.
    """
    match error:
        case errors.UnknownOperator(reason):
            return WireError(401, "AuthenticationFailed", reason, lists_versions=False)
        case errors.OperatorNotAllowed():
            message = "A reader may look, and see no secrets; this takes a contributor."
            return WireError(403, "AuthorizationFailed", message, lists_versions=False)
        case errors.NoManagementRole(principal):
            message = (
                f"The principal {principal:.80} has no role on the management API. Assign one with: "
                "watchword role assign --management."
            )
            return WireError(403, "AuthorizationFailed", message, lists_versions=False)
        case errors.GroupNotFound(group):
            return WireError(404, "ResourceGroupNotFound", f"Resource group '{group:.90}' could not be found.")
        case errors.ResourceNotFound(resource, group):
            where = f" in resource group '{group:.90}'" if group else ""
            return WireError(404, "ResourceNotFound", f"Resource '{resource:.63}' was not found{where}.")
        case errors.OperationNotFound():
            return WireError(404, "OperationNotFound", "There is no asynchronous operation with this id.")
        case errors.BeingDeleted(kind, name):
            code = "ResourceGroupBeingDeleted" if kind == "resource group" else "ResourceBeingDeleted"
            return WireError(409, code, f"The {kind} '{name}' is being deleted. Wait for the end of it.")
        case errors.NameTaken(name):
            message = (
                f"The name '{name}' is taken: names of resources are unique on the server, in any case of letters."
            )
            return WireError(409, "NameUnavailable", message, "name")
        case errors.InvalidName(kind, rule):
            code = "InvalidResourceGroupName" if kind == "resource group" else "InvalidResourceName"
            return WireError(400, code, f"The name of the {kind} cannot be used. {rule}", "name")
        case errors.InvalidProperty(target, reason):
            return WireError(400, "InvalidProperty", f"{target}: {reason}", target)
        case errors.TooManyResources(maximum):
            message = f"At most {maximum} resources share one Host. Give each a host of its own with --resource-suffix."
            return WireError(409, "QuotaExceeded", message)
        case errors.KeyTaken():
            return WireError(409, "KeyTaken", "Another resource has one of these access keys, and no two share one.")
        case _ as never:
            assert_never(never)


def _invalid(message: str, target: str | None, *, lists_versions: bool = True) -> WireError:
    return WireError(400, "ValidationError", message, target, lists_versions)


def _unavailable(message: str, retry_after: timedelta) -> WireError:
    return WireError(503, "ServiceUnavailable", message, lists_versions=False, headers=_retry(retry_after))


def _retry(after: timedelta) -> tuple[tuple[str, str], ...]:
    """In whole seconds, and not too early."""
    return (("retry-after", str(max(1, math.ceil(after.total_seconds())))),)


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]
