"""The rules of the handshake: what each step gives out, and what it takes for it.

Nothing is kept in a process between two steps. A registration is a row, of a user and an endpoint id; what a step hands
the client for the next one is sealed.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from msgspec.structs import replace

from watchword.clock import Clock, steady_seconds
from watchword.errors import ChatQuotaExceeded, InvalidQuery, NotAuthenticated
from watchword.identifiers import new_request_id, random_bytes
from watchword.realtime.hub import Hub
from watchword.realtime.seals import Seals, Ticket
from watchword.realtime.store import Claim, Client, RegistrationStore
from watchword.rest.callers import User
from watchword.wire.realtime import LIFETIME_SECONDS

SESSION_SECONDS = 60
"""For how long a session id is good for its one socket."""

_COUNTED_SECONDS = 1.0
_EPID = re.compile("[A-Za-z0-9._~-]{1,64}", re.ASCII)
_MICROS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RealtimeLimits:
    """Each is a setting of the same name, with `realtime_` before it; sockets of a resource of 0 are not limited."""

    sockets_of_user: int = 20
    sockets_of_resource: int = 0
    kept: float = 600.0
    """Seconds for which events are kept for a client that is away."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """`sealed` proves it to the next step."""

    ccid: str
    sealed: str
    since_millis: int


class Allocations:
    """`user` was proved by a token that is good at this instant."""

    def __init__(
        self, hub: Hub, store: RegistrationStore, *, seals: Seals, clock: Clock, limits: RealtimeLimits
    ) -> None:
        self._hub = hub
        self._store = store
        self._seals = seals
        self._clock = clock
        self._limits = limits
        self._counted: dict[int, tuple[float, int]] = {}

    async def allocate(self, user: User, epid: str) -> Allocation:
        """Keep events for this client from here on, also where it comes again.

        Raises:
            InvalidQuery: an endpoint id that cannot be one.
            ChatQuotaExceeded: the user, or the resource, has as many sockets as it may.
            Unavailable: the database does not answer.
        """
        client = Client(user.resource.number, user.token.claims.skypeid, _require_epid(epid))
        now_micros = self._clock.micros()
        now_millis = now_micros // 1_000
        oldest_millis = now_millis - round(self._limits.kept * 1_000)
        epoch, low = await self._hub.follow_resource(client.resource)
        if not await self._store.touch(client, epoch, now_millis=now_millis, oldest_millis=oldest_millis):
            await self._require_room(client.resource, now_millis)
            most = self._limits.sockets_of_user
            if not await self._store.admit(
                client, epoch, low, most=most, now_millis=now_millis, oldest_millis=oldest_millis
            ):
                raise ChatQuotaExceeded("realtime sockets of the user", most)
        ccid = urlsafe_b64encode(random_bytes(9)).decode()
        ticket = _ticket(user, epid=epid, ccid=ccid, expires_micros=now_micros + LIFETIME_SECONDS * _MICROS)
        return Allocation(ccid, await self._seals.seal(ticket, "allocation"), now_millis)

    async def begin(self, user: User, epid: str, sealed: str) -> str:
        """A session id: good for one socket, and not for long.

        Raises:
            NotAuthenticated: nothing was allocated to this user under this endpoint id.
        """
        now_micros = self._clock.micros()
        found = self._seals.open(sealed, "allocation", now_micros)
        if found is None or (found.resource, found.claims.skypeid, found.epid) != (
            user.resource.number,
            user.token.claims.skypeid,
            epid,
        ):
            raise NotAuthenticated("The connection was not allocated to this user: allocate one with POST /v4/a.")
        ticket = _ticket(user, epid=epid, ccid=found.ccid, expires_micros=now_micros + SESSION_SECONDS * _MICROS)
        return await self._seals.seal(ticket, "session")

    def open(self, sid: str) -> Ticket:
        """What a session id was given out for.

        Raises:
            NotAuthenticated: nobody was given this session id, or its time is over.
        """
        ticket = self._seals.open(sid, "session", self._clock.micros())
        if ticket is None:
            raise NotAuthenticated("The session id is not good, or not any more.")
        return ticket

    async def claim(self, ticket: Ticket) -> Claim:
        """Spend it for a socket.

        Raises:
            NotAuthenticated: it was spent already, or nothing is kept for its client any more.
            Unavailable: the database does not answer.
        """
        claim = await self._store.claim(ticket, self._clock.micros() // 1_000)
        if claim is None:
            raise NotAuthenticated("The session id was used already, or nothing is kept for its client any more.")
        return claim

    async def forget(self, user: User, epid: str) -> None:
        """Nothing is kept for the client any more."""
        if _EPID.fullmatch(epid):
            await self._store.forget(Client(user.resource.number, user.token.claims.skypeid, epid))

    async def _require_room(self, resource: int, now_millis: int) -> None:
        most = self._limits.sockets_of_resource
        if not most:
            return
        counted = self._counted.get(resource)
        if counted is None or steady_seconds() - counted[0] > _COUNTED_SECONDS:
            if len(self._counted) > 1_000:
                self._counted.clear()
            counted = self._counted[resource] = steady_seconds(), await self._store.count_open(resource, now_millis)
        if counted[1] >= most:
            raise ChatQuotaExceeded("realtime sockets of the resource", most)


def _require_epid(epid: str) -> str:
    if not _EPID.fullmatch(epid):
        raise InvalidQuery("epid", "It must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -")
    return epid


def _ticket(user: User, *, epid: str, ccid: str, expires_micros: int) -> Ticket:
    # Of the claims, what says whether the token is still good: each socket keeps them.
    claims = replace(user.token.claims, csi="", rgn="", acsScope="", resourceLocation="", iss=None, aud=None)
    return Ticket(new_request_id(), claims, user.kid, user.resource.number, epid, ccid, expires_micros)
