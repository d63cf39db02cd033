"""A thread that an official chat client has made, and what it is asked to do there."""

from typing import Any

from tests.sdk.chat_client import Program, Refusal
from tests.support.chat_users import ChatUser, new_user
from tests.support.signed import SignedClient


class Talk:
    """A thread of the client's making, with two users in it."""

    def __init__(self, program: Program, signed: SignedClient) -> None:
        self.program = program
        self.signed = signed
        self.ada, self.bob = new_user(signed), new_user(signed)
        made = self.ask(
            self.ada,
            "createThread",
            topic="Lunch",
            participants=[{"id": self.ada.id, "name": "Ada"}, {"id": self.bob.id, "name": "Bob"}],
        )
        assert made["invalid"] == []
        self.made = made["thread"]
        self.thread: str = made["thread"]["id"]

    def ask(self, user: ChatUser, operation: str, **arguments: Any) -> Any:
        return self.program.ask(user.token, operation, **arguments)

    def here(self, user: ChatUser, operation: str, **arguments: Any) -> Any:
        """In the thread; the client must not be refused."""
        told = self.ask(user, operation, thread=self.thread, **arguments)
        assert not isinstance(told, Refusal), told
        return told

    def refused(self, user: ChatUser, operation: str, **arguments: Any) -> tuple[int, str | None, str | None]:
        """By an error of the client's own class for that status."""
        told = self.ask(user, operation, **({"thread": self.thread} | arguments))
        assert isinstance(told, Refusal), told
        assert told.error in self.program.client.errors[told.status], told
        return told.status, told.code, told.message

    def others(self, *scopes: str) -> ChatUser:
        """One more user, who is in the thread."""
        user = new_user(self.signed, *scopes)
        assert self.here(self.ada, "addParticipants", participants=[{"id": user.id}]) == []
        return user
