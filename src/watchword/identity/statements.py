"""What the hot verbs of identities say to each engine."""

from __future__ import annotations

from watchword.revocations.statements import CUT_OFF_COLUMNS, NEXT_CURSOR, recorded, recorded_many
from watchword.storage import Statement

COLUMNS = "flake, generation, valid_from_micros, custom_id, created_micros, last_token_micros"

_KEY = (("resource", "int8"), ("flake", "bytea"))
_REVOKING = (*_KEY, ("subject", "text"), ("kept_until", "int8"))
_THIS = "from identities where resource = :resource and flake = :flake"

# An identity that is not there writes nothing at all: whoever is refused leaves no trace in the feed.
_NEXT_CURSOR = f"{NEXT_CURSOR} where exists (select 1 {_THIS})"

FIND = Statement(
    sqlite=(f"select {COLUMNS} {_THIS}",),
    parameters=_KEY,
    postgres="select q.n, i.flake, i.generation, i.valid_from_micros, i.custom_id, i.created_micros,"
    " i.last_token_micros from q join identities i on i.resource = q.resource and i.flake = q.flake",
)

# A create may be sent again, because its answer was lost with the process that writes or with the connection. Its flake
# was drawn before, so its row is there or not; the update of it to itself tells that it is.
INSERT = Statement(
    sqlite=(
        """
        insert into identities (resource, flake, generation, created_micros, last_token_micros)
        select number, :flake, 1, :created, :issued from resources where number = :resource and state = 'active'
        on conflict (resource, flake) do update set created_micros = created_micros
        """,
        # To return a row would cost as much again as to insert it.
        "select 1 where changes()",
    ),
    parameters=(*_KEY, ("created", "int8"), ("issued", "int8")),
    postgres="""
        , fresh as (
            insert into identities (resource, flake, generation, created_micros, last_token_micros)
            select q.resource, q.flake, 1, q.created, q.issued from q
            join resources r on r.number = q.resource and r.state = 'active'
            on conflict (resource, flake) do update set flake = excluded.flake
            returning resource, flake
        )
        select q.n, 1 from q join fresh f on f.resource = q.resource and f.flake = q.flake
    """,
)

INSERT_NAMED = Statement(
    sqlite=(
        # A second create with one custom id changes nothing, yet must return the row: hence the update to itself.
        f"""
        insert into identities (resource, flake, generation, custom_id, created_micros, last_token_micros)
        select number, :flake, 1, :custom_id, :created, :issued
        from resources where number = :resource and state = 'active'
        on conflict (resource, custom_id) where custom_id is not null do update set custom_id = excluded.custom_id
        on conflict (resource, flake) do update set created_micros = created_micros
        returning {COLUMNS}
        """,
    ),
    parameters=(*_KEY, ("custom_id", "text"), ("created", "int8"), ("issued", "int8")),
    # Whoever claims the custom id inserts; everybody else is given the row of who did. A row that is made meanwhile, by
    # another call of the batch or by another node, is not in this statement's snapshot: then nothing is returned, and
    # the call is sent again. Custom ids are locked in their order, here and in a deletion.
    postgres=f"""
        , wanted as (select q.* from q join resources r on r.number = q.resource and r.state = 'active')
        , claimed as (
            insert into custom_ids (resource, custom_id, flake)
            select distinct on (resource, custom_id) resource, custom_id, flake
            from wanted order by resource, custom_id, n
            on conflict (resource, custom_id) do update set custom_id = excluded.custom_id
            returning resource, custom_id, flake
        ), fresh as (
            insert into identities (resource, flake, generation, custom_id, created_micros, last_token_micros)
            select q.resource, q.flake, 1, q.custom_id, q.created, q.issued from wanted q
            where exists (select 1 from claimed c where c.flake = q.flake)
            on conflict (resource, flake) do update set flake = excluded.flake
            returning resource, {COLUMNS}
        )
        select q.n, f.flake, f.generation, f.valid_from_micros, f.custom_id, f.created_micros, f.last_token_micros
        from q join fresh f on f.resource = q.resource and f.flake = q.flake
        union all
        select q.n, i.flake, i.generation, i.valid_from_micros, i.custom_id, i.created_micros, i.last_token_micros
        from q join claimed c on c.resource = q.resource and c.custom_id = q.custom_id and c.flake <> q.flake
        join identities i on i.resource = c.resource and i.flake = c.flake
    """,
)

# The feed's row is locked first, everywhere: so that two nodes never wait for each other in a circle.
_LOCKED = """
    , moved as (
        update feed set cursor = cursor + (select count(*) from q)
        where exists (select 1 from q join identities i on i.resource = q.resource and i.flake = q.flake)
        returning cursor
    )
    , one as (
        select resource, flake, min(subject) as subject, max(kept_until) as kept_until, min(n) as n
        from q group by resource, flake
    ), locked as materialized (
        select i.resource, i.flake from moved, one join identities i on i.resource = one.resource
        and i.flake = one.flake order by i.flake for update of i
    )
"""

_RECORD = f"""
    recorded as (
        insert into revocations ({CUT_OFF_COLUMNS})
        select 'identity', one.subject, changed.resource, {{generation}}, {{valid_from}}, {{deleted}},
            moved.cursor - (select count(*) from q) + one.n, one.kept_until
        from moved, changed join one on one.resource = changed.resource and one.flake = changed.flake
        {recorded_many()}
    )
    select one.n, 1 from one join changed on changed.resource = one.resource and changed.flake = one.flake
"""

REVOKE = Statement(
    sqlite=(
        _NEXT_CURSOR,
        "update identities set generation = generation + 1 where resource = :resource and flake = :flake",
        recorded("identity", ":subject", "resource", _THIS, generation="generation"),
        f"select generation {_THIS}",
    ),
    parameters=_REVOKING,
    postgres=f"""
        {_LOCKED.format(after="")}, changed as (
            update identities i set generation = i.generation + 1 from locked l
            where i.resource = l.resource and i.flake = l.flake returning i.resource, i.flake, i.generation
        ), {_RECORD.format(generation="changed.generation", valid_from="0", deleted="0")}
    """,
)

CUT_OFF = Statement(
    sqlite=(
        # The time from which tokens are valid must never lie above what the clock gives out after a restart.
        "update clock set high_water_micros = max(high_water_micros, :valid_from)",
        _NEXT_CURSOR,
        """
        update identities set valid_from_micros = max(valid_from_micros, :valid_from)
        where resource = :resource and flake = :flake
        """,
        recorded("identity", ":subject", "resource", _THIS, valid_from_micros="valid_from_micros"),
        f"select valid_from_micros {_THIS}",
    ),
    parameters=(*_REVOKING, ("valid_from", "int8")),
    postgres=f"""
        , clocked as (
            update clock set high_water_micros = greatest(high_water_micros, (select max(valid_from) from q))
            returning 1
        ) {_LOCKED.format(after="where (select count(*) from clocked) = 1")}, latest as (
            select resource, flake, max(valid_from) as valid_from from q group by resource, flake
        ), changed as (
            update identities i set valid_from_micros = greatest(i.valid_from_micros, latest.valid_from)
            from locked l join latest on latest.resource = l.resource and latest.flake = l.flake
            where i.resource = l.resource and i.flake = l.flake returning i.resource, i.flake, i.valid_from_micros
        ), {_RECORD.format(generation="0", valid_from="changed.valid_from_micros", deleted="0")}
    """,
)

DELETE = Statement(
    sqlite=(
        _NEXT_CURSOR,
        recorded("identity", ":subject", "resource", _THIS, deleted="1"),
        f"delete {_THIS} returning flake",
    ),
    parameters=_REVOKING,
    repeatable=False,
    postgres=f"""
        {_LOCKED.format(after="")}, changed as (
            delete from identities i using locked l
            where i.resource = l.resource and i.flake = l.flake returning i.resource, i.flake, i.custom_id
        ), owned as materialized (
            select c.resource, c.custom_id from changed d join custom_ids c on c.resource = d.resource
            and c.custom_id = d.custom_id and c.flake = d.flake order by c.resource, c.custom_id for update of c
        ), freed as (
            delete from custom_ids c using owned o where c.resource = o.resource and c.custom_id = o.custom_id
        ), {_RECORD.format(generation="0", valid_from="0", deleted="1")}
    """,
)

# Of a resource that is being deleted: no revocation is recorded, for that of the resource covers them all.
PURGE = Statement(
    sqlite=(
        """
        delete from identities where resource = :resource and flake in (
            select flake from identities where resource = :resource order by flake limit :most
        ) returning 1
        """,
    ),
    parameters=(("resource", "int8"), ("most", "int8")),
    postgres="""
        , doomed as (
            select q.n, i.resource, i.flake from q cross join lateral (
                select resource, flake from identities where resource = q.resource order by flake limit q.most
            ) i
        ), gone as (
            delete from identities i using doomed d where i.resource = d.resource and i.flake = d.flake
            returning d.n, i.resource, i.custom_id, i.flake
        ), freed as (
            delete from custom_ids c using gone g
            where c.resource = g.resource and c.custom_id = g.custom_id and c.flake = g.flake returning 1
        )
        select n, 1 from gone
    """,
)

# When an identity was last issued a token. An identity that is not there is no error: it was deleted meanwhile.
NOTE = Statement(
    sqlite=("update identities set last_token_micros = :issued where resource = :resource and flake = :flake",),
    parameters=(*_KEY, ("issued", "int8")),
    postgres="""
        , latest as (select resource, flake, max(issued) as issued from q group by resource, flake)
        , locked as materialized (
            select i.resource, i.flake, latest.issued from latest
            join identities i on i.resource = latest.resource and i.flake = latest.flake
            order by i.flake, i.resource for update of i
        ), noted as (
            update identities i set last_token_micros = l.issued from locked l
            where i.resource = l.resource and i.flake = l.flake
        )
        select q.n, 1 from q where false
    """,
)
