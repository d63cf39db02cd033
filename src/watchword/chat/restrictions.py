"""What keeps a user from writing: a frozen thread, or that the user is muted or banned, there or everywhere.

It is looked at under the lock of the thread's row, or by the hot statement that locks it: whatever was committed before
is in force. A restriction whose time is over counts no more, though its row is still there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from watchword.chat.held_thread import HeldThread, Standing, require_participant
from watchword.errors.chat import Restricted, ThreadFrozen
from watchword.storage import Row, Transaction
from watchword.storage.database import Lock

Kind = Literal["mute", "ban"]

EVERYWHERE = 0
"""In place of a thread's number: in the whole resource."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps a user from writing in a thread. `until_millis` is None until it is lifted."""

    kind: Kind
    is_everywhere: bool
    until_millis: int | None

    @property
    def error(self) -> Restricted:
        return Restricted(self.kind, self.is_everywhere, self.until_millis)


def in_force(*, restriction: str, now: str) -> str:
    """SQL: it has no end, or one that is to come."""
    return f"({restriction}.until_millis is null or {restriction}.until_millis > {now})"


def strictest_first(*, restriction: str) -> str:
    """SQL: a ban before a mute, and what lasts longest first."""
    return f"{restriction}.kind, {restriction}.until_millis is not null, {restriction}.until_millis desc"


def read_hold(told: str | None) -> Hold | None:
    """Read what a hot statement tells: kind, thread and end, such as `mute 0 1764400000000`."""
    if told is None:
        return None
    kind, thread, until = told.split(" ")
    return Hold("ban" if kind == "ban" else "mute", int(thread) == EVERYWHERE, int(until) or None)


async def require_writer(held: HeldThread, subject: str, *, has_restrictions: bool) -> Standing:
    """Let pass who takes part in the thread and may write there; `has_restrictions` says that the schema has them.

    Raises:
        ThreadNotFound, NotAParticipant: as `require_participant`.
        ThreadFrozen, Restricted: as they say.
    """
    standing = await require_participant(held, subject)
    if has_restrictions:
        require_open(await held.transaction.execute(FIND_HOLD, held.number, subject, held.now_millis))
    return standing


async def require_leaver(held: HeldThread, subject: str, *, has_restrictions: bool) -> Standing:
    """The same of who leaves, which somebody who is muted may.

    Raises:
        ThreadNotFound, NotAParticipant, ThreadFrozen: as `require_writer`.
    """
    standing = await require_participant(held, subject)
    if has_restrictions and await held.transaction.execute(_FROZEN, held.number):
        raise ThreadFrozen
    return standing


async def require_free(transaction: Transaction, resource: int, subject: str, *, now_millis: int) -> None:
    """Let pass who may write in the resource at all.

    Raises:
        Restricted: as it says.
    """
    rows = await transaction.execute(FIND_EVERYWHERE, resource, subject, now_millis)
    require_open_everywhere(rows)


async def banned_of(
    transaction: Transaction, resource: int, subjects: list[str], *, thread: int, now_millis: int
) -> set[str]:
    """Those of them who cannot be in the thread now."""
    banned: set[str] = set()
    for subject in subjects:
        if await transaction.execute(_IS_BANNED, resource, subject, thread, now_millis):
            banned.add(subject)
    return banned


async def drop_restrictions(transaction: Transaction, where: str, *parameters: Any) -> int:
    """Delete those that an SQL condition finds, in the order in which rows are locked; how many."""
    found = Lock("restrictions", where, parameters, columns="resource, subject, thread")
    rows = await transaction.lock(found)
    await transaction.execute_many(_DROP, rows)
    return len(rows)


def require_open(rows: list[Row]) -> None:
    """Judge what `FIND_HOLD` found.

    Raises:
        ThreadFrozen, Restricted: as they say.
    """
    for frozen_millis, kind, thread, until_millis in rows:
        if frozen_millis is not None:
            raise ThreadFrozen
        if kind is not None:
            raise Hold(kind, thread == EVERYWHERE, until_millis).error


def require_open_everywhere(rows: list[Row]) -> None:
    """Judge what `FIND_EVERYWHERE` found.

    Raises:
        Restricted: as it says.
    """
    require_open([(None, *row) for row in rows])


FIND_HOLD = f"""
    select t.frozen_millis, r.kind, r.thread, r.until_millis from threads t
    left join restrictions r on r.resource = t.resource and r.subject = $2 and r.thread in ({EVERYWHERE}, t.number)
    and {in_force(restriction="r", now="$3")} where t.number = $1 order by {strictest_first(restriction="r")} limit 1
"""  # noqa: S608
"""Of a thread by its number, and a user."""

_DROP = "delete from restrictions where resource = $1 and subject = $2 and thread = $3"
_FROZEN = "select 1 from threads where number = $1 and frozen_millis is not null"
FIND_EVERYWHERE = f"""
    select r.kind, r.thread, r.until_millis from restrictions r
    where r.resource = $1 and r.subject = $2 and r.thread = {EVERYWHERE} and {in_force(restriction="r", now="$3")}
"""  # noqa: S608
"""Of a resource by its number, and a user."""

_IS_BANNED = f"""
    select 1 from restrictions r where r.resource = $1 and r.subject = $2 and r.thread in ({EVERYWHERE}, $3)
    and r.kind = 'ban' and {in_force(restriction="r", now="$4")} limit 1
"""  # noqa: S608
