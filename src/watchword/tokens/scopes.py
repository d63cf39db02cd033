"""What a token allows its bearer to do.

Source: identity.md section 1.1 for the meaning of the scopes, surroundings.md sections 1.4 and 3.3 (I7) for which
operations each of them allows. Chat operations have Azure's operationIds; calling has no published API, so its four
rows are named after the rows of the original's table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from watchword.errors import InsufficientScope
from watchword.tokens.claims import AccessToken

CHAT = "chat"
"""Full access to the Chat APIs."""

CHAT_JOIN = "chat.join"
"""Chat "without the authorization to create, delete or update chat threads"."""

CHAT_JOIN_LIMITED = "chat.join.limited"
"""Like `chat.join`, but neither adds nor removes participants; for bearers that are "not fully trusted"."""

VOIP = "voip"
"""Full access to the Calling APIs."""

VOIP_JOIN = "voip.join"
"""Calling "without the authorization to start new calls"."""

ALL = (CHAT, VOIP, CHAT_JOIN, CHAT_JOIN_LIMITED, VOIP_JOIN)

_OWNERS = frozenset({CHAT})
_MEMBERS = frozenset({CHAT, CHAT_JOIN})
_GUESTS = frozenset({CHAT, CHAT_JOIN, CHAT_JOIN_LIMITED})
_CALLERS = frozenset({VOIP})
_CALLED = frozenset({VOIP, VOIP_JOIN})

OPERATIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Chat_CreateChatThread": _OWNERS,
        "Chat_DeleteChatThread": _OWNERS,
        "ChatThread_UpdateChatThreadProperties": _OWNERS,
        "ChatThread_AddChatParticipants": _MEMBERS,
        "ChatThread_RemoveChatParticipant": _MEMBERS,
        "Chat_ListChatThreads": _GUESTS,
        "ChatThread_GetChatThreadProperties": _GUESTS,
        "ChatThread_ListChatParticipants": _GUESTS,
        "ChatThread_SendChatMessage": _GUESTS,
        "ChatThread_ListChatMessages": _GUESTS,
        "ChatThread_GetChatMessage": _GUESTS,
        "ChatThread_UpdateChatMessage": _GUESTS,
        "ChatThread_DeleteChatMessage": _GUESTS,
        "ChatThread_SendChatReadReceipt": _GUESTS,
        "ChatThread_ListChatReadReceipts": _GUESTS,
        "ChatThread_SendTypingNotification": _GUESTS,
        "Calling_StartCall": _CALLERS,
        "Calling_StartRoomCall": _CALLED,
        "Calling_JoinCall": _CALLED,
        "Calling_TakePartInCall": _CALLED,
    }
)
"""Which scopes allow an operation; any one of them is enough."""


def require_scope(token: AccessToken, operation: str) -> None:
    """Let a token pass that has a scope for the operation.

    Raises:
        InsufficientScope: none of the token's scopes allows the operation.
        KeyError: there is no such operation in `OPERATIONS`.
    """
    allowed = OPERATIONS[operation]
    if token.scopes.isdisjoint(allowed):
        raise InsufficientScope(operation, tuple(sorted(allowed)))
