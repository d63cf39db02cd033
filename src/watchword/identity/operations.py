"""The Identity API: where Azure's wire meets our rules.

Each operation reads its body, calls the rules, and answers with one of `wire.identity_bodies`.
"""

from __future__ import annotations

from watchword.errors import IdentityNotFound, IdentityNotOwned, MalformedIdentity
from watchword.identifiers import IdentityId, parse_exchanged_user, parse_identity
from watchword.identity.access_tokens import (
    AccessTokens,
    IssuedToken,
    require_lifetime,
    require_scopes,
)
from watchword.identity.identities import LARGEST_PAGE, Filter, Identities, Identity
from watchword.resources.store import Resource
from watchword.rest.call import AnyBinding, Binding, Call
from watchword.rest.callers import Caller
from watchword.rest.doors import Doors
from watchword.rest.paging import moment, next_link, page_size
from watchword.subjects.exchanged_users import ExchangedUsers
from watchword.wire import identity as wire
from watchword.wire import identity_bodies as bodies
from watchword.wire.cursors import read_cursor, write_cursor
from watchword.wire.times import format_seconds, format_time

_DEFAULT_PAGE = 100


class IdentityOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(self, identities: Identities, access_tokens: AccessTokens, users: ExchangedUsers) -> None:
        self._identities = identities
        self._users = users
        self._access_tokens = access_tokens

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        return [
            Binding(wire.CREATE, self.create, doors.clients, work="writes"),
            Binding(wire.GET, self.get, doors.clients),
            Binding(wire.DELETE, self.delete, doors.clients, work="writes"),
            Binding(wire.REVOKE, self.revoke, doors.clients, work="writes"),
            Binding(wire.ISSUE, self.issue, doors.clients),
            Binding(wire.CREATE_EARLY, self.create_early, doors.clients, work="writes"),
            Binding(wire.ISSUE_EARLY, self.issue_early, doors.clients),
            Binding(wire.UPDATE_EARLY, self.update_early, doors.clients, work="writes"),
            Binding(wire.LIST, self.list, doors.clients),
        ]

    async def create(self, call: Call[Caller]) -> bodies.CreatedBody:
        request = wire.read_create(call.request.body, call.version, call.request.ignored)
        # Assumed: a lifetime out of bounds is refused even where no token is asked for.
        minutes = require_lifetime(request.expiresInMinutes)
        asked = request.createTokenWithScopes
        scopes = asked and require_scopes(asked, wire.scopes_of(call.version), "createTokenWithScopes")
        caller = call.caller
        if scopes:
            self._access_tokens.require_right_clock()
        identity, is_new = await self._identities.create(
            caller.resource, request.customId, now_micros=call.now, with_token=bool(scopes)
        )
        token = await self._issue_to(identity, caller, scopes, minutes=minutes, is_noted=is_new) if scopes else None
        # The row of a new one says when it was issued a token; that is what is read back.
        body = self._identity_body(identity, call, None if is_new else token)
        return bodies.CreatedBody(body, _token_body(token) if token else None)

    async def get(self, call: Call[Caller]) -> bodies.IdentityBody:
        identity = await self._identities.get(call.caller.resource, _id(call))
        return self._identity_body(identity, call, None)

    async def delete(self, call: Call[Caller]) -> None:
        # Assumed: the custom id of a deleted identity may be used again, for a new one.
        await self._identities.delete(call.caller.resource, _id(call))

    async def revoke(self, call: Call[Caller]) -> None:
        if (user := parse_exchanged_user(call.id)) is not None:
            await self._revoke_user(call.caller.resource, *user)
        else:
            await self._identities.revoke(call.caller.resource, _id(call))

    async def issue(self, call: Call[Caller]) -> bodies.AccessTokenBody:
        _, token = await self._issue(call)
        return _token_body(token)

    async def create_early(self, call: Call[Caller]) -> bodies.IdentityBody:
        wire.read_create(call.request.body, call.version, call.request.ignored)
        identity, _ = await self._identities.create(call.caller.resource, now_micros=call.now)
        return bodies.IdentityBody(id=str(identity.id))

    async def issue_early(self, call: Call[Caller]) -> bodies.EarlyTokenBody:
        identity, token = await self._issue(call)
        return bodies.EarlyTokenBody(str(identity.id), token.token, format_time(token.expires_micros))

    async def update_early(self, call: Call[Caller]) -> None:
        valid_from = wire.read_update(call.request.body)
        resource, id = call.caller.resource, _id(call)
        if valid_from is None:
            await self._identities.get(resource, id)
        else:
            await self._identities.cut_off(resource, id, valid_from, now_micros=call.now)

    async def list(self, call: Call[Caller]) -> bodies.IdentityPage:
        query = call.request.query
        size = page_size(query, default=_DEFAULT_PAGE, largest=LARGEST_PAGE)
        wanted = Filter(
            custom_id=query.get("customid"),
            created_from_millis=_millis(moment(query, "createdAfter")) or 0,
            created_before_millis=_millis(moment(query, "createdBefore")),
        )
        after = read_cursor(query.get("continuationtoken"), "continuationToken", 16)
        resource = call.caller.resource
        found = await self._identities.list(resource, wanted, after, most=size + 1)
        page = found[:size]
        return bodies.IdentityPage(
            [_listed(identity) for identity in page],
            next_link(call, continuationToken=write_cursor(page[-1].id.flake)) if len(found) > size else None,
        )

    async def _revoke_user(self, resource: Resource, of: str | None, subject: str) -> None:
        if of not in (None, resource.id):
            raise IdentityNotOwned
        if not await self._users.revoke(resource.number, subject):
            raise IdentityNotFound

    async def _issue(self, call: Call[Caller]) -> tuple[Identity, IssuedToken]:
        asked, minutes = wire.read_issue(call.request.body, call.version, call.request.ignored)
        # Assumed: of an unknown scope and a lifetime out of bounds, the lifetime is told.
        minutes = require_lifetime(minutes)
        scopes = require_scopes(asked, wire.scopes_of(call.version), "scopes")
        identity = await self._identities.get(call.caller.resource, _id(call))
        return identity, await self._issue_to(identity, call.caller, scopes, minutes=minutes)

    async def _issue_to(
        self, identity: Identity, caller: Caller, scopes: tuple[str, ...], *, minutes: int, is_noted: bool = False
    ) -> IssuedToken:
        return await self._access_tokens.issue(
            caller.resource, caller.access_key_id, identity, scopes=scopes, minutes=minutes, is_noted=is_noted
        )

    @staticmethod
    def _identity_body(identity: Identity, call: Call[Caller], token: IssuedToken | None) -> bodies.IdentityBody:
        if not wire.shows_details(call.version):
            return bodies.IdentityBody(id=str(identity.id))
        last = token.issued_micros if token else identity.row.last_token_micros
        last_text = None if last is None else format_seconds(last)
        return bodies.IdentityBody(customId=identity.row.custom_id, lastTokenIssuedAt=last_text, id=str(identity.id))


def _id(call: Call[Caller]) -> IdentityId:
    id = parse_identity(call.id)
    if id is None:
        raise MalformedIdentity
    return id


def _token_body(token: IssuedToken) -> bodies.AccessTokenBody:
    return bodies.AccessTokenBody(token.token, format_time(token.expires_micros))


def _listed(identity: Identity) -> bodies.ListedIdentity:
    last = identity.row.last_token_micros
    return bodies.ListedIdentity(
        customId=identity.row.custom_id,
        lastTokenIssuedAt=None if last is None else format_seconds(last),
        id=str(identity.id),
        createdOn=format_time(identity.id.created_millis * 1_000),
    )


def _millis(micros: int | None) -> int | None:
    return None if micros is None else micros // 1_000
