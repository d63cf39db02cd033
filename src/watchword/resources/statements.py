"""What the hot verbs of resources say to each engine."""

from __future__ import annotations

from watchword.revocations.statements import NEXT_CURSOR, recorded, recorded_many
from watchword.storage import Statement

RAISE = Statement(
    sqlite=(
        NEXT_CURSOR,
        "update resources set generation = generation + 1 where number = :resource",
        recorded(
            kind="resource",
            subject="id",
            resource="number",
            source="from resources where number = :resource",
            generation="generation",
        ),
        "select generation from resources where number = :resource",
    ),
    parameters=(("resource", "int8"), ("kept_until", "int8")),
    postgres=f"""
        , one as (select resource, max(kept_until) as kept_until, min(n) as n from q group by resource)
        , locked as materialized (
            select r.number, one.kept_until, one.n from one join resources r on r.number = one.resource
            order by r.number for no key update of r
        ), changed as (
            update resources r set generation = r.generation + 1 from locked l where r.number = l.number
            returning r.number as resource, r.id as subject, r.generation, l.kept_until, l.n
        ), {recorded_many(kind="resource", dead="changed", generation="d.generation")}
        select q.n, c.generation from q join changed c on c.resource = q.resource
    """,
)
