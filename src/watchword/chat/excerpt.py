"""The beginning of a message, for a list: as much as fits on a line or two."""

from __future__ import annotations

import html
import re

import msgspec
import nh3

from watchword.chat.message import Message

MOST_CHARACTERS = 256
MOST_NAMED = 5
"""Of those whom a system message names."""


def excerpt(message: Message, most_read: int) -> tuple[Message, bool]:
    """The same message, short; and whether something was cut off.

    Html loses its markup and is html as before: what was escaped stays so. Of contents that are longer, only the first
    `most_read` characters are here.
    """
    text = _plain(message.content) if message.kind == "html" else message.content
    content = text[:MOST_CHARACTERS]
    if message.kind == "html":
        content = html.escape(content, quote=False)
    is_cut = len(text) > MOST_CHARACTERS or len(message.content) >= most_read or len(message.participants) > MOST_NAMED
    return msgspec.structs.replace(message, content=content, participants=message.participants[:MOST_NAMED]), is_cut


def _plain(text: str) -> str:
    """What a reader reads, in one line. The text was sanitised; it may end in the middle of a tag."""
    apart = _BEFORE_BLOCK.sub(" ", text)
    return " ".join(html.unescape(_cleaner.clean(apart)).split())


_cleaner = nh3.Cleaner(tags=set(), clean_content_tags={"script", "style"}, strip_comments=True)
_BEFORE_BLOCK = re.compile(r"(?=</?(?:br|p|div|li|d[dt]|t[dhr]|h[1-6]|pre|hr|blockquote|summary|fig\w+|caption)\b)")
"""Words of two paragraphs stay two words."""
