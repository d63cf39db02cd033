"""What a token allows its bearer to do. Source: identity.md section 1.1."""

from __future__ import annotations

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
