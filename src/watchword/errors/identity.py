"""What the rules of identities and access tokens find."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.errors.common import CallerError


@dataclass(eq=False)
class IdentityNotOwned(CallerError):
    """The identifier names another resource than the caller's."""


@dataclass(eq=False)
class IdentityNotFound(CallerError):
    """The identifier names the caller's resource, but no identity that is there now."""


@dataclass(eq=False)
class MalformedIdentity(CallerError):
    """The path holds something that is no identifier of an identity."""


@dataclass(eq=False)
class NoScopes(CallerError):
    """A token needs at least one scope."""


@dataclass(eq=False)
class UnknownScope(CallerError):
    """`field` names the list that holds it; `allowed` are the scopes of this api-version."""

    scope: str
    field: str
    allowed: tuple[str, ...]


@dataclass(eq=False)
class InvalidLifetime(CallerError):
    """All three in minutes, the bounds included."""

    minutes: int
    minimum: int
    maximum: int


@dataclass(eq=False)
class InvalidCustomId(CallerError):
    """Length in characters; the custom id itself is never repeated."""

    length: int
    maximum: int
