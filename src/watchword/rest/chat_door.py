"""The door of chat and of its realtime channel: that of users, in chat's words, closed to Teams users and to who is
banned from the chats of the resource.
"""

from __future__ import annotations

from watchword.errors import NotAllowed, Restricted
from watchword.rest.callers import Caller, User
from watchword.rest.doors import Door, Doors, Words, in_words_of
from watchword.rest.request import Request
from watchword.subjects.subjects import Ban
from watchword.wire.chat_errors import describe
from watchword.wire.operations import Operation

_TEAMS = "8:orgid:"


class ChatDoor:
    """Assumed: a Teams user, `8:orgid:<guid>`, takes no part in chats here, and is refused at every operation."""

    def __init__(self, users: Door[User]) -> None:
        self._users = users

    @property
    def schemes(self) -> tuple[str, ...]:
        return self._users.schemes

    @property
    def describe(self) -> Words:
        return describe

    async def admit(self, request: Request, operation: Operation) -> User:
        """Judge the access token of the request, in the words of chat.

        Raises:
            NotAuthenticated, NotAllowed: as at the door of users.
            NotAllowed: a Teams user.
            Restricted: who is banned everywhere.
        """
        user = await self._users.admit(request, operation)
        if user.token.identity.startswith(_TEAMS):
            raise NotAllowed("Teams users (8:orgid:<guid>) take no part in the chats of this server.")
        require_no_ban(user.ban)
        return user


def require_no_ban(ban: Ban | None) -> None:
    """Let pass who is not banned.

    Raises:
        Restricted: as it says.
    """
    if ban is not None:
        raise Restricted("ban", True, ban.until_millis)


def trusted_door(doors: Doors) -> Door[Caller]:
    """The door of who may manage a resource, in chat's words: that of the trusted server."""
    return in_words_of(describe, doors.clients)
