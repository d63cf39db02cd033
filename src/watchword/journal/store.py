"""The journal's rows as followers read them: each look is one statement, and so of one instant."""

from __future__ import annotations

from datetime import timedelta

from watchword.errors import Unavailable
from watchword.journal.entries import Entry
from watchword.journal.marks import Gap, Mark
from watchword.journal.tail import Look, Tail
from watchword.storage import Database, Statement

LARGEST_LOOK = 1_000

_FIRST_SCHEMA = 9

_SEEN_AT_THE_START = 100_000
"""Ids below the newest one whose gaps are known from the start: more are not drawn while one statement may take."""

_COLUMNS = "id, resource, thread, change, kind, reference, moment_micros"

# SQLite has one writer at a time, which draws ids when it has its turn: whatever is missing was rolled back.
_SQLITE_HEAD = """
    feed.epoch, feed.cursor, 1, 1, coalesce((select min(id) from journal), 0),
    coalesce((select seq from sqlite_sequence where name = 'journal'), 0)
"""

_POSTGRES_HEAD = """
    q.n, feed.epoch, feed.cursor, s.open_from, s.open_to,
    coalesce((select min(id) from journal), 0),
    coalesce(pg_sequence_last_value(pg_get_serial_sequence('journal', 'id')::regclass), 0)
"""

# A snapshot's `xmax` follows upon the last transaction that has ended, and others beyond it may be under way. So the
# number that the next one would get is asked for, once the snapshot is taken: `offset 0` keeps the planner from asking.
_POSTGRES_FROM = """
    from q cross join feed cross join (
        select pg_snapshot_xmin(n.now)::text::bigint as open_from,
            pg_snapshot_xmax(n.now)::text::bigint + age(pg_snapshot_xmax(n.now)::xid) as open_to
        from (select pg_current_snapshot() as now) n offset 0
    ) s
"""

BEGIN = Statement(
    sqlite=(f"select {_SQLITE_HEAD}, coalesce((select max(id) from journal), 0), null, null from feed",),
    parameters=(("kept", "int8"),),
    postgres=f"""
        select {_POSTGRES_HEAD}, coalesce((select max(id) from journal), 0), g.first, g.last
        {_POSTGRES_FROM} left join lateral (
            select j.before + 1 as first, j.id - 1 as last from (
                select id, lag(id, 1, greatest(w.below, 0)) over (order by id) as before
                from (select max(id) - q.kept as below from journal) w join journal on id > w.below
            ) j where j.id > j.before + 1 and s.open_from <> s.open_to
        ) g on true order by g.first
    """,
)
"""Where everything ends now, and the gaps shortly before."""

LOOK = Statement(
    sqlite=(
        f"""
        select {_SQLITE_HEAD}, j.* from feed left join (
            select {_COLUMNS} from journal where id > :top order by id limit :most
        ) j on true order by j.id
        """,
    ),
    parameters=(("top", "int8"), ("firsts", "text"), ("lasts", "text"), ("most", "int8")),
    postgres=f"""
        select {_POSTGRES_HEAD}, j.* {_POSTGRES_FROM} left join lateral (
            (select {_COLUMNS} from unnest(
                string_to_array(q.firsts, ',')::bigint[], string_to_array(q.lasts, ',')::bigint[]
            ) g(first, last) cross join lateral (
                select {_COLUMNS} from journal where id between g.first and g.last order by id limit q.most
            ) filled limit q.most)
            union all
            (select {_COLUMNS} from journal where id > q.top order by id limit q.most)
        ) j on true order by j.id
    """,
)
"""What appeared in gaps, and what came above the top."""


class JournalStore:
    """Reads by hot verbs, so that each look is one trip."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def is_there(self) -> bool:
        """There is none where the schema is that of the release before."""
        return self._database.schema.version >= _FIRST_SCHEMA

    @property
    def are_commits_told(self) -> bool:
        """Whether whoever commits can wake those who follow, on every node."""
        return self._database.are_commits_told

    async def begin(self, now_seconds: float) -> tuple[Tail, int]:
        """Whoever begins now has heard everything that is committed; the feed's position of the same instant.

        Raises:
            Unavailable: the database does not answer.
        """
        if not self.is_there:
            # A rolling upgrade is under way. Whoever needs the journal has told its operator.
            raise Unavailable(timedelta(seconds=1))
        rows = await self._database.read(BEGIN, {"kept": _SEEN_AT_THE_START})
        epoch, cursor, open_from, open_to, _, _, top, *_ = rows[0]
        gaps: tuple[Gap, ...] = tuple((row[-2], row[-1]) for row in rows if row[-1] is not None and open_from < open_to)
        return Tail(Mark(epoch, top, gaps), open_to, now_seconds), cursor

    async def look(self, mark: Mark) -> Look:
        """Look what was appended since the last time.

        Raises:
            Unavailable: the database does not answer.
        """
        firsts, lasts = (",".join(str(gap[place]) for gap in mark.gaps) for place in (0, 1))
        parameters = {"top": mark.top, "firsts": firsts, "lasts": lasts, "most": LARGEST_LOOK}
        rows = await self._database.read(LOOK, parameters)
        entries = [Entry(*row[6:]) for row in rows if row[6] is not None]
        in_gaps = sum(entry.id <= mark.top for entry in entries)
        are_gaps_full = in_gaps >= LARGEST_LOOK
        is_full = are_gaps_full or len(entries) - in_gaps >= LARGEST_LOOK
        epoch, cursor, open_from, open_to, oldest, newest, *_ = rows[0]
        return Look(epoch, cursor, open_from, open_to, oldest, newest, entries, is_full, are_gaps_full)
