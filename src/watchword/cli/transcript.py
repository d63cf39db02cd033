"""A thread as people read it: who said what, when, the oldest first.

2026-11-21 01:14:20+01:00  Ada added Ada, Bob.
2026-11-21 01:14:27+01:00  Ada: Come over
2026-11-21 01:14:31+01:00  Bob: (deleted)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from html.parser import HTMLParser

from watchword.cli.output import format_moment
from watchword.wire.chat_answers import IdentifierBody, MessageBody

_LINES = ("p", "br", "div", "li", "ul", "ol", "tr", "table", "blockquote", "pre", "h1", "h2", "h3")
_JOINER = "\u200d"
"""It is in many emoji, and moves nothing on a terminal."""


def transcript(messages: Iterable[MessageBody], names: Mapping[str, str]) -> Iterator[str]:
    """A line for each message, more where it has more; `names` are those of users, by their ids."""
    for each in sorted(messages, key=lambda message: int(message.sequenceId)):
        moment = format_moment(datetime.fromisoformat(each.createdOn))
        first, *more = _said(each, names).split("\n")
        yield f"{moment}  {first}"
        yield from (f"{'':{len(moment)}}  {line}" for line in more)


def on_a_terminal(text: str) -> str:
    """The text without what moves a cursor, changes colours, or turns writing around: users typed it."""
    return "".join(each if each.isprintable() or each in ("\n", _JOINER) else "?" for each in text)


def name_of(user: IdentifierBody | None, names: Mapping[str, str]) -> str:
    """The name that is shown, else the id."""
    return "somebody" if user is None else on_a_terminal(names.get(user.rawId, user.rawId)).replace("\n", "?")


def _said(message: MessageBody, names: Mapping[str, str]) -> str:
    content = message.content
    by = name_of(content.initiatorCommunicationIdentifier, names)
    people = ", ".join(name_of(each.communicationIdentifier, names) for each in content.participants or ())
    match message.type:
        case "participantAdded":
            return f"{by} added {people}."
        case "participantRemoved":
            return f"{by} removed {people}." if by != people else f"{by} left."
        case "topicUpdated":
            topic = on_a_terminal(content.topic or "").replace("\n", " ")
            return f"{by} set the topic: {topic}"
    sender = name_of(message.senderCommunicationIdentifier, names)
    if message.deletedOn is not None:
        return f"{sender}: (deleted)"
    text = content.message or ""
    shown = on_a_terminal(_text_of(text) if message.type == "html" else text.strip())
    return f"{sender}: {shown}{' (edited)' if message.editedOn is not None else ''}"


def _text_of(html: str) -> str:
    reader = _Text()
    reader.feed(html)
    reader.close()
    return "\n".join(filter(None, (line.strip() for line in "".join(reader.found).split("\n"))))


class _Text(HTMLParser):
    """What a page would show of it as text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _LINES:
            self.found.append("\n")
