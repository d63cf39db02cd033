"""Who is here: users with an open socket in this process, and the threads that they take part in."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator

from watchword.clock import steady_seconds
from watchword.errors import InvalidToken
from watchword.journal.entries import Interest
from watchword.realtime.session import Session
from watchword.tokens.cutoffs import CutOffs, require_live

KINDS = ("participantsAdded", "threadCreated")
"""By these a thread becomes one of somebody who is here already."""

CLOSING = ("userBanned", "socketsClosed")
"""By these sockets of a user end: all, or that of the registration whose number stands behind a slash."""

CLAIMED, RELEASED = "registrationClaimed", "registrationReleased"
"""Signals between those who hold a registration, one after the other."""


AWAY_SECONDS = 60.0
"""For how long somebody whose last socket has ended is still known, with the threads: most come back at once."""

MOST_AWAY = 100_000
"""Of those, with their parts in threads; of more, who left first is forgotten."""


class User:
    """`parts` are the threads, each with the time from which on the user sees messages.

    They are all of them once `known_since` is not None: every part that ended after this entry is noticed, and the last
    one that did, ended with the entry `left_at`; `joins` counts those that were seen to begin. Who asks the database
    for them holds `asking`.
    """

    __slots__ = ("asking", "joins", "known_since", "left_at", "parts", "resource", "sessions", "subject")

    def __init__(self, resource: int, subject: str) -> None:
        self.resource = resource
        self.subject = subject
        self.sessions: set[Session] = set()
        self.parts: dict[int, int] = {}
        self.known_since: int | None = None
        self.joins = self.left_at = 0
        self.asking = asyncio.Lock()


class Roster:
    """Also who was here a moment ago. `drop_away` and `unlink` say which threads nobody has to follow any more."""

    def __init__(self) -> None:
        self._users: dict[tuple[int, str], User] = {}
        self._threads: dict[int, dict[str, User]] = {}
        self._resources: defaultdict[int, set[User]] = defaultdict(set)
        self.sessions: set[Session] = set()
        self.by_registration: dict[int, Session] = {}
        self._away: OrderedDict[User, tuple[float, int]] = OrderedDict()
        self._away_size = 0

    def find(self, resource: int, subject: str) -> User | None:
        return self._users.get((resource, subject))

    def follows(self, thread: int) -> bool:
        return thread in self._threads

    def of_user(self, session: Session) -> User | None:
        return self._users.get((session.resource, session.subject))

    def of_thread(self, thread: int) -> Collection[User]:
        return self._threads.get(thread, {}).values()

    def claim(self, session: Session) -> Session | None:
        """Whoever had its registration here before: from now on it has, unless it has ended or a newer one is here."""
        registration = session.claim.registration
        former = self.by_registration.get(registration)
        if session.has_ended or (former is not None and former.claim.number >= session.claim.number):
            return None
        self.by_registration[registration] = session
        return former

    def add(self, session: Session) -> User:
        resource = session.resource
        user = self._users.get((resource, session.subject))
        if user is None:
            user = self._users[(resource, session.subject)] = User(resource, session.subject)
            self._resources[resource].add(user)
        if user in self._away:
            self._away_size -= self._away.pop(user)[1]
        user.sessions.add(session)
        self.sessions.add(session)
        return user

    def remove(self, session: Session) -> None:
        """Its user is known for a while yet, for the next socket."""
        self.sessions.discard(session)
        if self.by_registration.get(session.claim.registration) is session:
            del self.by_registration[session.claim.registration]
        user = self.of_user(session)
        if user is not None and session in user.sessions:
            user.sessions.discard(session)
            if not user.sessions:
                self._away[user] = (steady_seconds(), size := 1 + len(user.parts))
                self._away_size += size

    def drop_away(self) -> list[int]:
        """Forget who has been away for too long; the threads that nobody here takes part in any more."""
        gone: list[int] = []
        oldest = steady_seconds() - AWAY_SECONDS
        while self._away:
            user, (since, size) = next(iter(self._away.items()))
            if since > oldest and self._away_size <= MOST_AWAY:
                break
            del self._away[user], self._users[(user.resource, user.subject)]
            self._away_size -= size
            gone += [thread for thread in list(user.parts) if self.unlink(user, thread)]
            self._resources[user.resource].discard(user)
            if not self._resources[user.resource]:
                del self._resources[user.resource]
        return gone

    def doubt(self) -> None:
        """Nobody knows who was added or removed in between: their parts are to be read anew."""
        for user in self._users.values():
            user.known_since = None

    @property
    def user_count(self) -> int:
        """How many users have a socket."""
        return len(self._users) - len(self._away)

    @property
    def resources(self) -> list[int]:
        return list(self._resources)

    def is_resource_here(self, resource: int) -> bool:
        return resource in self._resources

    def link(self, user: User, thread: int, history_millis: int) -> None:
        self._threads.setdefault(thread, {})[user.subject] = user
        user.parts[thread] = history_millis

    def unlink(self, user: User, thread: int) -> bool:
        """Whether nobody here takes part any more."""
        user.parts.pop(thread, None)
        members = self._threads.get(thread)
        if members is None:
            return False
        members.pop(user.subject, None)
        if members:
            return False
        del self._threads[thread]
        return True

    def concerned(self, kind: str, resource: int, subject: str, *, cutoffs: CutOffs) -> Iterator[Session]:
        """Those whose token a revocation ends."""
        for session in self._candidates(kind, resource, subject):
            try:
                require_live(session.claims, cutoffs)
            except InvalidToken:
                yield session

    def _candidates(self, kind: str, resource: int, subject: str) -> Iterable[Session]:
        if kind == "signingKey":
            return [each for each in self.sessions if each.kid == subject]
        if kind == "identity":
            user = self.find(resource, subject)
            return list(user.sessions) if user is not None else []
        here = [each for user in self._resources.get(resource, ()) for each in user.sessions]
        if kind == "token":
            return [each for each in here if each.claims.jti == subject]
        if kind == "accessKey":
            return [each for each in here if each.claims.accessKey == subject]
        return here


def of_resource(resource: int) -> list[Interest]:
    """What is to be heard of a resource with anybody here."""
    return [Interest.of_resource(resource, kind) for kind in (*KINDS, *CLOSING, CLAIMED, RELEASED)]
