"""What chat locks: the batches of its hot statements, and transactions, with the rows by their names in `locks`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from tests.support.clock import stopped_clock
from tests.support.locks import GUID, RESTRICTED, THREADS, Work
from watchword.chat.limits import ChatLimits
from watchword.chat.purges import Purges
from watchword.chat.rules import Chat, open_rules
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore
from watchword.chat.trusted_imports import NewHistory, TrustedImports
from watchword.chat.trusted_messages import TrustedMessages
from watchword.chat.trusted_restrictions import TrustedRestrictions, Whom
from watchword.chat.trusted_threads import TrustedThreads
from watchword.errors import NotAuthenticated
from watchword.errors.chat import MessageNotFound, UserNotFound
from watchword.identifiers import FlakeMinter
from watchword.resources.store import Resource
from watchword.storage import Database

_SPEAKER = Speaker(Resource(1, "B", "", "", 1), "a")


_MUTED = Whom(Resource(1, GUID, "", "", 1), f"8:{RESTRICTED}", THREADS[0])
RESTRICTION_ROW = "restrictions thread = 1"


def _store(database: Database) -> ChatStore:
    return ChatStore(database, lambda: None)


def _chat(database: Database) -> Chat:
    return open_rules(database, FlakeMinter(stopped_clock()), ChatLimits())


def _imports(database: Database) -> TrustedImports:
    return TrustedImports(ChatStore(database, lambda: None), ChatLimits())


def _messages(database: Database) -> TrustedMessages:
    return TrustedMessages(_store(database), FlakeMinter(stopped_clock()), ChatLimits())


async def _redact(database: Database) -> None:
    # What goes first may be the end of the message.
    with suppress(MessageNotFound):
        await _messages(database).redact(_SPEAKER.resource, THREADS[0], "1", now_micros=9_000)


async def _begin_import(database: Database) -> None:
    # What goes first may be the end of the resource.
    with suppress(NotAuthenticated):
        await _imports(database).begin(_SPEAKER.resource, "room", NewHistory(topic="t"), now_micros=9)


async def _mute(database: Database) -> None:
    # What goes first may be the end of the identity.
    with suppress(UserNotFound):
        await TrustedRestrictions(_store(database)).put(_MUTED, "mute", until_millis=None, now_micros=9_000)


THREAD_ROWS = ["threads number = 1", "threads number = 2"]
PARTICIPANT_ROWS = [f"participants thread = {thread} and subject = '{each}'" for thread in (1, 2) for each in "Ba"]
CHATTING = [
    {
        "resource": 1,
        "thread": THREADS[place],
        "sender": sender,
        "subject": sender,
        "key": sender.encode() * 15 + bytes([place]),
        "kind": "text",
        "content": "x",
        "sender_name": "",
        "metadata": None,
        "size": 1,
        "now": 5,
        "moment": 5_000,
        "most_messages": 0,
        "most_bytes": 0,
        "message": 1,
        "most_present": 20,
    }
    for place, sender in ((1, "a"), (0, "a"), (1, "B"), (0, "B"), (1, "a"))
]

CHAT_WORK: dict[str, tuple[Work, Sequence[str]]] = {
    "Messages.edit": (
        lambda database: _chat(database).messages.edit(_SPEAKER, THREADS[0], "1", content="y", now_micros=9),
        [THREAD_ROWS[0], "messages thread = 1"],
    ),
    "Threads.delete": (
        lambda database: _chat(database).threads.delete(_SPEAKER, THREADS[1], 9),
        [THREAD_ROWS[1]],
    ),
    "TrustedImports.begin": (_begin_import, ["resources number = 1"]),
    "Purges.of_resource": (
        lambda database: Purges(ChatStore(database, lambda: None), ChatLimits()).of_resource(1, 9),
        [THREAD_ROWS[0], "messages thread = 1"],
    ),
    "TrustedThreads.update": (
        lambda database: TrustedThreads(_store(database)).update(
            _SPEAKER.resource, THREADS[0], topic="t", frozen=False, now_micros=9_000
        ),
        [THREAD_ROWS[0]],
    ),
    "TrustedMessages.send": (
        lambda database: _messages(database).send(
            _SPEAKER.resource, THREADS[0], content="y", sender_name="z", now_micros=9_000
        ),
        [THREAD_ROWS[0]],
    ),
    "TrustedMessages.redact": (_redact, [THREAD_ROWS[0], "messages thread = 1"]),
    "TrustedRestrictions.put": (_mute, ["identities custom_id = 'B'", THREAD_ROWS[0], RESTRICTION_ROW]),
    "TrustedRestrictions.lift": (
        lambda database: TrustedRestrictions(_store(database)).lift(_MUTED),
        [RESTRICTION_ROW],
    ),
    "Purges.end_restrictions": (
        lambda database: Purges(_store(database), ChatLimits()).end_restrictions(9_000_000),
        [RESTRICTION_ROW],
    ),
}
