"""Who may call the management API: whom any of its authenticators proves, as far as the role reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from watchword.errors import OperatorNotAllowed, UnknownOperator
from watchword.rest.call import Manager, Request

_READING = ("GET", "HEAD")
_SCHEME = "bearer"


class ManagerAuthenticator(Protocol):
    """Answers in three ways: who manages; None for "not my kind of token"; an error for "mine, and bad"."""

    async def authenticate(self, request: Request) -> Manager | None:
        """Raises:
        ManagementRefusal: the token is of this kind, and lets nobody in.
        """
        ...


class Managers:
    """Asks one authenticator after the other."""

    def __init__(self, authenticators: Sequence[ManagerAuthenticator]) -> None:
        self._authenticators = authenticators

    async def authenticate(self, request: Request) -> Manager:
        """Raises:
        UnknownOperator: no token, or one that proves nobody.
        OperatorNotAllowed: a reader may not do this. Source: Azure's Reader sees no keys either.
        """
        manager = await self._find(request)
        if request.method not in _READING and not manager.may_change:
            raise OperatorNotAllowed
        return manager

    async def _find(self, request: Request) -> Manager:
        for authenticator in self._authenticators:
            manager = await authenticator.authenticate(request)
            if manager is not None:
                return manager
        if bearer_token(request) is None:
            raise UnknownOperator("The management API takes an operator's token: Authorization: Bearer wwo_...")
        raise UnknownOperator("The bearer token is none of an operator; those begin with wwo_.")


def bearer_token(request: Request) -> str | None:
    """None where the Authorization header is missing, or of another scheme."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == _SCHEME else None
