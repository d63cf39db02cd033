"""What happened, spelled as a push: facts into the wire's words, once for all who hear of it."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import assert_never

from watchword.journal.entries import Entry
from watchword.realtime.happenings import Happening, Joining, Message, Named, Receipt, Thread, Typing
from watchword.realtime.outbox import Told
from watchword.wire import realtime_events as wire

_MESSAGES = {"messageReceived": wire.RECEIVED, "messageEdited": wire.EDITED, "messageDeleted": wire.DELETED}
_NOBODY = Named(subject="")


def spell(happening: Happening, transaction: str) -> wire.Push:
    """`transaction` is the same whenever the same is said again."""
    match happening:
        case Message():
            facts = wire.MessageFacts(
                id=str(happening.id),
                version=str(happening.version),
                sender=happening.sender,
                sender_name=happening.sender_name,
                is_html=happening.is_html,
                created_millis=happening.id,
                content=happening.content,
                metadata=happening.metadata,
                changed_millis=happening.changed_millis,
            )
            return wire.message_pushed(_MESSAGES[happening.kind], happening.thread, facts, transaction=transaction)
        case Receipt():
            return wire.receipt_pushed(
                happening.thread,
                happening.reader,
                message=str(happening.message),
                read_millis=happening.read_millis,
                transaction=transaction,
            )
        case Typing():
            return wire.typing_pushed(
                happening.thread,
                happening.sender,
                name=happening.name,
                millis=happening.millis,
                transaction=transaction,
            )
        case Thread():
            return _thread(happening, transaction)
        case Joining():
            event = wire.ADDED if happening.kind == "participantsAdded" else wire.REMOVED
            return wire.participants_changed(
                event,
                happening.thread,
                by=_participant(happening.by),
                whom=[_participant(each) for each in happening.whom],
                millis=happening.message,
                version=str(happening.message),
                created_millis=happening.created_millis,
                transaction=transaction,
            )
        case _:
            assert_never(happening)


def told_of(entry: Entry, happening: Happening, epoch: str) -> Told:
    """An entry of a history, as everybody who hears of it is told."""
    push = spell(happening, transaction_of(epoch, entry))
    if not isinstance(happening, Message):
        return Told(entry.id, entry.thread, push)
    author = happening.sender if happening.kind == "messageReceived" else ""
    is_deletion = happening.kind == "messageDeleted"
    return Told(entry.id, entry.thread, push, author=author, message=happening.id, is_deletion=is_deletion)


def transaction_of(epoch: str, entry: Entry) -> str:
    """Tells nothing of how much happens on the server, as the entry's own number would."""
    digest = hashlib.blake2b(entry.id.to_bytes(8, "big"), key=epoch.encode()[:64], digest_size=15).digest()
    return urlsafe_b64encode(digest).decode()


def _thread(told: Thread, transaction: str) -> wire.Push:
    properties = wire.Properties(topic=told.topic, metadata=told.metadata, retention_days=told.retention_days)
    version = str(told.millis)
    by = _participant(told.by or _NOBODY)
    if told.kind == "threadCreated":
        members = [_participant(each) for each in told.members]
        return wire.thread_created(
            told.thread,
            by,
            members,
            properties=properties,
            millis=told.created_millis,
            version=version,
            transaction=transaction,
        )
    if told.kind == "threadUpdated":
        return wire.thread_updated(
            told.thread,
            by,
            properties,
            millis=told.millis,
            version=version,
            created_millis=told.created_millis,
            transaction=transaction,
        )
    return wire.thread_deleted(
        told.thread,
        by if told.by is not None else None,
        millis=told.millis,
        version=version,
        created_millis=told.created_millis,
        transaction=transaction,
    )


def _participant(named: Named) -> wire.Participant:
    return wire.Participant(
        subject=named.subject,
        display_name=named.display_name,
        history_millis=named.history_millis,
        metadata=named.metadata,
    )
