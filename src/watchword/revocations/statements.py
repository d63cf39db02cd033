"""What the hot verbs of revocations say to each engine."""

from __future__ import annotations

from typing import Literal

from watchword.storage import Statement

Kind = Literal["token", "identity", "resource", "accessKey", "signingKey"]

KINDS: tuple[Kind, ...] = ("token", "identity", "resource", "accessKey", "signingKey")

EVERY_RESOURCE = 0
"""In place of a resource's number: concerns all."""

NEXT_CURSOR = "update feed set cursor = cursor + 1"
"""First statement of every transaction that records a revocation; on PostgreSQL a part of the one statement."""

CUT_OFF_COLUMNS = "kind, subject, resource, generation, valid_from_micros, deleted, cursor, expires_micros"


def recorded(kind: Kind, subject: str, resource: str, source: str, **columns: str) -> str:
    """SQLite's SQL that records what `source`, the rest of a select, finds; the other arguments are SQL expressions.

    Recording the same thing again keeps the strictest of both, under a new cursor. The time at which the row may go is
    the parameter `:kept_until`.
    """
    values = {"generation": "0", "valid_from_micros": "0", "deleted": "0"} | columns
    return f"""
        insert into revocations ({CUT_OFF_COLUMNS})
        select '{kind}', {subject}, {resource}, {values["generation"]}, {values["valid_from_micros"]},
               {values["deleted"]}, (select cursor from feed), :kept_until
        {source} {_keep_strictest("max")}
    """


def recorded_many() -> str:
    """The end of PostgreSQL's insert of revocations."""
    return f"{_keep_strictest('greatest')} returning 1"


def _keep_strictest(larger: str) -> str:
    columns = ("generation", "valid_from_micros", "deleted", "expires_micros")
    kept = ", ".join(f"{column} = {larger}(revocations.{column}, excluded.{column})" for column in columns)
    return f"on conflict (kind, resource, subject) do update set {kept}, cursor = excluded.cursor"


def _record(kind: Kind) -> Statement:
    return Statement(
        sqlite=(NEXT_CURSOR, recorded(kind, ":subject", ":resource", "where true")),
        parameters=(("subject", "text"), ("resource", "int8"), ("kept_until", "int8")),
        postgres=f"""
            , moved as (update feed set cursor = cursor + (select count(*) from q) returning cursor)
            insert into revocations ({CUT_OFF_COLUMNS})
            select '{kind}', q.subject, q.resource, 0, 0, 0,
                min(moved.cursor) - (select count(*) from q) + min(q.n), max(q.kept_until)
            from moved, q group by q.resource, q.subject
            {_keep_strictest("greatest")} returning 0, 0
        """,
    )


RECORD = {kind: _record(kind) for kind in KINDS}

RECORD_RESOURCE = Statement(
    sqlite=(
        NEXT_CURSOR,
        "update resources set generation = generation + 1 where number = :resource",
        recorded("resource", "id", "number", "from resources where number = :resource", generation="generation"),
        "select generation from resources where number = :resource",
    ),
    parameters=(("resource", "int8"), ("kept_until", "int8")),
    postgres=f"""
        , moved as (update feed set cursor = cursor + (select count(*) from q) returning cursor)
        , one as (select resource, max(kept_until) as kept_until, min(n) as n from q group by resource)
        , changed as (
            update resources r set generation = r.generation + 1 from moved, one
            where r.number = one.resource returning r.number, r.id, r.generation
        ), recorded as (
            insert into revocations ({CUT_OFF_COLUMNS})
            select 'resource', changed.id, changed.number, changed.generation, 0, 0,
                moved.cursor - (select count(*) from q) + one.n, one.kept_until
            from moved, changed join one on one.resource = changed.number
            {recorded_many()}
        )
        select one.n, changed.generation from one join changed on changed.number = one.resource
    """,
)

_STANDING = "select {n} kind, generation, valid_from_micros, deleted from {q} revocations where kind = '{kind}'"


def _of_owner(kind: Kind, owner: str) -> str:
    # What one resource recorded never concerns the tokens of another, whatever id it named.
    return f" and revocations.resource = {EVERY_RESOURCE if kind == 'signingKey' else owner}"


STANDING = Statement(
    sqlite=(
        " union all ".join(
            _STANDING.format(n="", q="", kind=kind) + _of_owner(kind, ":owner") + f" and subject = :{kind}"
            for kind in KINDS
        ),
    ),
    parameters=(("owner", "int8"), *((kind, "text") for kind in KINDS)),
    postgres=" union all ".join(
        _STANDING.format(n="q.n,", q="q,", kind=kind) + _of_owner(kind, "q.owner") + f' and subject = q."{kind}"'
        for kind in KINDS
    ),
)
