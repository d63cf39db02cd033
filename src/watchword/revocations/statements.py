"""What the hot verbs of revocations say to each engine."""

from __future__ import annotations

from typing import Literal

from watchword.storage import Statement

Kind = Literal["token", "identity", "resource", "accessKey", "signingKey"]

KINDS: tuple[Kind, ...] = ("token", "identity", "resource", "accessKey", "signingKey")

EVERY_RESOURCE = 0
"""In place of a resource's number: concerns all."""

NEXT_CURSOR = "update feed set cursor = cursor + 1"
"""Draws a number for a revocation, and holds back whoever wants the next one until the commit.

On PostgreSQL the feed's row is the last one that a transaction locks, see `storage.database`.
"""

_COLUMNS = "kind, subject, resource, generation, valid_from_micros, deleted, cursor, expires_micros"

_CUT_OFFS = ("generation", "valid_from_micros", "deleted", "expires_micros")


def keep_strictest() -> str:
    """What an insert of revocations does with one that is there: the strictest of both stays, under the new cursor."""
    kept = ", ".join(
        f"{column} = case when excluded.{column} > revocations.{column}"
        f" then excluded.{column} else revocations.{column} end"
        for column in _CUT_OFFS
    )
    return f"on conflict (kind, resource, subject) do update set {kept}, cursor = excluded.cursor"


def recorded(
    *,
    kind: Kind,
    subject: str,
    resource: str,
    source: str,
    generation: str = "0",
    valid_from_micros: str = "0",
    deleted: str = "0",
) -> str:
    """SQLite's SQL that records what `source`, the rest of a select, finds; the other arguments are SQL expressions.

    It comes after `NEXT_CURSOR`. The time at which the row may go is the parameter `:kept_until`.
    """
    return f"""
        insert into revocations ({_COLUMNS})
        select '{kind}', {subject}, {resource}, {generation}, {valid_from_micros}, {deleted},
               (select cursor from feed), :kept_until
        {source} {keep_strictest()}
    """


def next_cursors(*, kind: Kind, dead: str, after: str = "true") -> str:
    """PostgreSQL's tables `held` and `moved`: revocations that are there already are locked, and then the feed's row.

    `dead` is the table of what is to be revoked, with `resource` and `subject`. `after` is an SQL condition that is
    looked at first; by one that counts another table of the statement, what that one locks is locked before.
    """
    return f"""
        held as materialized (
            select r.resource, r.subject from (
                select resource, subject from {dead} where {after} order by resource, subject collate "C"
            ) d cross join lateral (
                select r.resource, r.subject from revocations r
                where r.kind = '{kind}' and r.resource = d.resource and r.subject = d.subject for update
            ) r
        ), moved as (
            update feed set cursor = cursor + (select count(*) from q)
            where (select count(*) from {dead}) > 0 and (select count(*) from held) >= 0
            returning cursor
        )
    """


def recorded_many(
    *,
    kind: Kind,
    dead: str,
    generation: str = "0",
    valid_from_micros: str = "0",
    deleted: str = "0",
    after: str = "true",
) -> str:
    """PostgreSQL's tables that record `dead`, which has also `kept_until` and `n`; its row of something else is locked.

    So nobody can record the same subject meanwhile. A number is left out where two of a batch name one subject.
    """
    return f"""
        {next_cursors(kind=kind, dead=dead, after=after)}, recorded as (
            insert into revocations ({_COLUMNS})
            select '{kind}', d.subject, d.resource, {generation}, {valid_from_micros}, {deleted},
                moved.cursor - (select count(*) from q) + d.n, d.kept_until
            from moved, {dead} d {keep_strictest()}
        )
    """


# A token or key has no row of its own by which two that revoke it at once would wait for each other. Whoever finds no
# revocation to lock first, and then one that another has made meanwhile, must not wait for it with the feed's row in
# hand: it is told nothing, and asks again.
RECORD = {
    kind: Statement(
        sqlite=(
            NEXT_CURSOR,
            recorded(kind=kind, subject=":subject", resource=":resource", source="where true"),
            "select 1",
        ),
        parameters=(("subject", "text"), ("resource", "int8"), ("kept_until", "int8")),
        postgres=f"""
            , dead as (
                select resource, subject, max(kept_until) as kept_until, min(n) as n from q group by resource, subject
            ), {next_cursors(kind=kind, dead="dead")}, numbered as (
                select d.*, moved.cursor - (select count(*) from q) + d.n as cursor from moved, dead d
            ), again as (
                update revocations r set expires_micros = greatest(r.expires_micros, d.kept_until), cursor = d.cursor
                from held h join numbered d on d.resource = h.resource and d.subject = h.subject
                where r.kind = '{kind}' and r.resource = h.resource and r.subject = h.subject
                returning r.resource, r.subject
            ), fresh as (
                insert into revocations (kind, subject, resource, cursor, expires_micros)
                select '{kind}', d.subject, d.resource, d.cursor, d.kept_until from numbered d
                where not exists (select from held h where h.resource = d.resource and h.subject = d.subject)
                on conflict (kind, resource, subject) do nothing returning resource, subject
            )
            select q.n, 1 from q join (select * from again union all select * from fresh) d
            on d.resource = q.resource and d.subject = q.subject
        """,
    )
    for kind in KINDS
}


OF_TOKEN = (("owner", "int8"), *((kind, "text") for kind in KINDS))
"""Parameters of whoever asks what stands against a token: the number of its resource, and its subject of each kind."""


def standing() -> str:
    """SQLite's SQL for kind, generation, valid-from and deleted of every row that concerns a token; see `OF_TOKEN`."""
    return " union all ".join(_standing(kind=kind, owner=":owner", subject=f":{kind}") for kind in KINDS)


def standing_many() -> str:
    """PostgreSQL's, of all tokens of the table `q`."""
    return " union all ".join(
        _standing(kind=kind, owner="q.owner", subject=f'q."{kind}"', n="q.n,", q="q,") for kind in KINDS
    )


def _standing(*, kind: Kind, owner: str, subject: str, n: str = "", q: str = "") -> str:
    # What one resource recorded never concerns the tokens of another, whatever id it named.
    resource = EVERY_RESOURCE if kind == "signingKey" else owner
    return (
        f"select {n} kind, generation, valid_from_micros, deleted from {q} revocations"
        f" where kind = '{kind}' and revocations.resource = {resource} and subject = {subject}"
    )


# Whoever purges on another node meets this one at the first row that both want. Two of a batch take different rows.
PURGE = Statement(
    sqlite=(
        """
        delete from revocations where (kind, resource, subject) in (
            select kind, resource, subject from revocations where expires_micros < :now order by expires_micros
            limit :most
        ) returning 1
        """,
    ),
    parameters=(("now", "int8"), ("most", "int8")),
    postgres="""
        , portions as (
            select n, now, most, (sum(most) over (order by n))::bigint - most as before from q
        ), doomed as materialized (
            select p.n, v.kind, v.resource, v.subject from portions p cross join lateral (
                select kind, resource, subject from revocations where expires_micros < p.now
                order by expires_micros, kind, resource, subject limit p.most offset p.before
            ) v
        ), locked as materialized (
            select d.n, r.kind, r.resource, r.subject from doomed d
            join revocations r on r.kind = d.kind and r.resource = d.resource and r.subject = d.subject
            where r.expires_micros < (select max(now) from q)
            order by r.kind, r.resource, r.subject for update of r
        ), gone as (
            delete from revocations r using locked l
            where r.kind = l.kind and r.resource = l.resource and r.subject = l.subject
            returning l.n
        )
        select n, 1 from gone
    """,
)
