-- The trusted server: frozen threads, who is muted or banned, and histories that are being brought in.
-- Times end in _millis: since 1970.

-- What people write is nobody's sample: `analyze` would keep texts for its statistics, which outlive their redaction. No
-- query looks for any of them. To say the type once more forgets what was kept so far, and rewrites nothing.
alter table threads
    alter column topic set statistics 0, alter column topic type text collate "C",
    alter column metadata set statistics 0, alter column metadata type text collate "C";

alter table threads add column frozen_millis bigint;   -- since then only the trusted server writes; null: it is open

-- A topic has up to 1,000 characters, more than an index of PostgreSQL holds.
create index threads_by_topic on threads (resource, substr(topic, 1, 32), number) where deleted_millis is null;
alter index threads_by_topic alter column 2 set statistics 0;
create index threads_by_activity on threads (resource, listed_millis, number) where deleted_millis is null;

-- Who may write nothing, or take part in nothing, until a time.
create table restrictions (
    resource bigint not null,
    subject text collate "C" not null,                  -- a skypeid, as in tokens; it may never have been in a chat
    thread bigint not null,                             -- its number; 0: every thread of the resource
    kind text collate "C" not null check (kind in ('mute', 'ban')),
    since_millis bigint not null,
    until_millis bigint,                                -- null: until it is lifted
    primary key (resource, subject, thread)
);

create index restrictions_by_thread on restrictions (thread, subject) where thread > 0;
create index restrictions_by_end on restrictions (until_millis) where until_millis is not null;

-- What keeps a user from writing in a thread: kind, thread and end, the strictest of those in force. A statement does not
-- see what was committed while it waited for a row, and this does.
create function restriction_of(of_resource bigint, who text, in_thread bigint, at_millis bigint) returns text
volatile language plpgsql as $$
begin
    return (
        select r.kind || ' ' || r.thread || ' ' || coalesce(r.until_millis, 0) from restrictions r
        where r.resource = of_resource and r.subject = who and r.thread in (0, in_thread)
        and (r.until_millis is null or r.until_millis > at_millis)
        order by r.kind, r.until_millis is not null, r.until_millis desc limit 1
    );
end $$;

-- Whoever is deleted takes them along, as part of a departure from chat.
create function restricted_identities_depart() returns trigger language plpgsql as $$
begin
    insert into departures (resource, subject)
    select s.resource, s.subject from (
        select g.resource, 'acs:' || r.id || '_' || encode(g.flake, 'hex')::uuid::text as subject
        from gone g join resources r on r.number = g.resource and r.state = 'active'
    ) s where exists (select 1 from restrictions x where x.resource = s.resource and x.subject = s.subject)
    order by s.resource, s.subject on conflict (resource, subject) do nothing;
    return null;
end $$;

create trigger restricted_identities_depart after delete on identities
referencing old table as gone for each statement execute function restricted_identities_depart();

-- A history that is brought in from elsewhere, batch by batch; nobody sees its thread before it is finished.
create table history_imports (
    resource bigint not null,
    id text collate "C" not null,                       -- chosen by whoever brings it in
    thread bigint not null,
    reached bigint not null default 0,                  -- so many records are in
    last_millis bigint not null default 0,              -- when the newest of them was written
    begun_millis bigint not null,
    moved_millis bigint not null,                       -- when the last batch came
    finished_millis bigint,
    primary key (resource, id)
);

create index history_imports_by_age on history_imports (moved_millis) where finished_millis is null;
create index history_imports_by_thread on history_imports (thread);

-- The same of the larger tables, at the end, so that they are locked for a moment only.
alter table participants
    alter column display_name set statistics 0, alter column display_name type text collate "C",
    alter column metadata set statistics 0, alter column metadata type text collate "C";
alter table messages
    alter column content set statistics 0, alter column content type text collate "C",
    alter column sender_name set statistics 0, alter column sender_name type text collate "C",
    alter column metadata set statistics 0, alter column metadata type text collate "C";
