"""Who of those named in a request can be in a thread, and how they join it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from watchword.chat.held_thread import HeldThread, write_participants
from watchword.chat.limits import ChatLimits
from watchword.chat.message import NamedParticipant
from watchword.chat.metadata import stored_metadata
from watchword.chat.restrictions import banned_of
from watchword.chat.storable import require_display_name
from watchword.chat.users import NamedUser, read_user
from watchword.errors.chat import TooManyParticipants
from watchword.resources.store import Resource
from watchword.storage import Transaction
from watchword.storage.database import Lock

Reason = Literal["not permitted", "not found"]

_ASKED_AT_ONCE = 25
"""A statement of the cold path has at most 32 parameters."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """One entry of a request. `id` as it was sent, such as `8:acs:...`."""

    id: str
    display_name: str | None = None
    history_millis: int = 0
    metadata: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class NotAdded:
    """An entry of `invalidParticipants`: `id` as it was sent.

    Assumed: of invalid participants, "not found" is who never was in this resource or is deleted, and "not permitted"
    who is of another resource or of Teams (chat.md sections 2.4 and 3.1).
    So is who is banned.
    """

    id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Joining:
    """An invitation that was read: `metadata` as it is stored."""

    invitation: Invitation
    user: NamedUser
    metadata: str | None


def read_invitations(invited: Sequence[Invitation], limits: ChatLimits) -> list[Joining]:
    """Each user once, by the first entry.

    Raises:
        TooManyParticipants: in one call.
        MalformedParticipant, UnsupportedParticipant, InvalidDisplayName, MetadataTooLarge: of one of them.
    """
    if len(invited) > limits.batch:
        raise TooManyParticipants("call", len(invited), limits.batch)
    read: dict[str, Joining] = {}
    for each in invited:
        require_display_name(each.display_name)
        metadata = stored_metadata(each.metadata, "participant", limits.metadata_bytes)
        user = read_user(each.id)
        read.setdefault(user.subject, Joining(each, user, metadata))
    return list(read.values())


async def admit(
    transaction: Transaction, resource: Resource, joining: Sequence[Joining]
) -> tuple[list[Joining], list[NotAdded]]:
    """Who can be in a thread, and who cannot; the rows of identities are locked, so nobody deletes them meanwhile."""
    flakes = {each.user.flake for each in joining if each.user.flake and each.user.resource == resource.id}
    present = await hold_identities(transaction, resource.number, flakes)
    admitted: list[Joining] = []
    refused: list[NotAdded] = []
    for each in joining:
        reason = _reason(each.user, resource, present)
        if reason is None:
            admitted.append(each)
        else:
            refused.append(NotAdded(each.invitation.id, reason))
    return admitted, refused


async def part_banned(
    transaction: Transaction, admitted: Sequence[Joining], *, resource: int, thread: int, now_millis: int
) -> tuple[list[Joining], list[NotAdded]]:
    """Who may join a thread, and who is banned from it and cannot be added by anybody."""
    subjects = [each.user.subject for each in admitted]
    banned = await banned_of(transaction, resource, subjects, thread=thread, now_millis=now_millis)
    return (
        [each for each in admitted if each.user.subject not in banned],
        [NotAdded(each.invitation.id, "not permitted") for each in admitted if each.user.subject in banned],
    )


async def hold_identities(transaction: Transaction, resource: int, flakes: set[bytes]) -> set[bytes]:
    """Those that are there, locked in their order so that nobody deletes them before the commit."""
    ordered = sorted(flakes)
    present: set[bytes] = set()
    for first in range(0, len(ordered), _ASKED_AT_ONCE):
        asked = ordered[first : first + _ASKED_AT_ONCE]
        places = ", ".join(f"${number}" for number in range(2, len(asked) + 2))
        where = f"resource = $1 and flake in ({places})"
        rows = await transaction.lock(Lock("identities", where, (resource, *asked), shared=True, columns="flake"))
        present.update(flake for (flake,) in rows)
    return present


async def join(held: HeldThread, joining: Sequence[Joining]) -> list[NamedParticipant]:
    """Those who did not take part; of who was removed before, everything is as of a new one."""
    found = await held.transaction.execute(
        "select subject from participants where thread = $1 and removed_millis is null", held.number
    )
    there = {subject for (subject,) in found}
    new = [each for each in joining if each.user.subject not in there]
    rows = []
    for each in new:
        held.joins += 1
        held.present += 1
        asked = each.invitation
        rows.append(
            (
                held.number,
                each.user.subject,
                held.resource,
                held.joins,
                asked.display_name,
                each.metadata,
                asked.history_millis,
                held.last_millis,
            )
        )
    await held.transaction.execute_many(_JOIN, rows)
    return [
        NamedParticipant(each.user.subject, each.invitation.display_name, each.invitation.history_millis)
        for each in new
    ]


async def announce(held: HeldThread, initiator: str, new: Sequence[NamedParticipant]) -> int:
    """Write the message that says who was added, and raise the thread in their lists; the message's id."""
    id = await held.say("participantAdded", initiator, write_participants(list(new)))
    await held.transaction.execute_many(
        "update participants set listed_millis = $3 where thread = $1 and subject = $2",
        [(held.number, each.subject, id) for each in new],
    )
    return id


def _reason(user: NamedUser, resource: Resource, present: set[bytes]) -> Reason | None:
    if user.resource != resource.id:
        return "not permitted"
    if not user.is_possible or (user.flake is not None and user.flake not in present):
        return "not found"
    # A user who exchanges tokens may be added before the first exchange.
    return None


_JOIN = """
    insert into participants (thread, subject, resource, place, display_name, metadata, history_millis, listed_millis)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict (thread, subject) do update set place = excluded.place, display_name = excluded.display_name,
        metadata = excluded.metadata, history_millis = excluded.history_millis,
        listed_millis = excluded.listed_millis, removed_millis = null, read_id = null, read_millis = null
"""
