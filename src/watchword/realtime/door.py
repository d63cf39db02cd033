"""The door of a WebSocket: a session id in the path, which brings along what was proved two steps before."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

import msgspec

from watchword.errors import InvalidToken, NotAllowed, NotAuthenticated, UpgradeRequired
from watchword.realtime.allocations import Allocations
from watchword.realtime.seals import Ticket
from watchword.resources.store import Resource
from watchword.rest.chat_door import require_no_ban
from watchword.rest.doors import Words
from watchword.rest.live_tokens import LiveTokens
from watchword.rest.request import Request
from watchword.rest.resource_hosts import ResourceHosts
from watchword.wire.chat_errors import describe
from watchword.wire.operations import Operation


class Visitor(msgspec.Struct, frozen=True):
    """Whoever has a ticket, whose token is good at this instant."""

    resource: Resource
    ticket: Ticket

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
class SocketDoor:
    """`hosts` are those of resources. Pages of other origins than these may not open sockets, where there are any."""

    allocations: Allocations
    live_tokens: LiveTokens
    hosts: ResourceHosts
    origins: frozenset[str]

    @property
    def schemes(self) -> tuple[str, ...]:
        return ()

    @property
    def describe(self) -> Words:
        return describe

    async def admit(self, request: Request, operation: Operation) -> Visitor:
        """Whoever has a session id.

        Raises:
            UpgradeRequired: no WebSocket is offered; said to everybody, so that a proxy that drops the offer is found.
            NotAllowed: a page of a foreign origin asks.
            NotAuthenticated: nobody was given this session id, or its token is not good any more.
            Restricted: the user is banned from the chats of the resource.
        """
        del operation
        if "websocket" not in request.headers.get("upgrade", "").lower():
            raise UpgradeRequired("a proxy in front may have dropped the offer, or the client made none")
        origin = request.headers.get("origin")
        if self.origins and origin is not None and origin.lower() not in self.origins:
            raise NotAllowed("Pages of this origin may not open sockets: it is none of --cors-origins.")
        sid = unquote(request.target.partition("?")[0].rstrip("/").rpartition("/")[2])
        ticket = self.allocations.open(sid)
        try:
            resource, ban = await self.live_tokens.require(ticket.claims, ticket.kid, self.hosts.name(request))
        except InvalidToken as error:
            raise NotAuthenticated(error.reason) from None
        require_no_ban(ban)
        return Visitor(resource, ticket)
