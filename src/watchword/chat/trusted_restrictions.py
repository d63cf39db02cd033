"""The rules by which the trusted server mutes and bans users, in a thread or in the whole resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from watchword.chat.held_thread import HeldThread, find_standing, require_thread_id, take_out
from watchword.chat.invitations import hold_identities
from watchword.chat.restrictions import EVERYWHERE, Kind, in_force
from watchword.chat.speakers import trusted_server
from watchword.chat.store import ChatStore
from watchword.chat.trusted_threads import hold_alive
from watchword.chat.users import NamedUser, read_user
from watchword.errors.chat import EndsInThePast, NotRestricted, ThreadNotFound, UserNotFound
from watchword.journal.statements import APPEND
from watchword.resources.store import Resource
from watchword.storage import Row, Transaction


@dataclass(frozen=True, slots=True)
class Restriction:
    """A user who is muted or banned; `thread` is the id of the thread, or None in the whole resource."""

    subject: str
    kind: Kind
    since_millis: int
    until_millis: int | None
    thread_number: int
    thread: str | None


@dataclass(frozen=True, slots=True)
class RestrictionPage:
    """`next` is None where nothing follows: else the last user and thread, by its number."""

    restrictions: Sequence[Restriction]
    next: tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a restriction is of, in `resource`: `user` as it was sent, and the thread as it came in the path, or None
    in the whole resource.
    """

    resource: Resource
    user: str
    thread: str | None = None

    def read(self) -> NamedUser:
        """The user, who is one of this resource.

        Raises:
            MalformedParticipant, UnsupportedParticipant: it is nobody at all.
            MalformedThreadId: it is none.
            UserNotFound: of another resource, or never there.
        """
        if self.thread is not None:
            require_thread_id(self.thread)
        user = read_user(self.user)
        if user.resource != self.resource.id or not user.is_possible:
            raise UserNotFound
        return user


class TrustedRestrictions:
    """Each user has at the most one for each thread, and one for the resource; a new one takes the place of the old."""

    def __init__(self, store: ChatStore) -> None:
        self._store = store

    async def put(self, whom: Whom, kind: Kind, *, until_millis: int | None, now_micros: int) -> Restriction:
        """Mute or ban a user. Who is banned in a thread is removed from it; a user need not have been there ever.

        Raises:
            MalformedParticipant, UnsupportedParticipant, MalformedThreadId, UserNotFound: as `Whom.read`; also of an
                identity that was deleted.
            ThreadNotFound, HistoryUnfinished: the resource has no such thread, or not yet.
            EndsInThePast: as it says.
        """
        user = whom.read()
        if until_millis is not None and until_millis <= now_micros // 1_000:
            raise EndsInThePast
        await self._store.require_trusted_tables()

        async def work(transaction: Transaction) -> Restriction:
            resource = whom.resource
            if user.flake and not await hold_identities(transaction, resource.number, {user.flake}):
                raise UserNotFound
            now_millis, number = now_micros // 1_000, EVERYWHERE
            if whom.thread is not None:
                held = await hold_alive(transaction, resource, whom.thread, now_micros=now_micros)
                number = held.number
                if kind == "ban":
                    await _take_out(held, user.subject, by=trusted_server(resource).subject)
            await transaction.execute(_PUT, resource.number, user.subject, number, kind, now_millis, until_millis)
            if number == EVERYWHERE and kind == "ban":
                # Sockets hear of it.
                await transaction.execute(APPEND, resource.number, 0, 0, "userBanned", user.subject, now_micros)
            return Restriction(user.subject, kind, now_millis, until_millis, number, whom.thread)

        return await self._store.change(work)

    async def get(self, whom: Whom, *, now_micros: int) -> Restriction:
        """The one in force.

        Raises:
            MalformedParticipant, UnsupportedParticipant, MalformedThreadId, UserNotFound: as `Whom.read`.
            ThreadNotFound: the resource has no such thread.
            NotRestricted: there is none.
        """
        user = whom.read()
        await self._store.require_trusted_tables()
        number = await self._number(whom)
        rows = await self._store.query(_GET, whom.resource.number, user.subject, number, now_micros // 1_000)
        if not rows:
            raise NotRestricted
        return Restriction(*rows[0])

    async def lift(self, whom: Whom) -> None:
        """Nothing changes where there is none.

        Raises:
            MalformedParticipant, UnsupportedParticipant, MalformedThreadId, UserNotFound: as `Whom.read`.
            ThreadNotFound: the resource has no such thread.
        """
        user = whom.read()
        await self._store.require_trusted_tables()
        number = await self._number(whom)
        key = whom.resource.number, user.subject, number
        await self._store.change(lambda each: each.execute(_LIFT, *key))

    async def list(
        self,
        resource: Resource,
        *,
        thread: str | None = None,
        after: tuple[str, int] = ("", 0),
        most: int,
        now_micros: int,
    ) -> RestrictionPage:
        """Those in force, in the resource and in all threads, or in one thread; in the order of users.

        Raises:
            MalformedThreadId, ThreadNotFound: there is no such thread.
        """
        if thread is not None:
            require_thread_id(thread)
        await self._store.require_trusted_tables()
        if thread is None:
            asked: tuple[Any, ...] = (_LIST, resource.number, *after)
        else:
            asked = (_LIST_OF_THREAD, await self._number(Whom(resource, "", thread)), after[0])
        rows: Sequence[Row] = await self._store.query(*asked, now_micros // 1_000, most + 1)
        found = [Restriction(*row) for row in rows[:most]]
        return RestrictionPage(found, (found[-1].subject, found[-1].thread_number) if len(rows) > most else None)

    async def _number(self, whom: Whom) -> int:
        if whom.thread is None:
            return EVERYWHERE
        rows = await self._store.query(_FIND_THREAD, whom.thread, whom.resource.number)
        if not rows:
            raise ThreadNotFound
        return int(rows[0][0])


async def kept_of_user(
    store: ChatStore, resource: Resource, subject: str, *, start: int, most: int
) -> Sequence[Restriction]:
    """What mutes or bans a user, in the order of threads from a number on; also what is over and still kept."""
    if not await store.has_trusted_tables():
        return []
    return [Restriction(*row) for row in await store.query(_KEPT, resource.number, subject, start, most)]


async def _take_out(held: HeldThread, subject: str, *, by: str) -> None:
    standing = await find_standing(held, subject)
    if standing is not None and standing.removed_millis is None:
        await take_out(held, subject, standing, initiator=by)
        await held.save()


_FIND_THREAD = "select number from threads where id = $1 and resource = $2 and deleted_millis is null"
_PUT = """
    insert into restrictions (resource, subject, thread, kind, since_millis, until_millis)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (resource, subject, thread) do update set kind = excluded.kind, since_millis = excluded.since_millis,
        until_millis = excluded.until_millis
"""
_LIFT = "delete from restrictions where resource = $1 and subject = $2 and thread = $3"
_FOUND = """
    select r.subject, r.kind, r.since_millis, r.until_millis, r.thread, t.id from restrictions r
    left join threads t on t.number = r.thread
"""
_GET = f"""
    {_FOUND} where r.resource = $1 and r.subject = $2 and r.thread = $3 and {in_force(restriction="r", now="$4")}
"""
_KEPT = f"{_FOUND} where r.resource = $1 and r.subject = $2 and r.thread >= $3 order by r.thread limit $4"
_LIST = f"""
    {_FOUND} where r.resource = $1 and (r.subject, r.thread) > ($2, $3) and {in_force(restriction="r", now="$4")}
    and t.deleted_millis is null order by r.subject, r.thread limit $5
"""
_LIST_OF_THREAD = f"""
    {_FOUND} where r.thread = $1 and r.thread > 0 and r.subject > $2 and {in_force(restriction="r", now="$3")}
    order by r.subject limit $4
"""
