"""The rules of participants for the trusted server: who is and was in a thread, and adding and removing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watchword.chat.held_thread import find_standing, require_thread_id, take_out
from watchword.chat.invitations import Invitation, NotAdded, admit, read_invitations
from watchword.chat.limits import ChatLimits
from watchword.chat.metadata import read_metadata
from watchword.chat.participants import bring_in
from watchword.chat.speakers import trusted_server
from watchword.chat.store import ChatStore
from watchword.chat.trusted_threads import hold_alive
from watchword.chat.users import read_user
from watchword.errors.chat import ParticipantNotFound, ThreadNotFound
from watchword.resources.store import Resource
from watchword.storage import Row, Transaction


@dataclass(frozen=True, slots=True)
class TrustedParticipant:
    """Who is in a thread, or was: then `removed_millis` says until when. `read_id` is of the newest read receipt."""

    subject: str
    place: int
    display_name: str | None
    history_millis: int
    metadata: Mapping[str, str] | None
    removed_millis: int | None
    read_id: int | None
    read_millis: int | None


@dataclass(frozen=True, slots=True)
class TrustedParticipantPage:
    """`next` is the last participant, and None where nothing follows."""

    participants: Sequence[TrustedParticipant]
    next: TrustedParticipant | None


class TrustedParticipants:
    """`thread` is a thread's id as it came in the path; `resource` is the caller's own."""

    def __init__(self, store: ChatStore, limits: ChatLimits) -> None:
        self._store = store
        self._limits = limits

    async def list(
        self, resource: Resource, thread: str, *, with_former: bool, after: tuple[int, str] = (0, ""), most: int
    ) -> TrustedParticipantPage:
        """List them in the order of joining; or with who was removed or left, in the order of users. `after` is a place
        there.

        Raises:
            MalformedThreadId, ThreadNotFound: there is no such thread.
        """
        require_thread_id(thread)
        rows: Sequence[Row] = await self._store.query(_FIND, thread, resource.number)
        if not rows:
            raise ThreadNotFound
        sql, start = (_WITH_FORMER, after[1]) if with_former else (_PRESENT, after[0])
        rows = await self._store.query(sql, rows[0][0], start, most + 1)
        found = [_participant(row) for row in rows[:most]]
        return TrustedParticipantPage(found, found[-1] if len(rows) > most else None)

    async def add(
        self, resource: Resource, thread: str, invited: Sequence[Invitation], *, now_micros: int
    ) -> Sequence[NotAdded]:
        """Who could not be added, as of a participant's; also to a frozen thread.

        Raises:
            MalformedThreadId, ThreadNotFound, HistoryUnfinished: there is no such thread, or not yet.
            MalformedParticipant, UnsupportedParticipant: one of them is nobody at all; nobody was added.
            InvalidDisplayName, MetadataTooLarge: of one of them; nobody was added.
            TooManyParticipants: in this call, or the thread would have them; nobody was added.
        """
        require_thread_id(thread)
        joining = read_invitations(invited, self._limits)

        async def work(transaction: Transaction) -> Sequence[NotAdded]:
            admitted, refused = await admit(transaction, resource, joining)
            held = await hold_alive(transaction, resource, thread, now_micros=now_micros)
            by, most = trusted_server(resource).subject, self._limits.participants
            banned = await bring_in(held, admitted, by=by, most=most, has_restrictions=self._store.has_restrictions)
            return refused + banned

        return await self._store.change(work)

    async def remove(self, resource: Resource, thread: str, id: str, *, now_micros: int) -> None:
        """Remove somebody, also from a frozen thread.

        Raises:
            MalformedThreadId, ThreadNotFound, HistoryUnfinished: there is no such thread, or not yet.
            MalformedParticipant, UnsupportedParticipant: it is nobody at all.
            ParticipantNotFound: does not take part.
        """
        require_thread_id(thread)
        user = read_user(id)

        async def work(transaction: Transaction) -> None:
            held = await hold_alive(transaction, resource, thread, now_micros=now_micros)
            standing = await find_standing(held, user.subject)
            if standing is None or standing.removed_millis is not None:
                raise ParticipantNotFound
            await take_out(held, user.subject, standing, initiator=trusted_server(resource).subject)
            await held.save()

        await self._store.change(work)


def _participant(row: Row) -> TrustedParticipant:
    subject, place, name, history_millis, metadata, *others = row
    return TrustedParticipant(subject, place, name, history_millis, read_metadata(metadata), *others)


_COLUMNS = "subject, place, display_name, history_millis, metadata, removed_millis, read_id, read_millis"
_FIND = "select number from threads where id = $1 and resource = $2 and deleted_millis is null"
_PRESENT = f"""
    select {_COLUMNS} from participants where thread = $1 and removed_millis is null and place > $2
    order by place limit $3
"""  # noqa: S608
_WITH_FORMER = f"""
    select {_COLUMNS} from participants where thread = $1 and subject > $2 order by subject limit $3
"""  # noqa: S608
