"""What is said to each engine about registrations and the tickets of sockets; by number, where rows are locked."""

from __future__ import annotations

from watchword.storage import Statement

_WHOSE = (("resource", "int8"), ("subject", "text"), ("epid", "text"))
_IS_THEIRS = "resource = :resource and subject = :subject and epid = :epid"

TOUCH = Statement(
    sqlite=(
        f"""
        update registrations set seen_millis = :now
        where {_IS_THEIRS} and epoch = :epoch and seen_millis >= :oldest returning number
        """,
    ),
    parameters=(*_WHOSE, ("epoch", "text"), ("now", "int8"), ("oldest", "int8")),
    postgres="""
        , held as materialized (
            select r.number from (select distinct resource, subject, epid, epoch, oldest from q) d
            join registrations r on r.resource = d.resource and r.subject = d.subject and r.epid = d.epid
            and r.epoch = d.epoch and r.seen_millis >= d.oldest
            order by r.number for no key update of r
        ), touched as (
            update registrations r set seen_millis = (select max(now) from q) from held h where r.number = h.number
            returning r.number, r.resource, r.subject, r.epid
        )
        select q.n, t.number from q
        join touched t on t.resource = q.resource and t.subject = q.subject and t.epid = q.epid
    """,
)
"""A client comes again: what it has not answered is still kept for it."""

CLAIM = Statement(
    sqlite=(
        "insert into spent_tickets (ticket, expires_millis) values (:ticket, :expires) on conflict (ticket) do nothing",
        f"update registrations set claim = claim + 1, seen_millis = :now where changes() and {_IS_THEIRS}",
        f"select number, claim, is_open from registrations where changes() and {_IS_THEIRS}",
    ),
    parameters=(("ticket", "bytea"), ("expires", "int8"), *_WHOSE, ("now", "int8")),
    postgres="""
        , spent as (
            insert into spent_tickets (ticket, expires_millis)
            select distinct on (ticket) ticket, expires from q order by ticket, n
            on conflict (ticket) do nothing returning ticket
        ), firsts as (
            select distinct on (q.ticket) q.* from q join spent s on s.ticket = q.ticket order by q.ticket, q.n
        ), numbered as (
            select f.*, row_number() over (partition by resource, subject, epid order by n) as place,
                count(*) over (partition by resource, subject, epid) as many
            from firsts f
        ), held as materialized (
            select r.number, d.many from (select distinct resource, subject, epid, many from numbered) d
            join registrations r on r.resource = d.resource and r.subject = d.subject and r.epid = d.epid
            order by r.number for no key update of r
        ), claimed as (
            update registrations r set claim = r.claim + h.many, seen_millis = (select max(now) from q)
            from held h where r.number = h.number
            returning r.number, r.resource, r.subject, r.epid, r.claim, r.is_open
        )
        select m.n, c.number, c.claim - m.many + m.place, c.is_open from numbered m
        join claimed c on c.resource = m.resource and c.subject = m.subject and c.epid = m.epid
    """,
    repeatable=False,
)
"""Spend the ticket of a socket, and claim the registration for it; nothing where one or the other is gone."""

HOLD = Statement(
    sqlite=(
        """
        update registrations set holder = claim, is_open = 1, seen_millis = :now
        where number = :number and claim = :claim returning epoch, position, ahead, stuck, tries
        """,
    ),
    parameters=(("number", "int8"), ("claim", "int8"), ("now", "int8")),
    postgres="""
        , held as materialized (
            select r.number from (select distinct number, claim from q) d
            join registrations r on r.number = d.number and r.claim = d.claim order by r.number
            for no key update of r
        ), taken as (
            update registrations r set holder = r.claim, is_open = 1, seen_millis = (select max(now) from q)
            from held h where r.number = h.number returning r.*
        )
        select q.n, t.epoch, t.position, t.ahead, t.stuck, t.tries from q
        join taken t on t.number = q.number and t.claim = q.claim
    """,
)
"""From now on the positions of this claim count, and those of the one before do not. Nothing where a newer one came."""

MOVE = Statement(
    sqlite=(
        """
        update registrations set epoch = json_extract(m.value, '$[2]'), position = json_extract(m.value, '$[3]'),
            ahead = json_extract(m.value, '$[4]'), seen_millis = :now
        from json_each(:moved) m
        where number = json_extract(m.value, '$[0]') and holder = json_extract(m.value, '$[1]') and is_open = 1
        """,
    ),
    parameters=(("moved", "text"), ("now", "int8")),
    postgres="""
        , newest as (
            select distinct on (number, claim) * from (
                select q.n, m.place, q.now, (m.value ->> 0)::int8 as number, (m.value ->> 1)::int8 as claim,
                    m.value ->> 2 as epoch, (m.value ->> 3)::int8 as position, m.value ->> 4 as ahead
                from q cross join lateral json_array_elements(q.moved::json) with ordinality m(value, place)
            ) every order by number, claim, n desc, place desc
        ), held as materialized (
            select r.number from newest d
            join registrations r on r.number = d.number and r.holder = d.claim and r.is_open = 1
            order by r.number for no key update of r
        ), written as (
            update registrations r set epoch = d.epoch, position = d.position, ahead = d.ahead, seen_millis = d.now
            from held h join newest d on d.number = h.number
            where r.number = h.number and r.holder = d.claim and r.is_open = 1
        )
        select q.n, 1 from q where false
    """,
)
"""How far many sockets have answered that are open: a JSON array of [number, claim, epoch, position, ahead], each
socket once. Nothing is written of one where another has taken over, or whose end was written before: that is the last
word.
"""

LEAVE = Statement(
    sqlite=(
        """
        update registrations set epoch = :epoch, position = :position, ahead = :ahead, stuck = :stuck, tries = :tries,
            is_open = 0, seen_millis = :now
        where number = :number and holder = :claim
        """,
        "select changes()",
    ),
    parameters=(
        ("number", "int8"),
        ("claim", "int8"),
        ("epoch", "text"),
        ("position", "int8"),
        ("ahead", "text"),
        ("stuck", "int8"),
        ("tries", "int8"),
        ("now", "int8"),
    ),
    postgres="""
        , newest as (select distinct on (number, claim) * from q order by number, claim, n desc), held as materialized (
            select r.number from newest d join registrations r on r.number = d.number and r.holder = d.claim
            order by r.number for no key update of r
        ), written as (
            update registrations r set epoch = d.epoch, position = d.position, ahead = d.ahead, stuck = d.stuck,
                tries = d.tries, is_open = 0, seen_millis = d.now
            from held h join newest d on d.number = h.number
            where r.number = h.number and r.holder = d.claim returning r.number, r.holder
        )
        select q.n, (w.number is not null)::int from q
        left join written w on w.number = q.number and w.holder = q.claim
    """,
)
"""How far a socket had answered when it ended; nothing is written where another has taken over."""
