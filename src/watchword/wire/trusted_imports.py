"""Bringing a history in, as data: operations of Watchword's own, for who may manage a resource.

PUT  /trusted/imports/{importId}            begin, or see how far it is
POST /trusted/imports/{importId}/:records   add records that come after those that are in
POST /trusted/imports/{importId}/:finish    its participants join, and everybody sees it
"""

from __future__ import annotations

from typing import Any

import msgspec

from watchword.errors import MalformedBody, MissingField
from watchword.wire.chat_answers import InvalidParticipantBody
from watchword.wire.chat_values import parse_millis
from watchword.wire.operations import Body, Operation
from watchword.wire.request_bodies import Reader, RequestBody
from watchword.wire.trusted import own_operation
from watchword.wire.trusted_bodies import Time

LARGEST_BODY_BYTES = 1_048_576
"""Of records, or more where a single one may have more by setting; and of participants."""


class BeginImportRequest(RequestBody, frozen=True):
    """`{"topic": "Lunch"}`; `threadId` where the thread is to keep an id that clients know already."""

    topic: str | None = None
    createdBy: str | None = None
    metadata: dict[str, str] | None = None
    deleteThreadAfterDays: int | None = None
    threadId: str | None = None


class RecordRequest(RequestBody, frozen=True):
    """A message as it was written elsewhere; a deleted one needs no content.

    {"sender": "8:acs:...", "senderDisplayName": "Ada", "content": "At noon?", "type": "text",
     "createdOn": "2024-05-01T12:00:00.250Z", "editedOn": "2024-05-01T12:01:00Z", "metadata": {"k": "v"}}
    """

    sender: str | None = None
    senderDisplayName: str | None = None
    content: str | None = None
    type: str | None = None
    createdOn: str | None = None
    editedOn: str | None = None
    deletedOn: str | None = None
    metadata: dict[str, str] | None = None


class RecordsRequest(RequestBody, frozen=True):
    """`{"after": 500, "records": [...]}`: these come after the first 500."""

    after: int | None = None
    records: list[RecordRequest] | None = None


class ImportedParticipantRequest(RequestBody, frozen=True):
    """`{"id": "8:acs:...", "displayName": "Ada"}`; who has a `shareHistoryTime` sees nothing from before it."""

    id: str | None = None
    displayName: str | None = None
    shareHistoryTime: str | None = None
    metadata: dict[str, str] | None = None


class FinishImportRequest(RequestBody, frozen=True):
    """`{"participants": [...]}`; they count as having read all of it, unless it is to be `unread`."""

    participants: list[ImportedParticipantRequest] | None = None
    unread: bool = False


class ImportBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`reached` says how many records are in. `invalidParticipants` are those who could not be added.

    {"id": "room-1", "threadId": "19:...@thread.v2", "reached": 500, "begunOn": "2026-11-29T10:00:00Z"}
    """

    id: str
    threadId: str
    reached: int
    begunOn: Time
    finishedOn: Time | None = None
    invalidParticipants: list[InvalidParticipantBody] | None = None


IMPORT = "/trusted/imports/{importId}"


def _operation(id: str, method: str, path: str, *, summary: str, **facts: Any) -> Operation:
    success = facts.pop("success", 200)
    gives = (Body(ImportBody),) if success == 200 else ()
    return own_operation(id, method, path, success=success, summary=summary, gives=gives, **facts)


BEGIN_IMPORT = _operation(
    "Watchword_BeginImport", "PUT", IMPORT,
    summary="Begin to bring a history in, into a thread of its own; or see how far it is.",
    takes=(Body(BeginImportRequest),), also=(201,),
)  # fmt: skip
GET_IMPORT = _operation(
    "Watchword_GetImport", "GET", IMPORT,
    summary="See how far a history has been brought in.",
)  # fmt: skip
ADD_RECORDS = _operation(
    "Watchword_AddRecords", "POST", f"{IMPORT}/:records",
    summary="Add records to a history, with their original times and senders; what is in already is passed over.",
    takes=(Body(RecordsRequest),), largest_body_bytes=LARGEST_BODY_BYTES,
)  # fmt: skip
FINISH_IMPORT = _operation(
    "Watchword_FinishImport", "POST", f"{IMPORT}/:finish",
    summary="Let the participants of a history join it: from then on it is a thread like all others.",
    takes=(Body(FinishImportRequest),), largest_body_bytes=LARGEST_BODY_BYTES,
)  # fmt: skip
GIVE_IMPORT_UP = _operation(
    "Watchword_GiveImportUp", "DELETE", IMPORT, success=204,
    summary="Give up a history that is not finished; what is in of it goes.",
)  # fmt: skip

_begin, _records, _finish = Reader(BeginImportRequest), Reader(RecordsRequest), Reader(FinishImportRequest)


def read_begin(body: bytes) -> BeginImportRequest:
    """Read the body of a request.

    Raises:
        MalformedBody: not JSON, or a member of the wrong type.
        MissingField: no topic.
    """
    asked: BeginImportRequest = _begin.read(body)
    if asked.topic is None:
        raise MissingField("topic")
    return asked


def read_records(body: bytes) -> tuple[int, list[RecordRequest]]:
    """How many come before, and the records.

    Raises:
        MalformedBody: not JSON, a member of the wrong type, or a negative number.
        MissingField: one of the two.
    """
    asked: RecordsRequest = _records.read(body)
    if asked.after is None or asked.records is None:
        raise MissingField("after" if asked.after is None else "records")
    if asked.after < 0:
        raise MalformedBody("Expected a number of records", "after")
    return asked.after, asked.records


def read_finish(body: bytes) -> FinishImportRequest:
    """Read the body of a request.

    Raises:
        MalformedBody: not JSON, or a member of the wrong type.
        MissingField: no participants.
    """
    asked: FinishImportRequest = _finish.read(body)
    if asked.participants is None:
        raise MissingField("participants")
    return asked


def read_millis(text: str | None, field: str) -> int | None:
    """A time of a record or a participant, in milliseconds since 1970.

    Raises:
        MalformedBody: it is none.
    """
    millis = None if text is None else parse_millis(text)
    if text is not None and millis is None:
        raise MalformedBody("Expected a time such as 2026-11-21T01:14:27.250Z", field)
    return millis
