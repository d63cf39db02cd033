"""What the hot verbs of identities say to each engine."""

from __future__ import annotations

from watchword.revocations.statements import NEXT_CURSOR, recorded, recorded_many
from watchword.storage import Statement
from watchword.storage.clock_marks import raise_to

COLUMNS = "flake, generation, valid_from_micros, custom_id, created_micros, last_token_micros"

_KEY = (("resource", "int8"), ("flake", "bytea"))
_REVOKING = (*_KEY, ("subject", "text"), ("kept_until", "int8"))
_THIS = "from identities where resource = :resource and flake = :flake"

# An identity that is not there writes nothing at all: whoever is refused leaves no trace in the feed.
_NEXT_CURSOR = f"{NEXT_CURSOR} where exists (select 1 {_THIS})"


def _qualified(*, table: str) -> str:
    return ", ".join(f"{table}.{column}" for column in COLUMNS.split(", "))


def _freed() -> str:
    """PostgreSQL's tables that give the custom ids of the identities in `changed` back; `owned` has locked them."""
    return """
        owned as materialized (
            select c.resource, c.custom_id from changed d join custom_ids c on c.resource = d.resource
            and c.custom_id = d.custom_id and c.flake = d.flake order by c.resource, c.custom_id for update of c
        ), freed as (
            delete from custom_ids c using owned o where c.resource = o.resource and c.custom_id = o.custom_id
        )
    """


FIND = Statement(
    sqlite=(f"select {COLUMNS} {_THIS}",),
    parameters=_KEY,
    postgres=f"select q.n, {_qualified(table='i')} from q"
    " join identities i on i.resource = q.resource and i.flake = q.flake",
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
            select distinct on (q.flake, q.resource) q.resource, q.flake, 1, q.created, q.issued from q
            join resources r on r.number = q.resource and r.state = 'active' order by q.flake, q.resource
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
    # Whoever claims the custom id inserts; everybody else, of the batch too, is given the row of who did. A row that
    # another node makes meanwhile is not in this statement's snapshot: then nothing is returned, and the call is sent
    # again. Only one that is sent again can find a row of its own, which is locked before the custom id, as everywhere.
    postgres=f"""
        , wanted as (
            select distinct on (q.resource, q.custom_id collate "C")
                q.resource, q.custom_id, q.flake, q.created, q.issued
            from q join resources r on r.number = q.resource and r.state = 'active'
            order by q.resource, q.custom_id collate "C", q.n
        ), locked as materialized (
            select i.flake from wanted w join identities i on i.resource = w.resource and i.flake = w.flake
            order by i.flake, i.resource for update of i
        ), claimed as (
            insert into custom_ids (resource, custom_id, flake)
            select resource, custom_id, flake from wanted where (select count(*) from locked) >= 0
            order by resource, custom_id collate "C"
            on conflict (resource, custom_id) do update set custom_id = excluded.custom_id
            returning resource, custom_id, flake
        ), fresh as (
            insert into identities (resource, flake, generation, custom_id, created_micros, last_token_micros)
            select w.resource, w.flake, 1, w.custom_id, w.created, w.issued from wanted w
            join claimed c on c.resource = w.resource and c.flake = w.flake
            on conflict (resource, flake) do update set flake = excluded.flake
            returning resource, {COLUMNS}
        ), owner as materialized (
            select * from fresh
            union all
            select i.resource, {_qualified(table="i")} from claimed c
            join identities i on i.resource = c.resource and i.flake = c.flake
            where not exists (select from fresh f where f.resource = c.resource and f.flake = c.flake)
        )
        select q.n, {_qualified(table="o")} from q
        join owner o on o.resource = q.resource and o.custom_id = q.custom_id
    """,
)


def _locked(*, after: str = "true") -> str:
    """PostgreSQL's tables `one`, what the batch asks of each identity, and `locked`, those that are there.

    `after` is an SQL condition that is looked at first, as in `recorded_many`.
    """
    return f"""
        one as (
            select resource, flake, min(subject) as subject, max(kept_until) as kept_until, min(n) as n
            from q group by resource, flake
        ), locked as materialized (
            select i.resource, i.flake, one.subject, one.kept_until, one.n
            from one join identities i on i.resource = one.resource and i.flake = one.flake
            where {after} order by i.flake, i.resource for update of i
        )
    """


_ALL_OF_THE_BATCH = "select q.n, 1 from q join changed c on c.resource = q.resource and c.flake = q.flake"

REVOKE = Statement(
    sqlite=(
        _NEXT_CURSOR,
        "update identities set generation = generation + 1 where resource = :resource and flake = :flake",
        recorded(kind="identity", subject=":subject", resource="resource", source=_THIS, generation="generation"),
        f"select generation {_THIS}",
    ),
    parameters=_REVOKING,
    postgres=f"""
        , {_locked()}, changed as (
            update identities i set generation = i.generation + 1 from locked l
            where i.resource = l.resource and i.flake = l.flake
            returning i.resource, i.flake, i.generation, l.subject, l.kept_until, l.n
        ), {recorded_many(kind="identity", dead="changed", generation="d.generation")}
        {_ALL_OF_THE_BATCH}
    """,
)

CUT_OFF = Statement(
    sqlite=(
        # The time from which tokens are valid must never lie above what the clock gives out after a restart.
        raise_to(micros=":valid_from", greatest="max"),
        _NEXT_CURSOR,
        """
        update identities set valid_from_micros = max(valid_from_micros, :valid_from)
        where resource = :resource and flake = :flake
        """,
        recorded(
            kind="identity",
            subject=":subject",
            resource="resource",
            source=_THIS,
            valid_from_micros="valid_from_micros",
        ),
        f"select valid_from_micros {_THIS}",
    ),
    parameters=(*_REVOKING, ("valid_from", "int8")),
    postgres=f"""
        , clocked as (
            {raise_to(micros="(select max(valid_from) from q)", greatest="greatest")} returning 1
        ), {_locked(after="(select count(*) from clocked) >= 0")}, latest as (
            select resource, flake, max(valid_from) as valid_from from q group by resource, flake
        ), changed as (
            update identities i set valid_from_micros = greatest(i.valid_from_micros, latest.valid_from)
            from locked l join latest on latest.resource = l.resource and latest.flake = l.flake
            where i.resource = l.resource and i.flake = l.flake
            returning i.resource, i.flake, i.valid_from_micros, l.subject, l.kept_until, l.n
        ), {recorded_many(kind="identity", dead="changed", valid_from_micros="d.valid_from_micros")}
        {_ALL_OF_THE_BATCH}
    """,
)

# Of several that delete one identity, one did it, and to the others it was gone.
DELETE = Statement(
    sqlite=(
        _NEXT_CURSOR,
        recorded(kind="identity", subject=":subject", resource="resource", source=_THIS, deleted="1"),
        f"delete {_THIS} returning flake",
    ),
    parameters=_REVOKING,
    repeatable=False,
    postgres=f"""
        , {_locked()}, changed as (
            delete from identities i using locked l where i.resource = l.resource and i.flake = l.flake
            returning i.resource, i.flake, i.custom_id, l.subject, l.kept_until, l.n
        ), {_freed()}, {
        recorded_many(kind="identity", dead="changed", deleted="1", after="(select count(*) from owned) >= 0")
    }
        select n, 1 from changed
    """,
)

# Of a resource that is being deleted: no revocation is recorded, for that of the resource covers them all. Two of a
# batch take different rows.
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
        , portions as (
            select n, resource, most, (sum(most) over (partition by resource order by n))::bigint - most as before
            from q
        ), doomed as (
            select p.n, i.resource, i.flake from portions p cross join lateral (
                select resource, flake from identities where resource = p.resource
                order by flake limit p.most offset p.before
            ) i
        ), changed as (
            delete from identities i using doomed d where i.resource = d.resource and i.flake = d.flake
            returning d.n, i.resource, i.custom_id, i.flake
        ), freed as (
            delete from custom_ids c using changed g
            where c.resource = g.resource and c.custom_id = g.custom_id and c.flake = g.flake returning 1
        )
        select n, 1 from changed
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
