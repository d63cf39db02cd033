"""What listeners heard, put together from the lines of their logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.history.events import Any
from tests.history.hearing_events import Closed, Listening, Opened, Pushed


@dataclass
class Socket:
    """One socket of a listener, with what was heard on it."""

    opened: Opened
    closed: Closed | None = None
    pushes: list[Pushed] = field(default_factory=list)


@dataclass
class ListenerLog:
    """`since` is when all was first promised to be kept; `until` when it last logged anything."""

    user: str = ""
    since: int = 0
    until: int = 0
    sockets: dict[int, Socket] = field(default_factory=dict)
    pushes: list[Pushed] = field(default_factory=list)
    """On all sockets, in the order in which they were heard."""

    def ended(self, socket: Socket) -> int:
        """When nothing more was heard on it: at the end of the history at the latest."""
        return self.until if socket.closed is None else socket.closed.at

    def heard_in(self, room: str) -> list[Pushed]:
        return [each for each in self.pushes if each.room == room]


def read_listeners(events: Iterable[Any]) -> dict[str, ListenerLog]:
    """By name."""
    logs: dict[str, ListenerLog] = defaultdict(ListenerLog)
    for event in events:
        if not isinstance(event, Listening | Opened | Pushed | Closed):
            continue
        log = logs[event.listener]
        log.until = max(log.until, event.at)
        match event:
            case Listening():
                log.user, log.since = event.user, event.at
            case Opened():
                log.sockets[event.socket] = Socket(event)
            case Pushed():
                log.sockets[event.socket].pushes.append(event)
                log.pushes.append(event)
            case Closed():
                log.sockets[event.socket].closed = event
    return dict(logs)
