-- The trusted server: frozen threads, who is muted or banned, and histories that are being brought in.
-- Times end in _millis: since 1970.

alter table threads add column frozen_millis integer;   -- since then only the trusted server writes; null: it is open

-- A topic has up to 1,000 characters, more than an index of PostgreSQL holds.
create index threads_by_topic on threads (resource, substr(topic, 1, 32), number) where deleted_millis is null;
create index threads_by_activity on threads (resource, listed_millis, number) where deleted_millis is null;

-- Who may write nothing, or take part in nothing, until a time.
create table restrictions (
    resource integer not null,
    subject text not null,                      -- a skypeid, as in tokens; it may never have been in a chat
    thread integer not null,                    -- its number; 0: every thread of the resource
    kind text not null check (kind in ('mute', 'ban')),
    since_millis integer not null,
    until_millis integer,                       -- null: until it is lifted
    primary key (resource, subject, thread)
) strict, without rowid;

create index restrictions_by_thread on restrictions (thread, subject) where thread > 0;
create index restrictions_by_end on restrictions (until_millis) where until_millis is not null;

-- Whoever is deleted takes them along, as part of a departure from chat.
create trigger restricted_identities_depart after delete on identities
when exists (select 1 from restrictions where resource = old.resource)
    and exists (select 1 from resources where number = old.resource and state = 'active')
begin
    insert into departures (resource, subject)
    select old.resource, s.subject from (
        select 'acs:' || r.id || '_' || lower(
            substr(hex(old.flake), 1, 8) || '-' || substr(hex(old.flake), 9, 4) || '-' || substr(hex(old.flake), 13, 4)
            || '-' || substr(hex(old.flake), 17, 4) || '-' || substr(hex(old.flake), 21)
        ) as subject from resources r where r.number = old.resource
    ) s where exists (select 1 from restrictions x where x.resource = old.resource and x.subject = s.subject)
    on conflict (resource, subject) do nothing;
end;

-- A history that is brought in from elsewhere, batch by batch; nobody sees its thread before it is finished.
create table history_imports (
    resource integer not null,
    id text not null,                           -- chosen by whoever brings it in
    thread integer not null,
    reached integer not null default 0,         -- so many records are in
    last_millis integer not null default 0,     -- when the newest of them was written
    begun_millis integer not null,
    moved_millis integer not null,              -- when the last batch came
    finished_millis integer,
    primary key (resource, id)
) strict, without rowid;

create index history_imports_by_age on history_imports (moved_millis) where finished_millis is null;
create index history_imports_by_thread on history_imports (thread);
