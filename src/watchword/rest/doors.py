"""Doors: who is let in to an operation, by what, and in whose words who is not let in is told so.

CLIENTS     an access key, or an Entra ID token with a role      the owner of a resource
VERIFIERS   the same, or a verifier credential                   who checks tokens
EXCHANGERS  a user's Entra ID token                              who wants one of ours for it
USERS       an access token of ours                              a chat or calling client
OPERATORS   an operator's token, or an Entra ID token            who manages the server
CONSOLE     a session of the console                             a person
NOBODY      everybody                                            keys, health, descriptions
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from watchword.errors import CallerError, InternalFault, NotAllowed, NotAuthenticated, Unavailable
from watchword.rest.bearer import bearer_token
from watchword.rest.callers import Caller, Manager, Right, User, why_not_allowed
from watchword.rest.request import Request
from watchword.wire.errors import WireError
from watchword.wire.errors import describe as describe_common
from watchword.wire.identity_errors import describe
from watchword.wire.management_errors import describe as describe_management
from watchword.wire.operations import Operation

_READING = ("GET", "HEAD")


class Proved(Protocol):
    """Whoever was let in. `name` goes into the request log; `resource_id` and `counted_for` are those of the resource
    that it belongs to, if it belongs to one: by the latter its requests are counted.
    """

    @property
    def name(self) -> str: ...

    @property
    def resource_id(self) -> str | None: ...

    @property
    def counted_for(self) -> int | None: ...


Who = TypeVar("Who")
Who_co = TypeVar("Who_co", covariant=True)

Words = Callable[[CallerError | InternalFault | Unavailable], WireError]
"""The contract's words for what went wrong."""


class Authenticator(Protocol[Who_co]):
    """Answers in three ways: the caller; None for "not my scheme"; an error for "mine, and bad"."""

    async def authenticate(self, request: Request) -> Who_co | None:
        """Prove who sent the request.

        Raises:
            NotAuthenticated: the request uses this scheme and proves nobody.
        """
        ...


class Door(Protocol[Who_co]):
    """`schemes` are those of the OpenAPI document, of which one is enough; `describe` has the words of its contract."""

    @property
    def schemes(self) -> tuple[str, ...]: ...

    @property
    def describe(self) -> Words: ...

    async def admit(self, request: Request, operation: Operation) -> Who_co:
        """Prove who sent the request, and that they may pass.

        Raises:
            NotAuthenticated: nobody was proved; the sentence says what this door wants.
            NotAllowed: somebody was, who may not pass here.
        """
        ...


def let_pass(caller: object, request: Request, operation: Operation) -> None:
    """Whoever was proved may pass."""
    del caller, request, operation


@dataclass(frozen=True, slots=True)
class Guarded(Generic[Who]):
    """Asks one authenticator after the other.

    `refuse` makes the error for whom none of them knows; `require` raises where who was proved may not pass.
    """

    schemes: tuple[str, ...]
    describe: Words
    authenticators: tuple[Authenticator[Who], ...]
    refuse: Callable[[Request], CallerError]
    require: Callable[[Who, Request, Operation], None] = let_pass

    async def admit(self, request: Request, operation: Operation) -> Who:
        for authenticator in self.authenticators:
            caller = await authenticator.authenticate(request)
            if caller is not None:
                self.require(caller, request, operation)
                return caller
        raise self.refuse(request)


class _Worded(Generic[Who]):
    """The same door in other words; `admit` is the very same, so that it costs a request nothing."""

    def __init__(self, door: Door[Who], describe: Words) -> None:
        self.schemes = door.schemes
        self.describe = describe
        self.admit = door.admit


def in_words_of(describe: Words, door: Door[Who]) -> Door[Who]:
    """A door that lets in the same callers, for operations of a contract that says otherwise why not.

    in_words_of(chat_errors.describe, doors.users)
    """
    return _Worded(door, describe)


@dataclass(frozen=True, slots=True)
class Open:
    """Asks nobody who they are."""

    describe: Words
    schemes: tuple[str, ...] = ()

    async def admit(self, request: Request, operation: Operation) -> None:
        del request, operation


@dataclass(frozen=True, slots=True)
class Doors:
    """Those of a server, open for as long as it runs."""

    clients: Door[Caller]
    verifiers: Door[Caller]
    exchangers: Door[Caller]
    users: Door[User]
    operators: Door[Manager]
    nobody: Door[None]


def make_doors(
    *,
    callers: Sequence[Authenticator[Caller]],
    users: Door[User],
    managers: Sequence[Authenticator[Manager]],
) -> Doors:
    """Callers of a resource prove who they are in the same ways at three doors, which differ in what they ask for."""

    def of_resource(right: Right, *schemes: str) -> Guarded[Caller]:
        def require(caller: Caller, request: Request, operation: Operation) -> None:
            del request, operation
            if right not in caller.rights:
                raise NotAllowed(why_not_allowed(caller, right))

        return Guarded(schemes, describe, tuple(callers), _refuse_client, require)

    return Doors(
        clients=of_resource(Right.MANAGE, "accessKey"),
        verifiers=of_resource(Right.VERIFY, "accessKey", "entra", "verifier", "verifierBasic"),
        exchangers=of_resource(Right.EXCHANGE, "entra"),
        users=users,
        operators=Guarded(("operator",), describe_management, tuple(managers), _refuse_operator, _require_role),
        nobody=Open(describe_common),
    )


def _refuse_client(request: Request) -> NotAuthenticated:
    if "authorization" not in request.headers:
        return NotAuthenticated("The Authorization header is missing: sign the request with an access key.")
    return NotAuthenticated("The scheme of the Authorization header is not HMAC-SHA256.")


def _refuse_operator(request: Request) -> NotAuthenticated:
    if bearer_token(request) is None:
        return NotAuthenticated("The management API takes an operator's token: Authorization: Bearer wwo_...")
    return NotAuthenticated("The bearer token is none of an operator; those begin with wwo_.")


def _require_role(manager: Manager, request: Request, operation: Operation) -> None:
    """Source: Azure's Reader sees no keys either."""
    del operation
    if request.method not in _READING and not manager.may_change:
        raise NotAllowed("A reader may look, and see no secrets; this takes a contributor.")
