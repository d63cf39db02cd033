"""Whether a user may write in a thread, or make one, for who asks before anything is locked."""

from __future__ import annotations

from watchword.chat.restrictions import FIND_EVERYWHERE, FIND_HOLD, require_open, require_open_everywhere
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore


async def require_open_to(store: ChatStore, thread: int, speaker: Speaker, *, now_millis: int) -> None:
    """Let pass where the thread, by its number, is not frozen and the speaker is neither muted nor banned.

    Raises:
        ThreadFrozen, Restricted: as they say.
    """
    if await store.has_trusted_tables():
        require_open(await store.query(FIND_HOLD, thread, speaker.subject, now_millis))


async def require_free_to_begin(store: ChatStore, speaker: Speaker, *, now_millis: int) -> None:
    """Let pass where the speaker is neither muted nor banned everywhere.

    Raises:
        Restricted: as it says.
    """
    if await store.has_trusted_tables():
        rows = await store.query(FIND_EVERYWHERE, speaker.resource.number, speaker.subject, now_millis)
        require_open_everywhere(rows)
