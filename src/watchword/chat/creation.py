"""Making a thread, once: whoever asks again with the same repeatability id is given the one that was made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from watchword.chat.held_thread import HeldThread
from watchword.chat.invitations import Invitation, Joining, NotAdded, admit, announce, join, part_banned
from watchword.chat.limits import ChatLimits
from watchword.chat.restrictions import EVERYWHERE, require_free
from watchword.chat.speakers import Speaker
from watchword.chat.users import NamedUser, read_user
from watchword.errors import NotAuthenticated
from watchword.errors.chat import ChatQuotaExceeded, TooManyParticipants
from watchword.storage import Row, Transaction
from watchword.storage.database import Lock

REPEATABLE_MILLIS = 24 * 3_600 * 1_000
"""Assumed: a repeatability id is known for 24 hours (chat.md section 3.1)."""

THREAD_COLUMNS = "number, id, topic, created_millis, created_by, metadata, retention_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A thread to be made; `metadata` as it is stored, and `joining` without the speaker where nobody listed them."""

    id: str
    topic: str
    metadata: str | None
    retention_days: int | None
    joining: Sequence[Joining]
    request: bytes | None


def request_digest(speaker: Speaker, repeatability_id: str) -> bytes:
    """Says that a request is the same: the resource is beside it in the row, and the value may be anything."""
    return hashlib.sha256(f"{speaker.subject}\n{repeatability_id}".encode("utf-8", "surrogatepass")).digest()


async def create(
    transaction: Transaction,
    speaker: Speaker,
    wanted: Wanted,
    *,
    limits: ChatLimits,
    has_restrictions: bool,
    now_micros: int,
) -> tuple[Row, list[NotAdded]]:
    """The columns of the new thread, or of the one that the same request made; and who is not in it.

    Raises:
        NotAuthenticated: the resource or the speaker's identity is gone.
        Restricted: the speaker is, everywhere.
        TooManyParticipants, ChatQuotaExceeded: as they say.
    """
    resource = speaker.resource.number
    active = Lock("resources", "number = $1 and state = 'active'", (resource,), shared=True)
    if not await transaction.lock(active):
        raise NotAuthenticated("The resource was deleted.")
    own = read_user(f"8:{speaker.subject}")
    admitted, refused = await _admit(transaction, speaker, own, joining=wanted.joining)
    if has_restrictions:
        now_millis = now_micros // 1_000
        await require_free(transaction, resource, speaker.subject, now_millis=now_millis)
        admitted, banned = await part_banned(
            transaction, admitted, resource=resource, thread=EVERYWHERE, now_millis=now_millis
        )
        refused += banned
    if wanted.request is not None:
        made = await _find_made(transaction, resource, wanted.request, now_micros=now_micros)
        if made is not None:
            return made, refused
    if limits.threads_of_user:
        await _require_room(transaction, speaker, limits.threads_of_user)
    row = await _insert(transaction, speaker, wanted, now_micros=now_micros)
    if row is None and wanted.request is not None:
        # Another one with the same repeatability id was faster, and is committed by now.
        made = await _find_made(transaction, resource, wanted.request, now_micros=now_micros)
        if made is not None:
            return made, refused
    if row is None:
        raise NotAuthenticated("The thread was made and deleted meanwhile.")
    await _fill(transaction, row, speaker, admitted=admitted, limits=limits, now_micros=now_micros)
    return row, refused


async def _admit(
    transaction: Transaction, speaker: Speaker, own: NamedUser, *, joining: Sequence[Joining]
) -> tuple[list[Joining], list[NotAdded]]:
    """The speaker first, unless listed; all identities are locked in one order."""
    asked = list(joining)
    if all(each.user.subject != speaker.subject for each in joining):
        asked.insert(0, Joining(Invitation(f"8:{speaker.subject}"), own, None))
    admitted, refused = await admit(transaction, speaker.resource, asked)
    if all(each.user.subject != speaker.subject for each in admitted):
        raise NotAuthenticated("The token's identity was deleted.")
    return admitted, refused


async def _find_made(transaction: Transaction, resource: int, request: bytes, *, now_micros: int) -> Row | None:
    """The thread of the same request; one of long ago is forgotten here, if no purge did so before."""
    made = Lock("threads", "resource = $1 and request = $2", (resource, request), columns=THREAD_COLUMNS)
    rows = await transaction.lock(made)
    if not rows:
        return None
    row = rows[0]
    if row[3] + REPEATABLE_MILLIS > now_micros // 1_000:
        return row
    await transaction.execute("update threads set request = null where number = $1", row[0])
    return None


async def _require_room(transaction: Transaction, speaker: Speaker, most: int) -> None:
    rows = await transaction.execute(
        "select 1 from participants where resource = $1 and subject = $2 and removed_millis is null limit $3",
        speaker.resource.number,
        speaker.subject,
        most,
    )
    if len(rows) >= most:
        raise ChatQuotaExceeded("threads of a user", most)


async def _insert(transaction: Transaction, speaker: Speaker, wanted: Wanted, *, now_micros: int) -> Row | None:
    rows = await transaction.execute(
        f"""
        insert into threads (id, resource, topic, metadata, retention_days, created_by, created_millis, request)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (resource, request) where request is not null do nothing returning {THREAD_COLUMNS}
        """,  # noqa: S608
        wanted.id,
        speaker.resource.number,
        wanted.topic,
        wanted.metadata,
        wanted.retention_days,
        speaker.subject,
        now_micros // 1_000,
        wanted.request,
    )
    return rows[0] if rows else None


async def _fill(
    transaction: Transaction,
    row: Row,
    speaker: Speaker,
    *,
    admitted: Sequence[Joining],
    limits: ChatLimits,
    now_micros: int,
) -> None:
    """Its participants, and the two system messages with which a thread starts. Source: chat.md section 3.1."""
    held = HeldThread(
        transaction=transaction,
        now_micros=now_micros,
        number=row[0],
        id=row[1],
        resource=speaker.resource.number,
        topic=row[2],
        metadata=row[5],
        retention_days=row[6],
        created_by=speaker.subject,
        created_millis=row[3],
    )
    new = await join(held, admitted)
    if held.present > limits.participants:
        raise TooManyParticipants("thread", held.present, limits.participants)
    await announce(held, speaker.subject, new)
    await held.say("topicUpdated", speaker.subject, held.topic)
    await held.tell("threadCreated", speaker.subject)
    await held.save()
