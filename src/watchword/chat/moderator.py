"""The moderator as a webhook: signed questions over HTTP, bounded in number and time, and given up while none answers.

What it answers is read as data, and never shown or logged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from watchword.chat.moderation import Draft, Verdict
from watchword.clock import Clock, steady_seconds
from watchword.errors import AddressRefused, NoAnswer
from watchword.measurements import ModerationCounts
from watchword.outbound.breaker import REST_SECONDS, Breaker
from watchword.outbound.calls import Calls
from watchword.wire.chat_values import format_millis
from watchword.wire.headers import JSON
from watchword.wire.moderation import SIGNATURE_HEADER, QuestionBody, read_answer, signature

MOST_UNDER_WAY = 64
"""Questions of a process at once; whoever comes while so many wait has no verdict at once, and waits for nobody."""

_OK = 200
_log = logging.getLogger(__name__)


class Moderator:
    """`seconds` is for a whole question; `secret` signs it. What this class counts of `counts` are the times."""

    def __init__(
        self,
        calls: Calls,
        secret: bytes,
        clock: Clock,
        *,
        seconds: float,
        counts: ModerationCounts,
        steady: Callable[[], float] = steady_seconds,
    ) -> None:
        self._calls = calls
        self._secret = secret
        self._clock = clock
        self._seconds = seconds
        self._counts = counts
        self._breaker = Breaker(steady)
        self.under_way = 0

    @property
    def is_given_up(self) -> bool:
        """It did not answer for so long that hardly anybody asks."""
        return self._breaker.is_open

    async def ask(self, draft: Draft, now_micros: int) -> Verdict:
        """Ask for a verdict.

        Raises:
            NoAnswer, AddressRefused: there is none.
        """
        if self.under_way >= MOST_UNDER_WAY or not self._breaker.may_ask():
            raise NoAnswer("The moderator is not asked: it does not answer, or too slowly.")
        self.under_way += 1
        try:
            with self._counts.durations.timing():
                status, body = await self._post(_question(draft, now_micros))
        finally:
            self.under_way -= 1
        if status != _OK:
            raise NoAnswer(f"The moderator answered with {status}, where 200 belongs.")
        try:
            answer = read_answer(body)
        except ValueError:
            raise NoAnswer("The moderator answered something that is no verdict.") from None
        return Verdict(answer.action, (answer.content if answer.action == "change" else answer.reason) or "")

    async def keep_open(self) -> None:
        """Keeps connections until it is cancelled."""
        try:
            await asyncio.Event().wait()
        finally:
            await self._calls.close()

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        # Only silence counts against it: whoever asks what it cannot judge must not silence it for all.
        seconds = self._clock.micros() // 1_000_000
        headers = {"Content-Type": JSON, SIGNATURE_HEADER: signature(self._secret, seconds, body)}
        try:
            reply = await self._calls.post(body, headers, seconds=self._seconds)
        except (NoAnswer, AddressRefused) as error:
            if self._breaker.note_failure():
                _log.warning("the moderator is asked every %g seconds only: %s", REST_SECONDS, error.reason)
            raise
        if self._breaker.is_open:
            _log.warning("the moderator answers again")
        self._breaker.note_answer()
        return reply.status, reply.body


def _question(draft: Draft, now_micros: int) -> bytes:
    speaker = draft.speaker
    return msgspec.json.encode(
        QuestionBody(
            kind=draft.kind,
            resource=speaker.resource.id,
            sender=f"8:{speaker.subject}",
            content=draft.content,
            moment=format_millis(now_micros // 1_000),
            thread=draft.thread,
            type=draft.type,
            displayName=draft.display_name,
            metadata=draft.metadata,
        )
    )
