"""What the hot verbs of chat say to each engine when something is read; and the one rule of who sees which message."""

from __future__ import annotations

from watchword.storage import Statement

EVER = (1 << 63) - 1
"""Above every version."""

MESSAGE_COLUMNS = "id, version, sequence, kind, sender, sender_name, content, metadata, edited_millis, deleted_millis"

_OF_MESSAGE = ", ".join(f"m.{column}" for column in MESSAGE_COLUMNS.split(", "))

_ACCESS = "t.number, t.deleted_millis, p.subject is not null, p.removed_millis"
"""What decides whether somebody may read at all."""

_SPEAKER = (("resource", "int8"), ("thread", "text"), ("subject", "text"))

_THREAD_COLUMNS = "t.id, t.topic, t.created_millis, t.created_by, t.metadata, t.retention_days, t.present"


def visible(*, message: str, participant: str) -> str:
    """SQL: what is from the participant's history on, and as it was when the participant was removed.

    Source: chat.md section 4.4.
    Assumed: a message that was edited or deleted after the removal is not shown any more to who was removed.
    """
    return (
        f"{message}.id >= {participant}.history_millis"
        f" and {message}.version <= coalesce({participant}.removed_millis, {EVER})"
    )


_JOINED = "join threads t on t.id = q.thread and t.resource = q.resource"
_JOINED_PARTICIPANT = f"{_JOINED} left join participants p on p.thread = t.number and p.subject = q.subject"
_FOUND = """
    from threads t left join participants p on p.thread = t.number and p.subject = :subject
"""
_HERE = "where t.id = :thread and t.resource = :resource"

FIND_THREAD = Statement(
    sqlite=(f"select {_ACCESS}, {_THREAD_COLUMNS} {_FOUND} {_HERE}",),
    parameters=_SPEAKER,
    postgres=f"select q.n, {_ACCESS}, {_THREAD_COLUMNS} from q {_JOINED_PARTICIPANT}",
)

FIND_MESSAGE = Statement(
    sqlite=(
        f"""
        select {_ACCESS}, {_OF_MESSAGE} {_FOUND}
        left join messages m on m.thread = t.number and m.id = :message and {visible(message="m", participant="p")}
        {_HERE}
        """,
    ),
    parameters=(*_SPEAKER, ("message", "int8")),
    postgres=f"""
        select q.n, {_ACCESS}, {_OF_MESSAGE} from q {_JOINED_PARTICIPANT}
        left join messages m on m.thread = t.number and m.id = q.message and {visible(message="m", participant="p")}
    """,
)

# A version is never below the id, so nothing below the history has to be looked at; and of who was removed the page
# begins at the removal. What was changed since and is older than the history is looked at, and said not to be visible:
# so it is bounded how much is.
LIST_MESSAGES = Statement(
    sqlite=(
        f"""
        select {_ACCESS}, {_OF_MESSAGE}, {visible(message="m", participant="p")} {_FOUND}
        left join messages m on m.thread = t.number
            and m.version < min(:below, coalesce(p.removed_millis + 1, :below))
            and m.version >= max(:start, p.history_millis)
        {_HERE} order by m.version desc limit :most
        """,
    ),
    parameters=(*_SPEAKER, ("start", "int8"), ("below", "int8"), ("most", "int8")),
    postgres=f"""
        select q.n, {_ACCESS}, {_OF_MESSAGE}, {visible(message="m", participant="p")} from q {_JOINED_PARTICIPANT}
        left join lateral (
            select m.* from messages m where p.subject is not null and m.thread = t.number
            and m.version < least(q.below, p.removed_millis + 1) and m.version >= greatest(q.start, p.history_millis)
            order by m.version desc limit q.most
        ) m on true
        order by q.n, m.version desc
    """,
)

# By what participants know of their threads' newest messages, which may be two seconds old: see the schema.
LIST_THREADS = Statement(
    sqlite=(
        """
        select t.number, t.id, t.topic, t.deleted_millis,
            case when p.removed_millis is null then t.last_millis else p.listed_millis end,
            p.listed_millis, p.removed_millis is not null
        from participants p join threads t on t.number = p.thread
        where p.resource = :resource and p.subject = :subject
        and (p.listed_millis, p.thread) < (:listed, :below)
        order by p.listed_millis desc, p.thread desc limit :most
        """,
    ),
    parameters=(("resource", "int8"), ("subject", "text"), ("listed", "int8"), ("below", "int8"), ("most", "int8")),
    postgres="""
        select q.n, t.number, t.id, t.topic, t.deleted_millis,
            case when p.removed_millis is null then t.last_millis else p.listed_millis end,
            p.listed_millis, p.removed_millis is not null
        from q cross join lateral (
            select p.* from participants p where p.resource = q.resource and p.subject = q.subject
            and (p.listed_millis, p.thread) < (q.listed, q.below)
            order by p.listed_millis desc, p.thread desc limit q.most
        ) p join threads t on t.number = p.thread
        order by q.n, p.listed_millis desc, p.thread desc
    """,
)
