"""The application, once it is put together: what answers, and what runs beside until it is closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from watchword.ground import Background, Ground
from watchword.http.exchange import Exchange
from watchword.http.refusal import Wording
from watchword.rest.metrics import Metrics
from watchword.rest.operator_listener import Answering

_log = logging.getLogger(__name__)


class Watchword:
    """A running service: what answers, with what it stands on; `opened` closes all that was opened for it.

    `most_body_bytes` says how large the body of a request may be, and `word_refusal` what is answered to what never
    reaches the application.
    """

    def __init__(
        self,
        answer: Answering,
        most_body_bytes: Callable[[Exchange], int],
        ground: Ground,
        *,
        word_refusal: Wording,
        metrics: Metrics,
        background: Sequence[Background],
        opened: AsyncExitStack,
    ) -> None:
        self.answer = answer
        self.most_body_bytes = most_body_bytes
        self.word_refusal = word_refusal
        self.ground = ground
        self.metrics = metrics
        self._opened = opened
        self._background = [asyncio.create_task(begin()) for begin in background]
        for task in self._background:
            task.add_done_callback(_tell)

    def stop_waiting(self) -> None:
        """Whoever waits for news is answered now, so that a stop need not wait for them."""
        self.ground.feed.close()

    async def close(self) -> None:
        """What is still to be written is written; the application must have stopped answering before.

        Until then the journal was followed: a client that moves elsewhere is told what happens, until it has moved.
        """
        self.ground.journal.close()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._opened.aclose()


def _tell(task: asyncio.Task[None]) -> None:
    """What runs in the background runs until it is cancelled; whatever else ends it is a fault."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        _log.error("work in the background ended", exc_info=fault)
