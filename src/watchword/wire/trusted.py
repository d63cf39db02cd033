"""What the trusted server asks of threads, as data: operations of Watchword's own, for who may manage a resource.

An application's server reads and moderates every thread of its resource with them, and takes part in none. What belongs
to messages stands beside.
"""

from __future__ import annotations

from typing import Any

from watchword.wire import trusted_bodies as bodies
from watchword.wire.chat import LARGEST_PAGE
from watchword.wire.chat_answers import AddedBody
from watchword.wire.chat_errors import ChatErrorResponse
from watchword.wire.operations import JSON, MERGE_PATCH, Body, Operation, Parameter

THREADS = "/trusted/threads"
THREAD = "/trusted/threads/{chatThreadId}"

RESTRICTIONS = "/trusted/restrictions"

DEFAULT_PAGE = 100


def page_parameters(default: int = DEFAULT_PAGE) -> tuple[Parameter, ...]:
    """Those of every list."""
    size = f"How many at the most; {default} where it is left out, {LARGEST_PAGE} where it is more."
    return (
        Parameter("maxPageSize", size, {"type": "integer", "format": "int32", "minimum": 1}),
        Parameter("syncState", "Taken from a nextLink, unchanged."),
    )


def own_operation(id: str, method: str, path: str, *, success: int, summary: str, **facts: Any) -> Operation:
    """Whatever all operations of the trusted server have in common."""
    return Operation(id, method, path, success, None, summary, error=ChatErrorResponse, **facts)


LIST_THREADS = own_operation(
    "Watchword_ListThreads", "GET", THREADS, success=200,
    summary="List the threads of the resource, the one with the newest message first.",
    gives=(Body(bodies.TrustedThreadPage),),
    parameters=(
        Parameter("member", "Only threads that this user takes part in, such as 8:acs:..."),
        Parameter("topicPrefix", "Only threads whose topic begins so; they come in the order of topics."),
        Parameter("activeSince", "Only threads with a message since then.",
                  {"type": "string", "format": "date-time"}),
        *page_parameters(),
    ),
)  # fmt: skip
GET_THREAD = own_operation(
    "Watchword_GetThread", "GET", THREAD, success=200,
    summary="Get the properties of a thread, and how much is in it.",
    gives=(Body(bodies.TrustedThreadBody),),
)  # fmt: skip
UPDATE_THREAD = own_operation(
    "Watchword_UpdateThread", "PATCH", THREAD, success=204,
    summary="Change the topic of a thread, freeze it, or open it again.",
    takes=(Body(bodies.UpdateTrustedThreadRequest, media_type=MERGE_PATCH),
           Body(bodies.UpdateTrustedThreadRequest, media_type=JSON)),
)  # fmt: skip
DELETE_THREAD = own_operation(
    "Watchword_DeleteThread", "DELETE", THREAD, success=204,
    summary="Delete a thread.",
)  # fmt: skip

LIST_PARTICIPANTS = own_operation(
    "Watchword_ListParticipants", "GET", f"{THREAD}/participants", success=200,
    summary="List the participants of a thread in the order in which they joined, or with those who left it.",
    gives=(Body(bodies.TrustedParticipantPage),),
    parameters=(
        Parameter("former", "Whether to list those, too, who were removed or have left; then in the order of users.",
                  {"type": "boolean"}),
        *page_parameters(),
    ),
)  # fmt: skip
ADD_PARTICIPANTS = own_operation(
    "Watchword_AddParticipants", "POST", f"{THREAD}/participants/:add", success=201,
    summary="Add participants to a thread; who is one already stays as they are.",
    takes=(Body(bodies.AddTrustedParticipantsRequest),), gives=(Body(AddedBody),),
)  # fmt: skip
REMOVE_PARTICIPANT = own_operation(
    "Watchword_RemoveParticipant", "POST", f"{THREAD}/participants/:remove", success=204,
    summary="Remove a participant from a thread.",
    takes=(Body(bodies.RemoveTrustedParticipantRequest),),
)  # fmt: skip
LIST_RESTRICTIONS = own_operation(
    "Watchword_ListRestrictions", "GET", RESTRICTIONS, success=200,
    summary="List who is muted or banned, in the resource and in its threads, in the order of users.",
    gives=(Body(bodies.RestrictionPage),), parameters=page_parameters(),
)  # fmt: skip
LIST_THREAD_RESTRICTIONS = own_operation(
    "Watchword_ListThreadRestrictions", "GET", f"{THREAD}/restrictions", success=200,
    summary="List who is muted or banned in a thread, in the order of users.",
    gives=(Body(bodies.RestrictionPage),), parameters=page_parameters(),
)  # fmt: skip


def _of_a_user(of: str, path: str, where: str) -> tuple[Operation, Operation, Operation]:
    """What puts, gets and lifts the restriction of a user in `where`."""
    return (
        own_operation(
            f"Watchword_Put{of}Restriction", "PUT", f"{path}/{{userId}}", success=200,
            summary=f"Mute or ban a user in {where}, until a time or until that is lifted.",
            takes=(Body(bodies.RestrictionRequest),), gives=(Body(bodies.RestrictionBody),),
        ),
        own_operation(
            f"Watchword_Get{of}Restriction", "GET", f"{path}/{{userId}}", success=200,
            summary=f"Get how a user is muted or banned in {where}.", gives=(Body(bodies.RestrictionBody),),
        ),
        own_operation(
            f"Watchword_Delete{of}Restriction", "DELETE", f"{path}/{{userId}}", success=204,
            summary=f"Lift what a user was muted or banned by in {where}; also where there is nothing.",
        ),
    )  # fmt: skip


PUT_RESTRICTION, GET_RESTRICTION, DELETE_RESTRICTION = _of_a_user("User", RESTRICTIONS, "the resource")
PUT_THREAD_RESTRICTION, GET_THREAD_RESTRICTION, DELETE_THREAD_RESTRICTION = _of_a_user(
    "Thread", f"{THREAD}/restrictions", "a thread"
)
