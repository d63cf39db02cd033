"""Who proved to be calling, at the doors of a resource's owner and of who manages the server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import msgspec

from watchword.resources.operators import Role
from watchword.resources.store import Resource
from watchword.subjects.subjects import Ban
from watchword.tokens.claims import AccessToken


class Right(Enum):
    """What a caller may do with the resource that it proved to belong to."""

    MANAGE = "manage"
    """Every operation on identities and tokens."""

    VERIFY = "verify"
    """Ask whether tokens are valid, and which are not any more."""

    EXCHANGE = "exchange"
    """Exchange the token that the caller proved itself with, for an access token of its own."""


EVERYTHING = frozenset({Right.MANAGE, Right.VERIFY})
"""What an access key may."""


class Caller(msgspec.Struct, frozen=True):
    """Who proved to be calling.

    `access_key_id` goes into the tokens that it asks for; `name` into the request log. `credential` is the id of what
    it proved itself with, where that is one that can be deleted while it waits.
    """

    resource: Resource
    rights: frozenset[Right]
    name: str
    access_key_id: str | None = None
    credential: str | None = None

    @property
    def resource_id(self) -> str:
        return self.resource.id

    @property
    def counted_for(self) -> int:
        return self.resource.number


class User(msgspec.Struct, frozen=True):
    """A user, by an access token of ours that is good at this instant, signed with the key `kid`; `ban` keeps the user
    out of chats now.
    """

    resource: Resource
    token: AccessToken
    kid: str = ""
    ban: Ban | None = None

    @property
    def name(self) -> str:
        """Who it is stays out of the log."""
        return "user"

    @property
    def resource_id(self) -> str:
        return self.resource.id

    @property
    def counted_for(self) -> int:
        return self.resource.number


@dataclass(frozen=True, slots=True)
class Manager:
    """Who proved to be calling the management API; `name` goes into the request log."""

    name: str
    role: Role

    @property
    def resource_id(self) -> None:
        """It belongs to none."""

    @property
    def counted_for(self) -> None:
        """Its requests are not counted."""

    @property
    def may_change(self) -> bool:
        return self.role == "contributor"


def why_not_allowed(caller: Caller, needed: Right) -> str:
    """The sentence for a caller that lacks a right."""
    if needed is Right.EXCHANGE:
        return "Only the Entra ID token of a user is exchanged here, sent as the bearer token of the request."
    if Right.EXCHANGE in caller.rights:
        return "The Entra ID token of a user is good for exchanges only."
    return "A verifier credential is good for /introspect and /revocations only."
