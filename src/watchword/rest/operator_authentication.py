"""Operators on the wire: `Authorization: Bearer wwo_<id>_<secret>`, as Azure's management clients send their tokens."""

from __future__ import annotations

from watchword.errors import NotAuthenticated
from watchword.resources.bearer_secrets import parse_secret
from watchword.resources.operators import PREFIX, prove_operator
from watchword.rest.bearer import bearer_token
from watchword.rest.callers import Manager
from watchword.rest.request import Request
from watchword.storage import Database


class OperatorAuthenticator:
    """Proves which operator calls, as committed at that instant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def authenticate(self, request: Request) -> Manager | None:
        """Find the operator whose token the request carries.

        Raises:
            NotAuthenticated: the token looks like an operator's, and is none's.
        """
        token = parse_secret(PREFIX, bearer_token(request) or "")
        if token is None:
            return None
        operator = await prove_operator(self._database, token)
        if operator is None:
            raise NotAuthenticated("The operator's token is unknown, or was deleted.")
        return Manager(f"operator {operator.id}", operator.role)
