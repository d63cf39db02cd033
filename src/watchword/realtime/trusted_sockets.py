"""The rules by which the trusted server sees the sockets of a user, and closes them on every node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from watchword.clock import Clock
from watchword.errors.chat import MalformedParticipant, UserNotFound
from watchword.identifiers import parse_exchanged_user, parse_identity
from watchword.realtime.store import RegistrationStore
from watchword.resources.store import Resource


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """`epid` is the endpoint id that its client chose."""

    epid: str
    seen_millis: int


class TrustedSockets:
    """`user` is an id as it came in the path. `wake` is called once something was appended to the journal."""

    def __init__(self, store: RegistrationStore, clock: Clock, wake: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake

    async def list(self, resource: Resource, user: str) -> Sequence[OpenSocket]:
        """Those that are open, on whichever node.

        Raises:
            MalformedParticipant, UserNotFound: as `require_user`.
        """
        subject = require_user(resource, user)
        found = await self._store.list_open(resource.number, subject, self._clock.micros() // 1_000)
        return [OpenSocket(*each) for each in found]

    async def close(self, resource: Resource, user: str, *, epid: str | None = None) -> None:
        """Close all, or that of one endpoint id; where there is none, nothing happens.

        Raises:
            MalformedParticipant, UserNotFound: as `require_user`.
        """
        subject = require_user(resource, user)
        if await self._store.close(resource.number, subject, epid=epid, now_micros=self._clock.micros()):
            self._wake()


def require_user(resource: Resource, user: str) -> str:
    """The name in tokens of a user of the resource, who need not be there.

    Raises:
        MalformedParticipant: it is no id of a user.
        UserNotFound: it is of another resource.
    """
    identity, exchanged = parse_identity(user), parse_exchanged_user(user)
    if identity is not None and identity.resource == resource.id:
        return identity.skype_id
    if exchanged is not None and exchanged[0] == resource.id:
        return exchanged[1]
    if identity is None and exchanged is None:
        raise MalformedParticipant(user)
    raise UserNotFound
