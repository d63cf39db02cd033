"""The rules of participants: who can be in a thread, joining and leaving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watchword.chat.access import require_present
from watchword.chat.held_thread import HeldThread, find_standing, hold_thread, require_thread_id, take_out
from watchword.chat.invitations import (
    Invitation,
    Joining,
    NotAdded,
    Reason,
    admit,
    announce,
    join,
    part_banned,
    read_invitations,
)
from watchword.chat.limits import ChatLimits
from watchword.chat.metadata import read_metadata
from watchword.chat.restrictions import require_leaver, require_writer
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore
from watchword.chat.users import read_user
from watchword.errors.chat import ParticipantNotFound, TooManyParticipants
from watchword.storage import Transaction

__all__ = ["Invitation", "NotAdded", "Participant", "Participants", "Reason"]


@dataclass(frozen=True, slots=True)
class Participant:
    """Who is in a thread; `subject` is a skypeid, without its `8:`. Sees messages from `history_millis` on."""

    subject: str
    display_name: str | None
    history_millis: int
    metadata: Mapping[str, str] | None


class Participants:
    """`thread` is a thread's id as it came in the path, with percent codes decoded."""

    def __init__(self, store: ChatStore, limits: ChatLimits) -> None:
        self._store = store
        self._limits = limits

    async def add(
        self, speaker: Speaker, thread: str, invited: Sequence[Invitation], *, now_micros: int
    ) -> list[NotAdded]:
        """Who could not be added; all others take part. Of who takes part already nothing changes.

        Raises:
            MalformedThreadId, ThreadNotFound, NotAParticipant: as `list`.
            MalformedParticipant, UnsupportedParticipant: one of them is nobody at all; nobody was added.
            InvalidDisplayName, MetadataTooLarge: of one of them; nobody was added.
            TooManyParticipants: in this call, or the thread would have them; nobody was added.
            ThreadFrozen, Restricted: as they say.
        """
        require_thread_id(thread)
        joining = read_invitations(invited, self._limits)

        async def work(transaction: Transaction) -> list[NotAdded]:
            admitted, refused = await admit(transaction, speaker.resource, joining)
            held = await hold_thread(transaction, speaker.resource.number, thread, now_micros=now_micros)
            await require_writer(held, speaker.subject, has_restrictions=self._store.has_restrictions)
            most, has_restrictions = self._limits.participants, self._store.has_restrictions
            banned = await bring_in(held, admitted, by=speaker.subject, most=most, has_restrictions=has_restrictions)
            return refused + banned

        return await self._store.change(work)

    async def remove(self, speaker: Speaker, thread: str, id: str, *, now_micros: int) -> None:
        """Oneself, too: that is how to leave, and who is muted may do it.

        Raises:
            MalformedThreadId, ThreadNotFound, NotAParticipant: as `list`.
            MalformedParticipant, UnsupportedParticipant: it is nobody at all.
            ParticipantNotFound: does not take part.
            ThreadFrozen, Restricted: as they say.
        """
        require_thread_id(thread)
        user = read_user(id)

        async def work(transaction: Transaction) -> None:
            held = await hold_thread(transaction, speaker.resource.number, thread, now_micros=now_micros)
            require = require_leaver if user.subject == speaker.subject else require_writer
            await require(held, speaker.subject, has_restrictions=self._store.has_restrictions)
            standing = await find_standing(held, user.subject)
            if standing is None or standing.removed_millis is not None:
                raise ParticipantNotFound
            await take_out(held, user.subject, standing, initiator=speaker.subject)
            await held.save()

        await self._store.change(work)

    async def list(self, speaker: Speaker, thread: str, *, skip: int, most: int) -> list[Participant]:
        """Lists them in the order of joining.

        Raises:
            MalformedThreadId, ThreadNotFound: there is no such thread.
            NotAParticipant: also of who was removed.
        """
        require_thread_id(thread)
        access, _ = require_present(await self._store.find_thread(speaker, thread))
        rows = await self._store.query(_LIST, access.number, speaker.subject, most, skip)
        return [Participant(row[0], row[1], row[2], read_metadata(row[3])) for row in rows]


async def bring_in(
    held: HeldThread, joining: Sequence[Joining], *, by: str, most: int, has_restrictions: bool
) -> list[NotAdded]:
    """Let those join who do not take part already, and a message says so; who is banned does not, and is told.

    Raises:
        TooManyParticipants: the thread would have them.
    """
    banned: list[NotAdded] = []
    if has_restrictions:
        joining, banned = await part_banned(
            held.transaction, joining, resource=held.resource, thread=held.number, now_millis=held.now_millis
        )
    new = await join(held, joining)
    if held.present > most:
        raise TooManyParticipants("thread", held.present, most)
    if new:
        id = await announce(held, by, new)
        await held.tell("participantsAdded", str(id))
        await held.save()
    return banned


# Whoever was removed since is told nothing: who takes part is read together with whether the speaker does.
_LIST = """
    select subject, display_name, history_millis, metadata from participants
    where thread = $1 and removed_millis is null
    and exists (select 1 from participants s where s.thread = $1 and s.subject = $2 and s.removed_millis is null)
    order by place limit $3 offset $4
"""
