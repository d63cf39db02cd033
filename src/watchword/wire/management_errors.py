"""The management API's words for what its rules find; what any service may find is worded by `wire.errors`."""

from __future__ import annotations

from watchword import errors
from watchword.errors import CallerError, InternalFault, Unavailable
from watchword.wire.errors import WireError
from watchword.wire.errors import describe as describe_common


def describe(error: CallerError | InternalFault | Unavailable) -> WireError:  # noqa: C901 - one line a fact, read like a table.
    """The resource manager's words. Source: surroundings.md section 3.1 for the codes of what is not found.

    Assumed: the other codes and all sentences of the management API; the shape of errors is published.
    """
    match error:
        case errors.NotAuthenticated(reason):
            return WireError(401, "AuthenticationFailed", reason, lists_versions=False)
        case errors.NotAllowed(reason):
            return WireError(403, "AuthorizationFailed", reason, lists_versions=False)
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
        case _:
            return describe_common(error)
