"""Whether what a user says may be stored, as a moderator has it: before any statement, and outside of transactions.

Only who takes part in a thread, and may write there, makes us ask. What the moderator makes of a content is measured
and made safe like what anybody sends; and whoever said it has to prove themselves again after the wait.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, TypeAlias

from watchword.chat.access import require_present
from watchword.chat.message import Kind, read_message, require_own
from watchword.chat.open_threads import require_free_to_begin, require_open_to
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore
from watchword.clock import steady_seconds
from watchword.errors import AddressRefused, CallerError, NoAnswer
from watchword.errors.chat import ContentRefused, MessageNotFound, ModeratorUnavailable
from watchword.measurements import ModerationCounts

MOST_REASON_CHARACTERS = 200
_RETRY_AFTER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants to say. `content` is as it would be stored; `thread` None of one that is to be made."""

    kind: Literal["message", "edit", "topic"]
    speaker: Speaker
    content: str
    thread: str | None = None
    type: Kind | None = None
    display_name: str | None = None
    metadata: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`text` is the content of a change, or the reason of a refusal."""

    action: Literal["allow", "change", "refuse"]
    text: str = ""


Ask: TypeAlias = Callable[[Draft, int], Awaitable[Verdict]]
"""Asks the moderator of a draft, with the time of the call in microseconds.

Raises:
    NoAnswer, AddressRefused: there is no verdict.
"""

Store: TypeAlias = Callable[[str, Kind], str]
"""Makes the content that is stored of one that was sent.

Raises:
    CallerError: it is empty, too large, or cannot be stored.
"""


class Moderation:
    """`allows_unanswered` is what is done where there is no verdict: what was sent is stored, or refused for now."""

    def __init__(
        self,
        store: ChatStore,
        ask: Ask,
        counts: ModerationCounts,
        *,
        allows_unanswered: bool,
        steady: Callable[[], float] = steady_seconds,
    ) -> None:
        self._store = store
        self._ask = ask
        self._counts = counts
        self._allows_unanswered = allows_unanswered
        self._steady = steady

    async def review(self, draft: Draft, remake: Callable[[str], str], now_micros: int) -> tuple[str, int]:
        """The content that may be stored, made by `remake` if the moderator changed it; and what time it is now.

        Raises:
            ThreadNotFound, NotAParticipant, ThreadFrozen, Restricted: the speaker may not say anything there; nobody
                was asked.
            ContentRefused: the moderator refuses it.
            ModeratorUnavailable: there is no verdict, and nothing is stored without one.
            NotAuthenticated, NotAllowed: the speaker's token was revoked meanwhile.
        """
        started = self._steady()
        now_millis = now_micros // 1_000
        if draft.thread is None:
            await require_free_to_begin(self._store, draft.speaker, now_millis=now_millis)
        else:
            access, _ = require_present(await self._store.find_thread(draft.speaker, draft.thread))
            await require_open_to(self._store, access.number, draft.speaker, now_millis=now_millis)
        content = await self._judged(draft, remake, now_micros)
        await draft.speaker.prove_again()
        return content, now_micros + round((self._steady() - started) * 1_000_000)

    async def review_edit(
        self, draft: Draft, id: int, stored: Store, *, changes_content: bool, now_micros: int
    ) -> tuple[str | None, int]:
        """The same of a message that is there: where only its metadata is to change, None unless the moderator changed
        its content.

        Raises:
            ThreadNotFound, NotAParticipant, ContentRefused, ModeratorUnavailable, NotAuthenticated: as `review`.
            MessageNotFound, NotTheSender: it is not there for the speaker, or another's; nobody was asked.
            CallerError: as `stored`.
        """
        thread = draft.thread or ""
        _, row = require_present(await self._store.find_message(draft.speaker, thread, id))
        if row is None:
            raise MessageNotFound
        found = read_message(row)
        require_own(found, draft.speaker.subject)
        if found.deleted_millis is not None:
            raise MessageNotFound
        before = stored(draft.content, found.kind) if changes_content else found.content
        whole = replace(draft, content=before, type=found.kind)
        after, now = await self.review(whole, lambda changed: stored(changed, found.kind), now_micros)
        return (after if changes_content or after != before else None), now

    async def _judged(self, draft: Draft, remake: Callable[[str], str], now_micros: int) -> str:
        counts = self._counts
        try:
            verdict = await self._ask(draft, now_micros)
            content = remake(verdict.text) if verdict.action == "change" else draft.content
        except (NoAnswer, AddressRefused, CallerError):
            # A content that could not be stored is no verdict either.
            counts.unanswered.value += 1
            if not self._allows_unanswered:
                raise ModeratorUnavailable(_RETRY_AFTER) from None
            return draft.content
        match verdict.action:
            case "refuse":
                counts.refused.value += 1
                raise ContentRefused(clean_reason(verdict.text))
            case "change":
                counts.changed.value += 1
            case "allow":
                counts.allowed.value += 1
        return content


def clean_reason(reason: str) -> str:
    """What of a reason may be told: one short line of letters that can be seen."""
    seen = "".join(each if each.isprintable() else " " for each in reason[: 4 * MOST_REASON_CHARACTERS])
    line = " ".join(seen.split())
    return line if len(line) <= MOST_REASON_CHARACTERS else f"{line[: MOST_REASON_CHARACTERS - 1]}…"
