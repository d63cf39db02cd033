"""What is said to each engine to append to the journal, within the statement or transaction that changes something.

Whoever appends holds a row lock by then, that of the thread. So ids rise within a thread; and on PostgreSQL the
transaction has its number before it draws an id, by which followers know when a missing id will never appear.

kind                                                reference
messageReceived, messageEdited, messageDeleted      the message's id
participantsAdded, participantsRemoved              the id of the message that says so, with who, and by whom
readReceiptReceived                                 the user, a slash, and the id of the message
threadCreated, threadUpdated, threadDeleted         the user whose doing it was; nobody, where it was a retention
userBanned                                          the user, of no thread: from every chat of the resource
socketsClosed                                       the user, of no thread; of one of them a slash and its registration
"""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "messageReceived",
    "messageEdited",
    "messageDeleted",
    "readReceiptReceived",
    "threadCreated",
    "threadUpdated",
    "threadDeleted",
    "participantsAdded",
    "participantsRemoved",
    "userBanned",
    "socketsClosed",
]

APPEND = (
    "insert into journal (resource, thread, change, kind, reference, moment_micros) values ($1, $2, $3, $4, $5, $6)"
)
"""For a transaction that has locked the thread's row, and drawn `change` from it; of no thread both are 0."""

BOUNDS = "select min(id), max(id) from journal"
"""The oldest and the newest entry; of an empty journal nothing."""

FORGET_RESOURCE = "delete from journal where resource = $1 and id > $2 and id <= $3"
"""For the purge of a resource, by ranges of ids: nothing but the id is indexed."""


def appended(*, kind: Kind, reference: str, source: str) -> str:
    """SQLite's SQL that appends what `source`, the rest of a select, finds of a thread as `t`; `reference` is SQL.

    The thread's change number was drawn before. The time is the parameter `:moment`.
    """
    return f"""
        insert into journal (resource, thread, change, kind, reference, moment_micros)
        select t.resource, t.number, t.change, '{kind}', {reference}, :moment {source}
    """


def appended_many(*, kind: Kind, entries: str) -> str:
    """PostgreSQL's table `appended`, which appends the table `entries` in its order of thread and change.

    That has `resource`, `thread`, `change`, `reference` and `moment`; whoever made it holds the threads' rows.
    """
    return f"""
        appended as (
            insert into journal (resource, thread, change, kind, reference, moment_micros)
            select e.resource, e.thread, e.change, '{kind}', e.reference, e.moment from {entries} e
            order by e.thread, e.change
        )
    """
