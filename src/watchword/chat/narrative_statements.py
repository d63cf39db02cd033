"""What is read to tell what an entry of the journal means, and who hears of it."""

from __future__ import annotations

from watchword.storage import Statement

ENTRY_COLUMNS = "id, resource, thread, change, kind, reference, moment_micros"
"""Of `watchword.journal.entries.Entry`."""

_OF_ENTRY = ", ".join(f"j.{column}" for column in ENTRY_COLUMNS.split(", "))
_OF_THREAD = "t.id, t.topic, t.metadata, t.retention_days, t.created_millis"
_OF_MESSAGE = (
    "m.id, m.version, m.kind, m.sender, m.sender_name, m.content, m.metadata, m.edited_millis, m.deleted_millis"
)

TELL_THREAD = Statement(
    sqlite=(
        f"""
        select {_OF_THREAD}, p.display_name from threads t
        left join participants p on p.thread = t.number and p.subject = :by where t.number = :thread
        """,
    ),
    parameters=(("thread", "int8"), ("by", "text")),
    postgres=f"""
        select q.n, {_OF_THREAD}, p.display_name from q join threads t on t.number = q.thread
        left join participants p on p.thread = t.number and p.subject = q.by
    """,
)
"""A thread, and the name of who did something to it."""

TELL_MESSAGE = Statement(
    sqlite=(
        f"""
        select {_OF_THREAD}, p.display_name, {_OF_MESSAGE} from threads t
        join messages m on m.thread = t.number and m.id = :message
        left join participants p on p.thread = t.number and p.subject = m.sender where t.number = :thread
        """,
    ),
    parameters=(("thread", "int8"), ("message", "int8")),
    postgres=f"""
        select q.n, {_OF_THREAD}, p.display_name, {_OF_MESSAGE} from q join threads t on t.number = q.thread
        join messages m on m.thread = t.number and m.id = q.message
        left join participants p on p.thread = t.number and p.subject = m.sender
    """,
)
"""The same of a message, and the name of its sender, or of who caused it."""

MEMBERS = Statement(
    sqlite=(
        """
        select subject, display_name, history_millis, metadata from participants
        where thread = :thread and removed_millis is null order by place
        """,
    ),
    parameters=(("thread", "int8"),),
    postgres="""
        select q.n, p.subject, p.display_name, p.history_millis, p.metadata
        from q join participants p on p.thread = q.thread and p.removed_millis is null order by q.n, p.place
    """,
)

PARTS = Statement(
    sqlite=(
        """
        select j.newest, p.thread, p.history_millis
        from (select coalesce(max(id), 0) as newest from journal) j left join (
            select p.thread, p.history_millis from participants p join threads t on t.number = p.thread
            where p.resource = :resource and p.subject = :subject
            and p.removed_millis is null and t.deleted_millis is null
        ) p on true
        """,
    ),
    parameters=(("resource", "int8"), ("subject", "text")),
    postgres="""
        select q.n, j.newest, p.thread, p.history_millis
        from q cross join (select coalesce(max(id), 0) as newest from journal) j left join lateral (
            select p.thread, p.history_millis from participants p
            join threads t on t.number = p.thread and t.deleted_millis is null
            where p.resource = q.resource and p.subject = q.subject and p.removed_millis is null
        ) p on true
    """,
)
"""Of every thread that a user takes part in, and the newest entry of the same instant."""

MISSED = Statement(
    sqlite=(
        f"""
        select p.history_millis, {_OF_ENTRY} from participants p
        join journal j on j.thread = p.thread and j.id > :after
        where p.resource = :resource and p.subject = :subject and (p.removed_millis is null or (
            p.removed_millis > :since and j.id <= (
                select max(r.id) from journal r where r.thread = p.thread and r.id > :after
                and r.kind = 'participantsRemoved' and r.reference = cast(p.removed_millis as text)
            )
        ))
        order by j.id limit :most
        """,
    ),
    parameters=(("resource", "int8"), ("subject", "text"), ("after", "int8"), ("since", "int8"), ("most", "int8")),
    postgres=f"""
        select q.n, e.* from q cross join lateral (
            select p.history_millis, {_OF_ENTRY} from participants p cross join lateral (
                select {ENTRY_COLUMNS} from journal j where j.thread = p.thread and j.id > q.after
                and (p.removed_millis is null or j.id <= (
                    select max(r.id) from journal r where r.thread = p.thread and r.id > q.after
                    and r.kind = 'participantsRemoved' and r.reference = p.removed_millis::text
                )) order by j.id limit q.most
            ) j
            where p.resource = q.resource and p.subject = q.subject
            and (p.removed_millis is null or p.removed_millis > q.since)
            order by j.id limit q.most
        ) e order by q.n, e.id
    """,
)
"""What happened in a user's threads above an entry, up to a removal: by thread and id, of which there is an index."""

HAPPENED = Statement(
    sqlite=(f"select {_OF_ENTRY} from journal j where j.thread = :thread and j.id > :after order by j.id limit :most",),
    parameters=(("thread", "int8"), ("after", "int8"), ("most", "int8")),
    postgres=f"""
        select q.n, j.* from q cross join lateral (
            select {ENTRY_COLUMNS} from journal where thread = q.thread and id > q.after order by id limit q.most
        ) j order by q.n, j.id
    """,
)
