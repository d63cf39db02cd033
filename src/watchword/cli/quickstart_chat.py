"""What `watchword quickstart --chat` shows: two users, a thread, a message each way, and what a revocation ends."""

from __future__ import annotations

from functools import partial

from watchword.cli.chat_session import ChatSession
from watchword.cli.transcript import transcript
from watchword.client import IdentityClient, Retries, ServiceError
from watchword.client.transport import Verify
from watchword.errors import OperatorError
from watchword.wire.connection_string import parse_connection_string

_tell = partial(print, flush=True)


def walk(connection_string: str, verify: Verify, retries: Retries) -> None:
    """Shows chat from two identities to the refusal of one of them.

    Raises:
        ServiceError, TransportError: the service said no, or nothing.
        OperatorError: it let in a token that was revoked.
    """
    endpoint = parse_connection_string(connection_string).endpoint
    with IdentityClient.from_connection_string(connection_string, verify=verify, retries=retries) as client:
        _tell("Azure Communication Services - Chat Quickstart")
        names, sessions = {}, []
        for name in ("Ada", "Bob"):
            identity, issued = client.create_user_and_token(["chat"])
            _tell(f"\nCreated an identity for {name}, with an access token of the scope 'chat': {identity.id}")
            names[identity.id] = name
            sessions.append(ChatSession(endpoint, identity.id, issued.token, verify=verify))
        with sessions[0] as ada, sessions[1] as bob:
            thread = _talk(ada, bob, names)
            client.revoke_tokens(bob.user)
            _tell("\nSuccessfully revoked all access tokens of Bob")
            _tell(f"\nBob is refused: {_refusal(bob, thread)}")
            ada.delete_thread(thread)
            _tell("\nAda deleted the thread")
        for user in names:
            client.delete_user(user)
        _tell("\nDeleted both identities")


def _talk(ada: ChatSession, bob: ChatSession, names: dict[str, str]) -> str:
    """The id of the thread."""
    thread = ada.create_thread("Lunch", names).id
    _tell(f"\nAda created a thread with Bob: {thread}")
    asked = ada.send(thread, "Shall we have lunch?")
    _tell(f"\nAda sent the message {asked}")
    bob.mark_read(thread, asked)
    replied = bob.send(thread, "Gladly. At noon?")
    _tell(f"Bob has read it, and sent the message {replied}")
    ada.mark_read(thread, replied)
    _tell("Ada has read it")
    _tell("\nAda sees these read receipts:")
    for receipt in ada.receipts(thread):
        reader = names[receipt.senderCommunicationIdentifier.rawId]
        _tell(f"{reader} has read up to {receipt.chatMessageId}, at {receipt.readOn}")
    _tell("\nBob sees this thread:")
    for line in transcript(bob.messages(thread), names):
        _tell(line)
    return thread


def _refusal(session: ChatSession, thread: str) -> str:
    try:
        session.send(thread, "Is anybody there?")
    except ServiceError as error:
        if error.status == 401:
            return f"{error.status} {error.code}. {error.message}"
        raise
    raise OperatorError(
        "A token that was revoked was let in.",
        "Azure's own service takes up to 15 minutes to refuse it; on Watchword this is a fault: please report it.",
    )
