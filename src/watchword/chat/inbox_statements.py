"""What an item of a user's inbox is read by: a thread, its last message for that user, and how much of it is unread.

However many messages a thread has, only its newest are looked at, by their index.
"""

from __future__ import annotations

from watchword.chat.reading_statements import EVER, MESSAGE_COLUMNS, visible
from watchword.storage import Statement

MOST_LOOKED_AT = 100
"""Of a thread's messages, for the last one that somebody sees and for those that are unread."""

MOST_READ_CHARACTERS = 4_096
"""Of the content of the last message: it is cut anyhow."""


def _of_message() -> str:
    """The columns of `read_message`, of which a long content is not read to its end."""
    cut = f"case when m.kind in ('text', 'html') then substr(m.content, 1, {MOST_READ_CHARACTERS}) else m.content end"
    return ", ".join(cut if column == "content" else f"m.{column}" for column in MESSAGE_COLUMNS.split(", "))


_ACTIVITY = "case when p.removed_millis is null then t.last_millis else p.listed_millis end"
_THREAD = f"t.id, t.topic, t.deleted_millis, p.removed_millis, {_ACTIVITY}"
_UNREAD = "u.kind in ('text', 'html') and u.deleted_millis is null"


def _candidates(*, greatest: str, most: str) -> str:
    """The newest that can be above the receipt of who takes part."""
    return f"""
        select u.kind, u.sender, u.deleted_millis from messages u
        where u.thread = p.thread and p.removed_millis is null
        and u.id > {greatest}(coalesce(p.read_id, 0), p.history_millis - 1)
        order by u.id desc limit {most}
    """


def _newest(*, most: str) -> str:
    """The newest up to a removal; what was changed after it is among them."""
    return f"""
        select l.* from messages l
        where l.thread = p.thread and l.id >= p.history_millis and l.id <= coalesce(p.removed_millis, {EVER})
        order by l.id desc limit {most}
    """


# PostgreSQL's planner takes the index, in its order, for it does not know how small the limit is.
FIND_ITEM = Statement(
    sqlite=(
        f"""
        select {_THREAD},
            (
                select count(*) from ({_candidates(greatest="max", most=":most")}) u
                where {_UNREAD} and u.sender <> p.subject
            ),
            (select count(*) from ({_candidates(greatest="max", most=":most")}) u),
            {_of_message()}
        from participants p join threads t on t.number = p.thread
        left join messages m on m.thread = p.thread and m.id = (
            select l.id from ({_newest(most=":most")}) l where {visible(message="l", participant="p")} limit 1
        )
        where p.thread = :number and p.subject = :subject
        """,
    ),
    parameters=(("number", "int8"), ("subject", "text"), ("most", "int8")),
    postgres=f"""
        select q.n, {_THREAD}, u.unread, u.looked_at, {_of_message()}
        from q join participants p on p.thread = q.number and p.subject = q.subject
        join threads t on t.number = p.thread
        cross join lateral (
            select count(*) filter (where {_UNREAD} and u.sender <> p.subject) as unread, count(*) as looked_at
            from ({_candidates(greatest="greatest", most="q.most")}) u
        ) u
        left join lateral (
            select l.* from ({_newest(most="q.most")}) l where {visible(message="l", participant="p")}
            order by l.id desc limit 1
        ) m on true
    """,
)
