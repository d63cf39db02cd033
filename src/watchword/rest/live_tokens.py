"""Whether a token that was verified is good at this instant, by committed state: its time, its resource, its user."""

from __future__ import annotations

from typing import NamedTuple

from watchword.clock import ServiceClock
from watchword.errors import InvalidToken
from watchword.resources.store import Resource, find_resource
from watchword.storage import Database
from watchword.subjects.subjects import Ban, Subjects
from watchword.tokens.claims import Claims
from watchword.tokens.verifier import require_in_time


class Live(NamedTuple):
    """The resource of a token that is good, and what keeps its user out of chats now, if anything does."""

    resource: Resource
    ban: Ban | None


class LiveTokens:
    """Asks at each question, and remembers nothing."""

    def __init__(self, database: Database, subjects: Subjects, clock: ServiceClock) -> None:
        self._database = database
        self._subjects = subjects
        self._clock = clock

    async def require(self, claims: Claims, kid: str, named: str | None = None) -> Live:
        """Let a token pass. Its resource has to be the one that is `named`, where one is.

        Raises:
            InvalidToken: says which check failed.
        """
        resource = await find_resource(self._database, claims.resourceId)
        if resource is None or (named is not None and named != resource.name.lower()):
            raise InvalidToken("resource", "The token is of another resource.")
        now_micros = self._clock.micros(resource.number)
        require_in_time(claims, now_micros)
        ban = await self._subjects.require_live(resource.number, claims, kid)
        if ban is not None and ban.until_millis is not None and ban.until_millis <= now_micros // 1_000:
            ban = None
        return Live(resource, ban)
