"""The rules of chat, put together over one database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from watchword.chat.inbox import Inbox
from watchword.chat.limits import ChatLimits
from watchword.chat.messages import Messages
from watchword.chat.moderation import Moderation
from watchword.chat.participants import Participants
from watchword.chat.receipts import Receipts
from watchword.chat.store import ChatStore
from watchword.chat.threads import Threads
from watchword.chat.typing_indicators import TypingIndicators
from watchword.identifiers import FlakeMinter
from watchword.settings import Settings
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class Chat:
    """What operations call."""

    threads: Threads
    participants: Participants
    messages: Messages
    receipts: Receipts
    typing: TypingIndicators
    inbox: Inbox


def limits_of(settings: Settings) -> ChatLimits:
    """Each limit is the setting of its name, with `chat_` before it."""
    return ChatLimits(**{each.name: getattr(settings, f"chat_{each.name}") for each in fields(ChatLimits)})


def open_rules(
    database: Database,
    minter: FlakeMinter,
    limits: ChatLimits,
    *,
    wake: Callable[[], None] = lambda: None,
    nudge: Callable[[], None] = lambda: None,
    moderation: Moderation | None = None,
    require_right_clock: Callable[[], None] = lambda: None,
) -> Chat:
    """`minter` draws the keys of messages. `wake` is called after each commit that appended to the journal, and `nudge`
    when something was begun that goes on in the background. `moderation` is asked of what users say, if there is one.
    `require_right_clock` is called before a thread is made, and raises where it should not be.
    """
    store = ChatStore(database, wake)
    return Chat(
        Threads(store, limits, nudge, moderation=moderation, require_right_clock=require_right_clock),
        Participants(store, limits),
        Messages(store, minter, limits, moderation=moderation),
        Receipts(store, limits),
        TypingIndicators(store, limits),
        Inbox(store, limits),
    )
