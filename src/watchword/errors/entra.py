"""What the rules of exchanges and their assignments find."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.errors.common import CallerError


@dataclass(eq=False)
class InvalidUserToken(CallerError):
    """The token in the body is not one of a Teams user, or is not valid any more; `reason` says which check failed, for
    the operator alone.
    """

    reason: str


@dataclass(eq=False)
class UnexpectedUserToken(CallerError):
    """`field` is `appId` or `userId`; `malformed` where what the caller named is no guid at all."""

    field: str
    malformed: bool


@dataclass(eq=False)
class AssignmentNotFound(CallerError):
    """There is no such assignment in the caller's resource."""
