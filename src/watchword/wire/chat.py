"""The Chat API's operations, as data: the same sixteen in every version, and the images of two previews, refused.

Source: chat.md sections 1, 2.7, 3 to 6; the published document of each version.
"""

from __future__ import annotations

from typing import Any

from watchword.wire import chat_answers as answers
from watchword.wire import chat_requests as requests
from watchword.wire import chat_versions as versions
from watchword.wire.chat_errors import ChatErrorResponse
from watchword.wire.operations import MERGE_PATCH, Body, Operation, Parameter

_OWNERS = ("chat",)
_MEMBERS = ("chat", "chat.join")
_GUESTS = ("chat", "chat.join", "chat.join.limited")
"""Source: chat.md section 2.7. The same as `watchword.tokens.scopes` says of each operation; a test compares them."""

_THREADS = "/chat/threads"
_THREAD = "/chat/threads/{chatThreadId}"
_PARTICIPANTS = f"{_THREAD}/participants"
_MESSAGES = f"{_THREAD}/messages"
_MESSAGE = f"{_THREAD}/messages/{{chatMessageId}}"
_RECEIPTS = f"{_THREAD}/readReceipts"
_IMAGES = f"{_THREAD}/images"

_FIRST = versions.ALL.without(versions.METADATA)
_METADATA_ONLY = versions.METADATA.without(versions.RETENTION)
_BARE_MESSAGES = versions.ALL.without(versions.MESSAGE_METADATA)
_MESSAGES_ONLY = versions.MESSAGE_METADATA.without(versions.IMAGES)

_TYPING_LISTED = versions.TYPING_NAMES
"""Observed: chat.md section 2.1, though 2021-03-07 goes on being answered."""

LARGEST_PAGE = 200
"""Source: chat.md section 2.8."""


def _page(default: int, of: str) -> Parameter:
    meaning = f"How many {of} at the most; {default} where it is left out, {LARGEST_PAGE} where it is more."
    return Parameter("maxPageSize", meaning, {"type": "integer", "format": "int32", "minimum": 1})


def _skip(of: str) -> Parameter:
    return Parameter("skip", f"How many {of} to leave out.", {"type": "integer", "format": "int32", "minimum": 0})


def _since(of: str) -> Parameter:
    return Parameter("startTime", f"Only {of} since then.", {"type": "string", "format": "date-time"})


_CURSOR = Parameter("syncState", "Taken from a nextLink, unchanged.")
_REPEATABILITY = Parameter(
    "repeatability-request-id",
    "A value of the client's: with the same one, the thread that was created is answered again.",
    place="header",
)

DEFAULT_THREADS = DEFAULT_PARTICIPANTS = DEFAULT_RECEIPTS = 100
"""Observed: of threads. Assumed: lists of participants and of receipts have the same default page."""

DEFAULT_MESSAGES = 10
"""Observed: chat.md section 5.3."""


def _operation(id: str, method: str, path: str, *, success: int, summary: str, **facts: Any) -> Operation:
    """Whatever all operations of chat have in common. Observed: chat.md sections 2.1 and 2.6."""
    return Operation(
        id, method, path, success, facts.pop("versions", versions.ALL), summary,
        listed_versions=facts.pop("listed_versions", versions.ALL), is_for_any_page=True,
        error=ChatErrorResponse, told=(("accept-ranges", "bytes"),) if success == 200 else (),
        **facts,
    )  # fmt: skip


CREATE_THREAD = _operation(
    "Chat_CreateChatThread", "POST", _THREADS, success=201,
    summary="Create a thread, of which the caller is a participant.",
    takes=(
        Body(requests.CreateThreadRequest2021, _FIRST),
        Body(requests.CreateThreadRequest2023, _METADATA_ONLY),
        Body(requests.CreateThreadRequest, versions.RETENTION),
    ),
    gives=(Body(answers.CreatedThreadBody),), parameters=(_REPEATABILITY,), scopes=_OWNERS, limit="createThread",
)  # fmt: skip
LIST_THREADS = _operation(
    "Chat_ListChatThreads", "GET", _THREADS, success=200,
    summary="List the threads that the caller is or was in, the one with the newest message first.",
    gives=(Body(answers.ThreadPage),), scopes=_GUESTS, limit="getThreads",
    parameters=(_page(DEFAULT_THREADS, "threads"), _since("threads with a message"), _CURSOR),
)  # fmt: skip
GET_THREAD = _operation(
    "ChatThread_GetChatThreadProperties", "GET", _THREAD, success=200,
    summary="Get the properties of a thread.",
    gives=(Body(answers.ThreadBody),), scopes=_GUESTS, limit="getThreads",
)  # fmt: skip
UPDATE_THREAD = _operation(
    "ChatThread_UpdateChatThreadProperties", "PATCH", _THREAD, success=204,
    summary="Change the topic of a thread, keys of its metadata, or its retention policy.",
    takes=(
        Body(requests.UpdateThreadRequest2021, _FIRST, MERGE_PATCH),
        Body(requests.UpdateThreadRequest2023, _METADATA_ONLY, MERGE_PATCH),
        Body(requests.UpdateThreadRequest, versions.RETENTION, MERGE_PATCH),
    ),
    scopes=_OWNERS, limit="updateThread",
)  # fmt: skip
DELETE_THREAD = _operation(
    "Chat_DeleteChatThread", "DELETE", _THREAD, success=204,
    summary="Delete a thread.",
    scopes=_OWNERS, limit="deleteThread",
)  # fmt: skip
LIST_PARTICIPANTS = _operation(
    "ChatThread_ListChatParticipants", "GET", _PARTICIPANTS, success=200,
    summary="List the participants of a thread, in the order in which they joined.",
    gives=(Body(answers.ParticipantPage),), scopes=_GUESTS,
    parameters=(_page(DEFAULT_PARTICIPANTS, "participants"), _skip("participants")),
)  # fmt: skip
ADD_PARTICIPANTS = _operation(
    "ChatThread_AddChatParticipants", "POST", f"{_PARTICIPANTS}/:add", success=201,
    summary="Add participants to a thread; who is one already stays as they are.",
    takes=(
        Body(requests.AddParticipantsRequest2021, _FIRST),
        Body(requests.AddParticipantsRequest, versions.METADATA),
    ),
    gives=(Body(answers.AddedBody),), scopes=_MEMBERS, limit="changeParticipants",
)  # fmt: skip
REMOVE_PARTICIPANT = _operation(
    "ChatThread_RemoveChatParticipant", "POST", f"{_PARTICIPANTS}/:remove", success=204,
    summary="Remove a participant from a thread, or leave it oneself.",
    takes=(Body(requests.Identifier),), scopes=_MEMBERS, limit="changeParticipants",
)  # fmt: skip
SEND_MESSAGE = _operation(
    "ChatThread_SendChatMessage", "POST", _MESSAGES, success=201,
    summary="Send a message to a thread.",
    takes=(
        Body(requests.SendMessageRequest2021, _BARE_MESSAGES),
        Body(requests.SendMessageRequest, _MESSAGES_ONLY),
        Body(requests.SendMessageRequest2024, versions.IMAGES),
    ),
    gives=(Body(answers.SentBody),), scopes=_GUESTS, limit="changeMessages",
)  # fmt: skip
LIST_MESSAGES = _operation(
    "ChatThread_ListChatMessages", "GET", _MESSAGES, success=200,
    summary="List the messages of a thread, the one that was sent, edited or deleted last first.",
    gives=(Body(answers.MessagePage),), scopes=_GUESTS, limit="listMessages",
    parameters=(_page(DEFAULT_MESSAGES, "messages"), _since("messages that were sent, edited or deleted"), _CURSOR),
)  # fmt: skip
GET_MESSAGE = _operation(
    "ChatThread_GetChatMessage", "GET", _MESSAGE, success=200,
    summary="Get a message.",
    gives=(Body(answers.MessageBody),), scopes=_GUESTS,
)  # fmt: skip
UPDATE_MESSAGE = _operation(
    "ChatThread_UpdateChatMessage", "PATCH", _MESSAGE, success=204,
    summary="Change the content of a message of the caller's own, or keys of its metadata.",
    takes=(
        Body(requests.UpdateMessageRequest2021, _BARE_MESSAGES, MERGE_PATCH),
        Body(requests.UpdateMessageRequest, _MESSAGES_ONLY, MERGE_PATCH),
        Body(requests.UpdateMessageRequest2024, versions.IMAGES, MERGE_PATCH),
    ),
    scopes=_GUESTS, limit="changeMessages",
)  # fmt: skip
DELETE_MESSAGE = _operation(
    "ChatThread_DeleteChatMessage", "DELETE", _MESSAGE, success=204,
    summary="Delete a message of the caller's own; its shell stays.",
    scopes=_GUESTS, limit="changeMessages",
)  # fmt: skip
LIST_RECEIPTS = _operation(
    "ChatThread_ListChatReadReceipts", "GET", _RECEIPTS, success=200,
    summary="List the newest read receipt of each participant.",
    gives=(Body(answers.ReceiptPage),), scopes=_GUESTS,
    parameters=(_page(DEFAULT_RECEIPTS, "receipts"), _skip("receipts")),
)  # fmt: skip
SEND_RECEIPT = _operation(
    "ChatThread_SendChatReadReceipt", "POST", _RECEIPTS, success=200,
    summary="Say that the caller has read a message, and so all before it.",
    takes=(Body(requests.ReceiptRequest),), scopes=_GUESTS, limit="sendReceipts",
)  # fmt: skip
SEND_TYPING = _operation(
    "ChatThread_SendTypingNotification", "POST", f"{_THREAD}/typing", success=200,
    summary="Say that the caller is typing.",
    takes=(
        Body(requests.TypingRequest2021, _BARE_MESSAGES, required=False),
        Body(requests.TypingRequest, versions.TYPING_NAMES, required=False),
    ),
    scopes=_GUESTS, limit="sendTyping", listed_versions=_TYPING_LISTED,
)  # fmt: skip

_NO_IMAGES = "Images of chat were in two previews only, and are not stored here."

UPLOAD_IMAGE = _operation(
    "ChatThread_UploadChatImage", "POST", _IMAGES, success=201,
    summary="Upload an image.",
    versions=versions.IMAGES, scopes=_GUESTS, refusal=_NO_IMAGES,
)  # fmt: skip
GET_IMAGE = _operation(
    "ChatThread_GetChatImage", "GET", f"{_IMAGES}/{{imageId}}/view/{{imageViewType}}", success=200,
    summary="Get an image.",
    versions=versions.IMAGES, scopes=_GUESTS, refusal=_NO_IMAGES,
)  # fmt: skip
DELETE_IMAGE = _operation(
    "ChatThread_DeleteChatImage", "DELETE", f"{_IMAGES}/{{imageId}}", success=204,
    summary="Delete an image.",
    versions=versions.IMAGES, scopes=_GUESTS, refusal=_NO_IMAGES,
)  # fmt: skip

OPERATIONS = (
    CREATE_THREAD,
    LIST_THREADS,
    GET_THREAD,
    UPDATE_THREAD,
    DELETE_THREAD,
    LIST_PARTICIPANTS,
    ADD_PARTICIPANTS,
    REMOVE_PARTICIPANT,
    SEND_MESSAGE,
    LIST_MESSAGES,
    GET_MESSAGE,
    UPDATE_MESSAGE,
    DELETE_MESSAGE,
    LIST_RECEIPTS,
    SEND_RECEIPT,
    SEND_TYPING,
)
"""Those that are carried out."""

REFUSED = (UPLOAD_IMAGE, GET_IMAGE, DELETE_IMAGE)
"""Published, and answered with 501."""
