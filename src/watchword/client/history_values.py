"""A history that is brought in: its records and participants as they are sent, and how far an import is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import quote

import msgspec

from watchword.client.replies import Reply
from watchword.client.requests import Call, Request
from watchword.wire import trusted_imports as wire
from watchword.wire.operations import Operation

MOST_RECORDS = 500
MOST_BYTES = 900_000
"""Of records in one call; a call takes a megabyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRecord:
    """A message as it was written elsewhere. `sender` is the id of a user, such as `8:acs:...`; times are aware.

    One with `deleted` is brought in as the shell that it left.
    """

    sender: str
    content: str
    created: datetime
    type: Literal["text", "html"] = "text"
    sender_name: str | None = None
    edited: datetime | None = None
    deleted: datetime | None = None
    metadata: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class HistoryParticipant:
    """Who is to be in the thread. `since` is where the history begins that they see; None is all of it."""

    id: str
    display_name: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class HistoryImport:
    """`thread` is the id of what it becomes; `reached` says how many records are in.

    `not_added` are those who could not be added at the end.
    """

    id: str
    thread: str
    reached: int
    begun: datetime
    finished: datetime | None
    not_added: tuple[str, ...] = ()


def begin(
    id: str, topic: str, *, created_by: str | None, metadata: Mapping[str, str] | None, thread: str | None
) -> Call[HistoryImport]:
    body = {"topic": topic, "createdBy": created_by, "metadata": metadata, "threadId": thread}
    return _call(wire.BEGIN_IMPORT, id, _encode(body))


def get(id: str) -> Call[HistoryImport]:
    return _call(wire.GET_IMPORT, id)


def add(id: str, records: Iterable[bytes], *, after: int) -> Call[HistoryImport]:
    """Records are as `encode` leaves them. Sent twice, they are in once."""
    body = b'{"after":%d,"records":[%b]}' % (after, b",".join(records))
    return _call(wire.ADD_RECORDS, id, body)


def finish(id: str, participants: Iterable[HistoryParticipant], *, unread: bool) -> Call[HistoryImport]:
    entries = [
        {"id": each.id, "displayName": each.display_name, "shareHistoryTime": _time(each.since)}
        for each in participants
    ]
    return _call(wire.FINISH_IMPORT, id, _encode({"participants": entries, "unread": unread}))


def give_up(id: str) -> Call[None]:
    return Call(Request(wire.GIVE_IMPORT_UP.method, _target(wire.GIVE_IMPORT_UP, id)), lambda _: None)


def encode(record: HistoryRecord) -> bytes:
    """A record as it is sent.

    Raises:
        ValueError: a time of its is naive.
    """
    body = {
        "sender": record.sender,
        "content": record.content,
        "createdOn": _time(record.created),
        "type": record.type,
        "senderDisplayName": record.sender_name,
        "editedOn": _time(record.edited),
        "deletedOn": _time(record.deleted),
        "metadata": record.metadata,
    }
    return _encode({name: value for name, value in body.items() if value is not None})


def batches(records: Iterable[HistoryRecord]) -> Iterator[list[bytes]]:
    """Cuts them into what one call takes."""
    batch: list[bytes] = []
    size = 0
    for record in records:
        encoded = encode(record)
        if batch and (len(batch) == MOST_RECORDS or size + len(encoded) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(encoded)
        size += len(encoded) + 1
    if batch:
        yield batch


def _call(operation: Operation, id: str, body: bytes = b"") -> Call[HistoryImport]:
    return Call(Request(operation.method, _target(operation, id), body), _read)


def _target(operation: Operation, id: str) -> str:
    return operation.path.replace("{importId}", quote(id, safe="").replace(".", "%2E"))


def _read(reply: Reply) -> HistoryImport:
    try:
        body = msgspec.json.decode(reply.body, type=wire.ImportBody)
        begun = datetime.fromisoformat(body.begunOn)
        finished = None if body.finishedOn is None else datetime.fromisoformat(body.finishedOn)
    except (ValueError, RecursionError):
        raise reply.unexpected("The reply tells of no import; is the endpoint right, and a Watchword?") from None
    refused = tuple(each.target for each in body.invalidParticipants or ())
    return HistoryImport(body.id, body.threadId, body.reached, begun, finished, refused)


def _encode(body: object) -> bytes:
    return msgspec.json.encode(body)


def _time(moment: datetime | None) -> str | None:
    if moment is not None and moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return None if moment is None else moment.isoformat(timespec="milliseconds")
