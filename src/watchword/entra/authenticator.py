"""Whose Entra ID token is this, and what is it for? Its audience says which of four.

    https://communication.azure.com/             a caller that manages a resource, if it has a role on it
    https://communication.azure.com/clients      a user who exchanges the token
    https://auth.msft.communication.azure.com    a user of Teams Phone who exchanges the token
    https://management.azure.com/                a caller of the management API, if it has a role there

Source: identity.md sections 2.2 and 7.1. The official clients ask for the first with a doubled slash. The last is what
Azure's management clients ask for.
"""

from __future__ import annotations

from collections.abc import Sequence

from watchword.entra import store
from watchword.entra.exchanges import EXTENSION_AUDIENCES, NOT_ASSIGNED, USER_AUDIENCES, Exchanges
from watchword.entra.issuers import Issuers
from watchword.entra.provider_tokens import ProviderToken, require_audience
from watchword.entra.roles import CONTRIBUTOR
from watchword.entra.store import Kind
from watchword.errors import InvalidToken, NoManagementRole, NotAllowed, NotAuthenticated
from watchword.resources.store import Resource
from watchword.rest.bearer import bearer_token
from watchword.rest.callers import EVERYTHING, Caller, Manager, Right
from watchword.rest.request import Request
from watchword.rest.resource_hosts import ResourceHosts
from watchword.storage import Database

MANAGEMENT_AUDIENCES = frozenset(f"https://communication.azure.com{slashes}" for slashes in ("", "/", "//"))
SERVER_AUDIENCES = MANAGEMENT_AUDIENCES | {f"https://management.azure.com{slashes}" for slashes in ("", "/", "//")}
"""For the management API. That of the data plane is as good there: what counts is the role."""

_SCHEME = "bearer "
_EXCHANGE = frozenset({Right.EXCHANGE})


class EntraUser(Caller, frozen=True, kw_only=True):
    """A caller that is a user, with the token to exchange."""

    token: ProviderToken
    kind: Kind


class EntraAuthenticator:
    """Takes every bearer token that no authenticator before it knew."""

    def __init__(self, issuers: Issuers, database: Database, exchanges: Exchanges, *, hosts: ResourceHosts) -> None:
        self._issuers = issuers
        self._hosts = hosts
        self._database = database
        self._exchanges = exchanges

    async def authenticate(self, request: Request) -> Caller | None:
        """Judge the bearer token of a request to the data plane.

        Raises:
            NotAuthenticated: the sentence says which of signature, issuer, audience, tenant, expiry or role failed.
            NotAllowed: of a user that is assigned to no resource here.
            IssuerUnavailable: the keys to check the token with are not at hand.
        """
        header = request.headers.get("authorization", "")
        if header[: len(_SCHEME)].lower() != _SCHEME:
            return None
        try:
            token = await self._issuers.verify(header[len(_SCHEME) :].strip())
            if kind := _exchanged_as(token):
                return await self._user(request, token, kind)
            require_audience(token, MANAGEMENT_AUDIENCES)
        except InvalidToken as error:
            raise NotAuthenticated(error.reason) from None
        found = self._of_host(request, await store.resources_with_role(self._database, token.principals))
        if not found:
            raise NotAuthenticated(
                f"The principal {token.object_id:.80} has no role on this resource. Assign one with: "
                "watchword role assign."
            )
        return Caller(_only(found), EVERYTHING, _name(token))

    async def _user(self, request: Request, token: ProviderToken, kind: Kind) -> EntraUser:
        found = self._of_host(request, await self._exchanges.resources_of(token, kind))
        if not found:
            raise NotAllowed(NOT_ASSIGNED)
        return EntraUser(_only(found), _EXCHANGE, "user", token=token, kind=kind)

    def _of_host(self, request: Request, found: Sequence[Resource]) -> list[Resource]:
        named = self._hosts.name(request)
        return [resource for resource in found if named is None or resource.name.lower() == named.lower()]


class EntraManagers:
    """The same of callers of the management API; takes every bearer token that is left."""

    def __init__(self, issuers: Issuers, database: Database) -> None:
        self._issuers = issuers
        self._database = database

    async def authenticate(self, request: Request) -> Manager | None:
        """Judge the bearer token of a request to the management API.

        Raises:
            NotAuthenticated: the sentence says which of signature, issuer, audience, tenant or expiry failed.
            NoManagementRole: the token is good, and of nobody who has a role.
            IssuerUnavailable: the keys to check the token with are not at hand.
        """
        text = bearer_token(request)
        if text is None:
            return None
        try:
            token = await self._issuers.verify(text)
            require_audience(token, SERVER_AUDIENCES)
        except InvalidToken as error:
            raise NotAuthenticated(error.reason) from None
        roles = await store.management_roles(self._database, token.principals)
        if not roles:
            raise NoManagementRole(token.object_id)
        return Manager(_name(token), "contributor" if CONTRIBUTOR in roles else "reader")


def _name(token: ProviderToken) -> str:
    return f"principal {token.application if token.is_application else token.object_id}"


def _exchanged_as(token: ProviderToken) -> Kind | None:
    if not token.audiences.isdisjoint(USER_AUDIENCES):
        return "entra"
    return None if token.audiences.isdisjoint(EXTENSION_AUDIENCES) else "teamsExtension"


def _only(found: Sequence[Resource]) -> Resource:
    if len(found) > 1:
        raise NotAuthenticated(
            f"The token is good for {len(found)} resources at this host, and does not say which is meant. Give each "
            "resource a host of its own."
        )
    return found[0]
