"""What the hot verbs of chat say to each engine when something is written: a message sent, a read receipt."""

from __future__ import annotations

from watchword.chat.reading_statements import visible
from watchword.chat.restrictions import EVERYWHERE, in_force, strictest_first
from watchword.journal.statements import appended, appended_many
from watchword.storage import Statement

_MESSAGE = "thread, id, version, sequence, kind, sender, sender_name, content, metadata, key"

_THREAD = "t.id = :thread and t.resource = :resource"


def _held(*, columns: str) -> str:
    """PostgreSQL's table `held`: the threads of the batch, locked by number, as they are once nobody else holds them.

    A row is found by its key, whatever the planner believes of tables that it has not looked at yet.
    """
    return f"""
        held as materialized (
            select t.* from (
                select f.number from (select distinct resource, thread from q) d cross join lateral (
                    select t.number from threads t where t.id = d.thread and t.resource = d.resource offset 0
                ) f order by f.number
            ) f cross join lateral (
                select t.number, t.id, t.resource, t.deleted_millis, {columns} from threads t
                where t.number = f.number for update
            ) t
        )
    """


# A message may be sent again, because its answer was lost with the connection. Its key was drawn before, so its row is
# there or not: then it is not written again, and the answer is the same. Everybody learns what was found of the thread,
# the sender, the quotas and the restrictions: so whoever was refused is told why.
_SENDING = (
    ("resource", "int8"),
    ("thread", "text"),
    ("sender", "text"),
    ("key", "bytea"),
    ("kind", "text"),
    ("content", "text"),
    ("sender_name", "text"),
    ("metadata", "text"),
    ("size", "int8"),
    ("now", "int8"),
    ("moment", "int8"),
    ("most_messages", "int8"),
    ("most_bytes", "int8"),
)


def _sqlite_send(*, frozen: str, restriction: str, is_open: str) -> tuple[str, ...]:
    """`frozen` and `restriction` tell what there is of a thread `t`; `is_open` is what has to hold of `threads`."""
    return (
        f"""
        update threads set sequence = sequence + 1, version = max(version, :now - 1) + 1, change = change + 1,
            messages = messages + 1, bytes = bytes + :size, last_millis = max(version, :now - 1) + 1
        where id = :thread and resource = :resource and deleted_millis is null
        and exists (
            select 1 from participants p
            where p.thread = threads.number and p.subject = :sender and p.removed_millis is null
        )
        and not exists (select 1 from messages where key = :key)
        and (:most_messages = 0 or messages < :most_messages)
        and (:most_bytes = 0 or bytes + :size <= :most_bytes)
        and {is_open}
        """,
        f"""
        insert into messages ({_MESSAGE})
        select t.number, t.version, t.version, t.sequence, :kind, :sender, :sender_name, :content, :metadata, :key
        from threads t where changes() and {_THREAD}
        """,
        appended(kind="messageReceived", reference="t.version", source=f"from threads t where changes() and {_THREAD}"),
        f"""
        select id, thread, null, 1, 0, 0, null, null from messages where key = :key
        union all
        select null, t.number, t.deleted_millis, p.subject is not null, t.messages, t.bytes, {frozen}, {restriction}
        from (select 1) left join threads t on {_THREAD}
        left join participants p on p.thread = t.number and p.subject = :sender and p.removed_millis is null
        where not exists (select 1 from messages where key = :key)
        """,
    )


def _postgres_send(*, frozen: str, restriction: str) -> str:
    """The same. Threads first, by number; then participants, as they are once the threads are locked: a removal that
    was committed while this waited is seen, and so are a restriction, and this very message of an attempt before.
    """
    return f"""
        , {_held(columns=f"version, sequence, change, messages, bytes, {frozen} as frozen_millis")},
        asked as materialized (
            select q.n, q.sender, q.key, h.*, sent_already(q.key) as earlier, {restriction} as restriction
            from q left join held h on h.id = q.thread and h.resource = q.resource
            where (select count(*) from held) >= 0
        ), present as materialized (
            select p.thread, p.subject from (
                select distinct number, sender collate "C" as sender from asked order by 1, 2
            ) d cross join lateral (
                select p.thread, p.subject, p.removed_millis from participants p
                where p.thread = d.number and p.subject = d.sender for share
            ) p where p.removed_millis is null
        ), wanted as materialized (
            select a.n, a.key, a.number, a.version, a.sequence, a.change, a.messages, a.bytes,
                row_number() over (partition by a.number order by a.n) as place,
                (sum(q.size) over (partition by a.number order by a.n))::bigint as total
            from (select distinct on (key) * from asked order by key, n) a join q on q.n = a.n
            where a.deleted_millis is null and a.earlier is null and a.frozen_millis is null and a.restriction is null
            and (a.number, a.sender) in (select thread, subject from present)
        ), fresh as (
            select w.n, w.key, w.number, w.sequence, w.change, w.messages, w.bytes, w.place, w.total,
                greatest(w.version, (max(q.now) over (partition by w.number)) - 1) as version
            from wanted w join q on q.n = w.n
            where (q.most_messages = 0 or w.messages + w.place <= q.most_messages)
            and (q.most_bytes = 0 or w.bytes + w.total <= q.most_bytes)
        ), numbered as materialized (
            select n, key, number, version + place as id, sequence + place as sequence, change + place as change,
                messages + place as messages, bytes + total as bytes
            from fresh
        ), moved as (
            update threads t set sequence = c.sequence, version = c.id, change = c.change, messages = c.messages,
                bytes = c.bytes, last_millis = c.id
            from (select distinct on (number) * from numbered order by number, sequence desc) c
            where t.number = c.number
        ), sent as (
            insert into messages ({_MESSAGE})
            select d.number, d.id, d.id, d.sequence, q.kind, q.sender, q.sender_name, q.content, q.metadata, d.key
            from numbered d join q on q.n = d.n order by d.number, d.id
        ), entries as (
            select q.resource, d.number as thread, d.change, d.id::text as reference, q.moment
            from numbered d join q on q.n = d.n
        ), {appended_many(kind="messageReceived", entries="entries")}
        select a.n, coalesce(d.id, a.earlier), a.number, a.deleted_millis,
            (a.number, a.sender) in (select thread, subject from present),
            coalesce(w.messages + w.place - 1, a.messages), a.bytes, a.frozen_millis, a.restriction
        from asked a left join numbered d on d.key = a.key left join wanted w on w.n = a.n
    """


def _restriction_of(*, thread: str) -> str:
    """SQLite's SQL of what PostgreSQL's function of that name tells, of the sender."""
    return f"""
        select r.kind || ' ' || r.thread || ' ' || coalesce(r.until_millis, 0) from restrictions r
        where r.resource = :resource and r.subject = :sender and r.thread in ({EVERYWHERE}, {thread})
        and {in_force(restriction="r", now=":now")} order by {strictest_first(restriction="r")} limit 1
    """


SEND = Statement(
    sqlite=_sqlite_send(
        frozen="t.frozen_millis",
        restriction=f"({_restriction_of(thread='t.number')})",
        is_open=f"frozen_millis is null and not exists ({_restriction_of(thread='threads.number')})",
    ),
    parameters=_SENDING,
    postgres=_postgres_send(
        frozen="frozen_millis", restriction="restriction_of(q.resource, q.sender, h.number, q.now)"
    ),
)

SEND_UNMODERATED = Statement(
    sqlite=_sqlite_send(frozen="null", restriction="null", is_open="true"),
    parameters=_SENDING,
    postgres=_postgres_send(frozen="null::bigint", restriction="null::text"),
)
"""The same on the schema of the release before, which knows neither frozen threads nor restrictions."""

# Of several receipts of one participant in one batch the newest is written, as if it had come first.
MARK_READ = Statement(
    sqlite=(
        f"""
        update threads set change = change + 1
        where id = :thread and resource = :resource and deleted_millis is null and present <= :most_present
        and exists (
            select 1 from participants p join messages m on m.thread = p.thread and m.id = :message
            where p.thread = threads.number and p.subject = :subject and p.removed_millis is null
            and {visible(message="m", participant="p")} and m.id > coalesce(p.read_id, 0)
        )
        """,
        appended(
            kind="readReceiptReceived",
            reference=":subject || '/' || :message",
            source=f"from threads t where changes() and {_THREAD}",
        ),
        """
        update participants set read_id = :message, read_millis = :now
        where changes() and subject = :subject and thread = (select number from threads where id = :thread)
        """,
        f"""
        select changes(), t.number, t.deleted_millis, p.subject is not null, t.present, m.id is not null
        from (select 1) left join threads t on {_THREAD}
        left join participants p on p.thread = t.number and p.subject = :subject and p.removed_millis is null
        left join messages m on m.thread = t.number and m.id = :message and {visible(message="m", participant="p")}
        """,
    ),
    parameters=(
        ("resource", "int8"),
        ("thread", "text"),
        ("subject", "text"),
        ("message", "int8"),
        ("now", "int8"),
        ("moment", "int8"),
        ("most_present", "int8"),
    ),
    postgres=f"""
        , {_held(columns="present")}, present as materialized (
            select p.* from (
                select distinct h.number, q.subject collate "C" as subject
                from q join held h on h.id = q.thread and h.resource = q.resource order by 1, 2
            ) d cross join lateral (
                select p.thread, p.subject, p.history_millis, p.removed_millis, p.read_id from participants p
                where p.thread = d.number and p.subject = d.subject for update
            ) p where p.removed_millis is null
        ), seen as (
            select q.n, q.subject, q.message, q.now, q.moment, q.most_present, h.number, h.resource, h.deleted_millis,
                h.present, p.read_id
            from q join held h on h.id = q.thread and h.resource = q.resource
            join present p on p.thread = h.number and p.subject = q.subject
            join messages m on m.thread = h.number and m.id = q.message and {visible(message="m", participant="p")}
        ), newest as materialized (
            select distinct on (number, subject) * from seen
            where deleted_millis is null and present <= most_present and message > coalesce(read_id, 0)
            order by number, subject, message desc, n
        ), counted as (select number, count(*) as count from newest group by number)
        , moved as (
            update threads t set change = t.change + c.count from counted c where t.number = c.number
            returning t.number, t.change, c.count
        ), read as (
            update participants p set read_id = w.message, read_millis = w.now from newest w
            where p.thread = w.number and p.subject = w.subject
        ), entries as (
            select w.resource, w.number as thread, w.moment, w.subject || '/' || w.message as reference,
                m.change - m.count + row_number() over (partition by w.number order by w.n) as change
            from newest w join moved m on m.number = w.number
        ), {appended_many(kind="readReceiptReceived", entries="entries")}
        select q.n, (w.n is not null)::int, h.number, h.deleted_millis, p.subject is not null, h.present,
            s.n is not null
        from q left join held h on h.id = q.thread and h.resource = q.resource
        left join present p on p.thread = h.number and p.subject = q.subject
        left join seen s on s.n = q.n
        left join newest w on w.n = q.n
    """,
)
