"""What the rules of groups and resources find, and the commands that do the same."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.errors.common import CallerError


@dataclass(eq=False)
class NoManagementRole(CallerError):
    """`principal` is the object id of a good token, which nobody gave a role on the management API."""

    principal: str


@dataclass(eq=False)
class GroupNotFound(CallerError):
    """No resource group of that name is in the subscription."""

    group: str


@dataclass(eq=False)
class ResourceNotFound(CallerError):
    """No resource of that name is in the group, or anywhere where `group` is empty."""

    resource: str
    group: str = ""


@dataclass(eq=False)
class OperationNotFound(CallerError):
    """No asynchronous operation has this id."""


@dataclass(eq=False)
class BeingDeleted(CallerError):
    """`kind` is `resource group` or `resource`."""

    kind: str
    name: str


@dataclass(eq=False)
class NameTaken(CallerError):
    """Names of resources are unique on the server, as hosts are made of them."""

    name: str


@dataclass(eq=False)
class InvalidName(CallerError):
    """`kind` as in `BeingDeleted`; `rule` is a sentence."""

    kind: str
    rule: str


@dataclass(eq=False)
class InvalidProperty(CallerError):
    """`target` is a JSON path such as `properties.dataLocation`; `reason` is a sentence."""

    target: str
    reason: str


@dataclass(eq=False)
class TooManyResources(CallerError):
    """Resources that share one Host are told apart by trying their keys, so they are few."""

    maximum: int


@dataclass(eq=False)
class KeyTaken(CallerError):
    """A request is told from another resource's by its key alone."""
