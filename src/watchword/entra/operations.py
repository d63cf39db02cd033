"""Exchanges and their assignments: where Azure's wire meets our rules."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from watchword.entra.assignments import Assignments
from watchword.entra.authenticator import EntraUser
from watchword.entra.exchanges import ExchangedToken, Exchanges
from watchword.entra.issuers import Issuers
from watchword.entra.provider_tokens import ProviderToken
from watchword.entra.store import Assignment, Kind
from watchword.errors import (
    InvalidToken,
    InvalidUserToken,
    NotAllowed,
    NotAuthenticated,
    UnexpectedUserToken,
)
from watchword.identifiers import parse_guid
from watchword.resources.store import Resource
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.callers import Caller
from watchword.rest.doors import Doors
from watchword.wire import exchanges as wire
from watchword.wire.headers import JSON
from watchword.wire.identity_bodies import AccessTokenBody, CreatedBody, IdentityBody
from watchword.wire.times import format_time

Body = TypeVar("Body", bound=msgspec.Struct)


class EntraOperations:
    def __init__(self, issuers: Issuers, exchanges: Exchanges, assignments: Assignments) -> None:
        self._issuers = issuers
        self._exchanges = exchanges
        self._assignments = assignments

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        return [
            Binding(wire.EXCHANGE_TEAMS, self.exchange_teams, doors.clients, work="waits"),
            Binding(wire.EXCHANGE_EXTENSION, self.exchange_extension, doors.exchangers, work="waits"),
            Binding(wire.GET_EXTENSION, self.get_extension, doors.clients),
            Binding(wire.PUT_EXTENSION, self.put_extension, doors.clients, work="writes"),
            Binding(wire.DELETE_EXTENSION, self.delete_extension, doors.clients, work="writes"),
            Binding(wire.EXCHANGE_ENTRA, self.exchange_entra, doors.exchangers, work="waits"),
            Binding(wire.LIST_ENTRA, self.list_entra, doors.clients),
            Binding(wire.CHANGE_ENTRA, self.change_entra, doors.clients, work="writes"),
            Binding(wire.GET_ENTRA, self.get_entra, doors.clients),
            Binding(wire.PUT_ENTRA, self.put_entra, doors.clients, work="writes"),
            Binding(wire.DELETE_ENTRA, self.delete_entra, doors.clients, work="writes"),
        ]

    async def exchange_teams(self, call: Call[Caller]) -> AccessTokenBody:
        """Observed: the token is checked before the fields beside it, and these one after the other."""
        text, expected = wire.read_teams_user(call.request.body, call.version, call.request.ignored)
        try:
            token = await self._issuers.verify(text)
            self._exchanges.require_teams_user(token, call.now)
        except InvalidToken as error:
            raise InvalidUserToken(error.reason) from None
        if expected is not None:
            _require_expected(token, *wire.require_named(expected))
        try:
            return _token_body(await self._exchanges.exchange_teams(call.caller.resource, token))
        except InvalidToken as error:
            raise InvalidUserToken(error.reason) from None

    async def exchange_entra(self, call: Call[Caller]) -> CreatedBody:
        return await self._exchange(call, "entra")

    async def exchange_extension(self, call: Call[Caller]) -> CreatedBody:
        return await self._exchange(call, "teamsExtension")

    async def _exchange(self, call: Call[Caller], kind: Kind) -> CreatedBody:
        wire.read_exchange(call.request.body, call.version)
        user = call.caller
        if not isinstance(user, EntraUser) or user.kind != kind:
            raise NotAllowed("The audience (aud) of the Entra ID token is that of another exchange.")
        try:
            exchanged = await self._exchanges.exchange(user.resource, user.token, kind)
        except InvalidToken as error:
            raise NotAuthenticated(error.reason) from None
        return CreatedBody(IdentityBody(id=exchanged.identity), _token_body(exchanged))

    async def list_entra(self, call: Call[Caller]) -> wire.EntraAssignmentPage:
        return await self._entra_page(call.caller.resource)

    async def change_entra(self, call: Call[Caller]) -> wire.EntraAssignmentPage:
        """All changes or none. Assumed: the answer lists all assignments, as they are then."""
        resource = call.caller.resource
        changes = {
            object_id: None if request is None else _from_entra(object_id, request)
            for text, request in wire.read_changes(call.request.body).items()
            for object_id in [wire.read_guid(text, "objectId")]
        }
        await self._assignments.change(resource, changes)
        return await self._entra_page(resource)

    async def get_entra(self, call: Call[Caller]) -> wire.EntraAssignmentBody:
        return _entra_body(await self._assignments.get(call.caller.resource, "entra", _object_id(call)))

    async def put_entra(self, call: Call[Caller]) -> wire.EntraAssignmentBody | RawAnswer:
        request = wire.read_entra_assignment(call.request.body)
        wanted = _from_entra(_object_id(call), request)
        is_new = await self._assignments.put(call.caller.resource, "entra", wanted)
        return _put(_entra_body(wanted), is_new=is_new)

    async def delete_entra(self, call: Call[Caller]) -> None:
        # Assumed: deleting an assignment that is not there is answered with 204 as well.
        await self._assignments.delete(call.caller.resource, "entra", _object_id(call))

    async def get_extension(self, call: Call[Caller]) -> wire.ExtensionAssignmentBody:
        object_id, tenant_id = _object_id(call), _tenant_id(call)
        return _extension_body(
            await self._assignments.get(call.caller.resource, "teamsExtension", object_id, tenant_id=tenant_id)
        )

    async def put_extension(self, call: Call[Caller]) -> wire.ExtensionAssignmentBody | RawAnswer:
        request = wire.read_extension_assignment(call.request.body)
        clients = None if request.clientIds is None else wire.read_guids(request.clientIds, "clientIds")
        wanted = Assignment(_object_id(call), _tenant_id(call), request.principalType, clients)
        is_new = await self._assignments.put(call.caller.resource, "teamsExtension", wanted)
        return _put(_extension_body(wanted), is_new=is_new)

    async def delete_extension(self, call: Call[Caller]) -> None:
        object_id, tenant_id = _object_id(call), _tenant_id(call)
        await self._assignments.delete(call.caller.resource, "teamsExtension", object_id, tenant_id=tenant_id)

    async def _entra_page(self, resource: Resource) -> wire.EntraAssignmentPage:
        found = await self._assignments.list(resource, "entra")
        return wire.EntraAssignmentPage([_entra_body(each) for each in found])


def _require_expected(token: ProviderToken, application: str, user: str) -> None:
    for field, named, actual in (("appId", application, token.application), ("userId", user, token.object_id)):
        guid = parse_guid(named)
        if guid is None:
            raise UnexpectedUserToken(field, malformed=True)
        if guid != actual:
            raise UnexpectedUserToken(field, malformed=False)


def _object_id(call: Call[Caller]) -> str:
    return wire.read_guid(call.parts["objectId"], "objectId")


def _tenant_id(call: Call[Caller]) -> str:
    return wire.read_guid(call.parts["tenantId"], "tenantId")


def _token_body(exchanged: ExchangedToken) -> AccessTokenBody:
    return AccessTokenBody(exchanged.token, format_time(exchanged.expires_micros))


def _from_entra(object_id: str, request: wire.EntraAssignmentRequest) -> Assignment:
    tenant_id = wire.read_guid(request.tenantId, "tenantId")
    return Assignment(object_id, tenant_id, request.principalType, wire.read_guids(request.clientIds, "clientIds"))


def _entra_body(assignment: Assignment) -> wire.EntraAssignmentBody:
    clients = list(assignment.clients or ())
    return wire.EntraAssignmentBody(assignment.object_id, assignment.tenant_id, assignment.principal_type, clients)


def _extension_body(assignment: Assignment) -> wire.ExtensionAssignmentBody:
    clients = None if assignment.clients is None else list(assignment.clients)
    return wire.ExtensionAssignmentBody(assignment.object_id, assignment.tenant_id, assignment.principal_type, clients)


def _put(body: Body, *, is_new: bool) -> Body | RawAnswer:
    return body if is_new else RawAnswer(msgspec.json.encode(body), (("content-type", JSON),))
