"""What is stored of what somebody sends: of which kind, how much, made safe, and whether the thread has room."""

from __future__ import annotations

from watchword.chat.limits import ChatLimits
from watchword.chat.message import Kind
from watchword.chat.sanitiser import sanitise_html
from watchword.chat.storable import utf8_bytes
from watchword.errors.chat import ChatQuotaExceeded, EmptyMessage, MessageTooLarge, UnsupportedMessageType


def read_kind(type: str | None) -> Kind:
    """`text` or `html` in whatever case; None is text.

    Raises:
        UnsupportedMessageType: another one.
    """
    kinds: dict[str, Kind] = {"text": "text", "html": "html"}
    try:
        return kinds[(type or "text").lower()]
    except KeyError:
        raise UnsupportedMessageType(str(type)) from None


def stored_content(content: str, kind: Kind, limits: ChatLimits) -> str:
    """Make the content that is stored of what was sent.

    Raises:
        EmptyMessage, MessageTooLarge: as they say, of what was sent.
    """
    if not content:
        raise EmptyMessage
    size = utf8_bytes(content)
    if size > limits.message_bytes:
        raise MessageTooLarge(size, limits.message_bytes)
    return sanitise_html(content) if kind == "html" else content


def require_room(limits: ChatLimits, *, messages: int, size: int) -> None:
    """Let a thread pass that has so many messages and bytes, with what is to come.

    Raises:
        ChatQuotaExceeded: of one of the two.
    """
    if 0 < limits.messages_of_thread < messages:
        raise ChatQuotaExceeded("messages of a thread", limits.messages_of_thread)
    if 0 < limits.bytes_of_thread < size:
        raise ChatQuotaExceeded("bytes of a thread", limits.bytes_of_thread)
