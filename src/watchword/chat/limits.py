"""How much of everything there may be; the original's numbers are the defaults."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_PAGE = 200
"""Source: chat.md section 2.8, of every list."""

MOST_TOPIC_CHARACTERS = 1_000
"""Assumed: a topic has at most 1,000 characters; nothing is published (chat.md section 2.8)."""

MOST_DISPLAY_NAME_CHARACTERS = 256
"""Assumed: a display name has at most 256 characters; nothing is published."""

SHORTEST_RETENTION_DAYS = 30
LONGEST_RETENTION_DAYS = 90
"""Source: chat.md section 2.8. An operator's own retention may be any number of days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatLimits:
    """Each is a setting of the same name, with `chat_` before it. Source: chat.md sections 2.8, 5.1 and 6.

    A quota or a retention of 0 is none.
    """

    participants: int = 250
    batch: int = 200
    """Participants in one call."""
    message_bytes: int = 28_672
    metadata_bytes: int = 1_024
    """Of a thread, a participant, a message: keys and values in UTF-8."""
    receipt_participants: int = 20
    """In a thread with more than so many, read receipts and typing are answered and dropped."""
    threads_of_user: int = 0
    messages_of_thread: int = 0
    bytes_of_thread: int = 0
    retention_days: int = 0
    """Every thread is deleted so many days after its creation, whatever its own policy says."""
    reading_after_removal: bool = True
    """Whether who was removed goes on reading what came until then. Source: chat.md section 4.4."""
