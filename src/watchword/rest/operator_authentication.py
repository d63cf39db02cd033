"""Operators on the wire: `Authorization: Bearer wwo_<id>_<secret>`, as Azure's management clients send their tokens."""

from __future__ import annotations

from watchword.errors import OperatorNotAllowed, UnknownOperator
from watchword.resources.bearer_secrets import parse_secret
from watchword.resources.operators import PREFIX, Operator, prove_operator
from watchword.rest.call import Request
from watchword.storage import Database

_READING = ("GET", "HEAD")


class OperatorAuthenticator:
    """Proves who calls the management API, as committed at that instant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def authenticate(self, request: Request) -> Operator:
        """Raises:
        UnknownOperator: no token, or none of an operator.
        OperatorNotAllowed: a reader may not do this. Source: Azure's Reader sees no keys either.
        """
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise UnknownOperator("The management API takes an operator's token: Authorization: Bearer wwo_...")
        token = parse_secret(PREFIX, value.strip())
        if token is None:
            raise UnknownOperator("The bearer token is none of an operator; those begin with wwo_.")
        operator = await prove_operator(self._database, token)
        if operator is None:
            raise UnknownOperator("The operator's token is unknown, or was deleted.")
        if request.method not in _READING and not operator.may_change:
            raise OperatorNotAllowed
        return operator
