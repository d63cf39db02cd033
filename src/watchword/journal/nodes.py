"""Wake-ups between nodes: what was committed here is worth a look there. If one is lost, a look finds it all the same.

They travel outside of the transactions that cause them, many in one notice:

    ["<sender>", [[<resource>, <thread>, "<kind>", "<content, base64>"], ...]]
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import msgspec

from watchword.identifiers import new_key_id
from watchword.journal.entries import Signal
from watchword.storage import Database

_LARGEST_NOTICE_BYTES = 7_000
"""PostgreSQL takes 7,999 bytes."""

_TOPIC = "journal"

_MOST_WAITING = 1_000
"""Signals that wait for the next notice; of more, the oldest are lost."""


class Nodes:
    """The other nodes on this database; on SQLite there are none. `hear` is called with what one of them says."""

    def __init__(self, database: Database, hear: Callable[[Sequence[Signal]], None]) -> None:
        self._sender = new_key_id()
        self._hear = hear
        self._signals: deque[Signal] = deque(maxlen=_MOST_WAITING)
        self._notices = database.notices()

    def tell(self, signals: Sequence[Signal]) -> None:
        """That something was committed here; and the signals, to whoever listens there."""
        if self._notices is not None:
            self._signals.extend(signals)
            self._notices.announce()

    async def keep_talking(self) -> None:
        """Talks until it is cancelled."""
        if self._notices is None:
            await asyncio.Event().wait()
        else:
            await self._notices.keep_talking(_TOPIC, self._compose, self._take)

    def _compose(self) -> Iterator[str]:
        """One notice at the least, and as many as the signals need."""
        notice: list[Signal] = []
        size = 0
        while self._signals:
            signal = self._signals.popleft()
            needed = len(msgspec.json.encode(signal))
            if notice and size + needed > _LARGEST_NOTICE_BYTES:
                yield self._spell(notice)
                notice, size = [], 0
            if needed <= _LARGEST_NOTICE_BYTES:
                notice.append(signal)
                size += needed + 1
        yield self._spell(notice)

    def _spell(self, signals: Sequence[Signal]) -> str:
        return msgspec.json.encode((self._sender, signals)).decode()

    def _take(self, text: str) -> None:
        """`text` is empty where notices may have been lost."""
        try:
            sender, signals = _notices.decode(text) if text else ("", [])
        except msgspec.MsgspecError:
            # Of another version: then it is a wake-up, and no more.
            sender, signals = "", []
        if sender != self._sender:
            self._hear(signals)


_notices = msgspec.json.Decoder(tuple[str, list[Signal]])
