"""What calls take and return: identities, tokens and scopes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from watchword.tokens import scopes


class Scope(StrEnum):
    """What an access token allows its bearer to do; plain strings will do as well."""

    CHAT = scopes.CHAT
    CHAT_JOIN = scopes.CHAT_JOIN
    CHAT_JOIN_LIMITED = scopes.CHAT_JOIN_LIMITED
    VOIP = scopes.VOIP
    VOIP_JOIN = scopes.VOIP_JOIN


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity, with what the reply told of it: all but `id` is None in most replies.

    `last_token_issued` and `created` are aware datetimes.
    """

    id: str
    custom_id: str | None = None
    last_token_issued: datetime | None = None
    created: datetime | None = None

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access token and the aware datetime at which it expires."""

    # A token in a log is a token given away.
    token: str = field(repr=False)
    expires_on: datetime
