"""The Identity API's words for what its rules find; what any service may find is worded by `wire.errors`."""

from __future__ import annotations

from watchword import errors
from watchword.errors import CallerError, InternalFault, Unavailable
from watchword.wire.errors import WireError, invalid
from watchword.wire.errors import describe as describe_common


def describe(error: CallerError | InternalFault | Unavailable) -> WireError:  # noqa: C901 - one line a fact, read like a table.
    """What a caller of the Identity API is told."""
    match error:
        case errors.IdentityNotOwned():
            return WireError(401, "IdentityNotOwned", "Provided identity doesn't belong to the resource.")
        case errors.IdentityNotFound():
            # Source: the sentence. Assumed: an identity that is not there is answered with 404 `IdentityNotFound`.
            return WireError(404, "IdentityNotFound", "Provided identity doesn't exist.")
        case errors.MalformedIdentity():
            # Assumed: what is no identifier is a `ValidationError` of `id`.
            return invalid("Provided identity id has invalid format. It should look like 8:acs:<guid>_<guid>.", "id")
        case errors.NoScopes():
            return invalid("Invalid scopes - Scopes field is required.", "scopes")
        case errors.UnknownScope(scope, name, allowed):
            # Assumed: an unknown scope is a `ValidationError` that begins like the recorded one.
            known = ", ".join(allowed)
            return invalid(f"Invalid scopes - {scope!r:.60} is not supported. Supported scopes: {known}.", name)
        case errors.InvalidLifetime(minutes, minimum, maximum):
            interval = f"Value must be within the [{minimum}, {maximum}] interval."
            return invalid(f"ExpiresInMinutes value {minutes} is invalid. {interval}", "ExpiresInMinutes")
        case errors.InvalidCustomId(length, maximum):
            # Assumed: a custom id that is empty or too long is a `ValidationError` of `customId`.
            return invalid(f"CustomId must have 1 to {maximum} characters, not {length}.", "customId")
        case errors.InvalidUserToken(reason):
            # Observed: without `api-supported-versions`, as if from a step before the operation.
            message = "Provided access token is not valid."
            return WireError(401, "InvalidAccessToken", message, lists_versions=False, logged=f"{message} {reason}")
        case errors.UnexpectedUserToken(name, malformed):
            return invalid(_UNEXPECTED[name, malformed], name)
        case errors.AssignmentNotFound():
            # Assumed: an assignment that is not there is answered with 404 `NotFound`.
            return WireError(404, "NotFound", "There is no such assignment.")
        case _:
            return describe_common(error)


_UNEXPECTED = {
    ("appId", True): "Provided AppId has invalid format.",
    ("appId", False): "AAD application is not the expected one.",
    ("userId", True): "Provided UserId has invalid format.",
    ("userId", False): "Provided AAD token issued for unexpected user.",
}
"""Source: identity.md section 3.2."""
