"""What the trusted server asks of messages, as data; see `trusted` for what it asks of threads."""

from __future__ import annotations

from watchword.wire import trusted_message_bodies as bodies
from watchword.wire.chat import DEFAULT_MESSAGES
from watchword.wire.chat_answers import SentBody
from watchword.wire.operations import Body, Parameter
from watchword.wire.trusted import THREAD, own_operation, page_parameters

_MESSAGES = f"{THREAD}/messages"
_MESSAGE = f"{_MESSAGES}/{{chatMessageId}}"

ORDERS = ("desc", "asc")

LIST_MESSAGES = own_operation(
    "Watchword_ListMessages", "GET", _MESSAGES, success=200,
    summary="List the messages of a thread, the one that was sent, edited or deleted last first; or by id.",
    gives=(Body(bodies.TrustedMessagePage),),
    parameters=(
        Parameter("order", "`desc`: the newest version first, as members list them; `asc`: by id, the oldest first.",
                  {"type": "string", "enum": list(ORDERS), "default": ORDERS[0]}),
        Parameter("startTime", "Only messages of that version or later; upward, that were sent since then.",
                  {"type": "string", "format": "date-time"}),
        *page_parameters(DEFAULT_MESSAGES),
    ),
)  # fmt: skip
GET_MESSAGE = own_operation(
    "Watchword_GetMessage", "GET", _MESSAGE, success=200,
    summary="Get a message of a thread.",
    gives=(Body(bodies.TrustedMessageBody),),
)  # fmt: skip
SEND_MESSAGE = own_operation(
    "Watchword_SendMessage", "POST", _MESSAGES, success=201,
    summary="Send a message to a thread, under a name that is no user's.",
    takes=(Body(bodies.SendTrustedMessageRequest),),
    gives=(Body(SentBody),),
)  # fmt: skip
DELETE_MESSAGE = own_operation(
    "Watchword_DeleteMessage", "DELETE", _MESSAGE, success=204,
    summary="Delete a message, as its sender would; its shell stays, with the sender's name.",
)  # fmt: skip
REDACT_MESSAGE = own_operation(
    "Watchword_RedactMessage", "POST", f"{_MESSAGE}/:redact", success=204,
    summary="Take everything that anybody wrote out of a message, names included; its shell stays.",
)  # fmt: skip
