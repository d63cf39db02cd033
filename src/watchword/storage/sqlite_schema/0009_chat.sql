-- Chat: threads, their participants and messages; who is leaving; the journal of what happened.
-- Times end in _millis: since 1970. A version, too, is the time of a change, moved on where two would be the same.

-- Whoever changes anything of a thread changes this row first: so the numbers that it counts are drawn one after another.
create table threads (
    number integer primary key autoincrement,   -- never given out again: the journal and exports name it
    id text not null unique,                    -- 19:acsV1_<43 characters>1@thread.v2
    resource integer not null,
    topic text not null,
    metadata text,                              -- JSON; null: none was ever given
    retention_days integer,                     -- after its creation; null: as long as the operator keeps threads
    created_by text not null,                   -- a skypeid, as in tokens: acs:<resource>_<rest>
    created_millis integer not null,
    request blob,                               -- SHA-256 of caller and repeatability id; null once it is forgotten
    sequence integer not null default 0,        -- of the newest message
    version integer not null default 0,         -- the newest of its messages; the next one is higher, whatever a clock says
    change integer not null default 0,          -- counts its entries in the journal
    joins integer not null default 0,           -- counts everybody who ever joined
    present integer not null default 0,         -- participants now
    messages integer not null default 0,
    bytes integer not null default 0,           -- of the contents of its messages
    last_millis integer not null default 0,     -- of the newest message that counts for the order of a user's threads
    listed_millis integer not null default 0,   -- what `participants` know of that
    deleted_millis integer,
    emptied integer not null default 0          -- its messages are gone, after its deletion
) strict;

create unique index threads_by_request on threads (resource, request) where request is not null;
create index threads_by_request_age on threads (created_millis) where request is not null;
create index threads_by_creation on threads (created_millis) where deleted_millis is null;
create index threads_by_retention on threads (created_millis + retention_days * 86400000)
    where deleted_millis is null and retention_days is not null;
create index threads_by_deletion on threads (emptied, deleted_millis) where deleted_millis is not null;
create index threads_by_resource on threads (resource, number);

-- Whoever was removed or left keeps the row, and with it the history until then.
create table participants (
    thread integer not null,
    subject text not null,
    resource integer not null,
    place integer not null,                     -- in the order of joining
    display_name text,
    metadata text,                              -- JSON
    history_millis integer not null default 0,  -- sees messages from then on
    removed_millis integer,                     -- version of the message that says so; null: takes part
    read_id integer,                            -- the message of the newest read receipt
    read_millis integer,
    listed_millis integer not null,             -- at most two seconds below threads.last_millis, see below
    primary key (thread, subject)
) strict, without rowid;

create index participants_by_subject on participants (resource, subject, listed_millis, thread);
create index participants_by_place on participants (thread, place) where removed_millis is null;

-- The id of a message is its creation in milliseconds; by its version it is listed. The index over ids finds one, and
-- that over keys a message that is sent again, because nobody knew whether it was committed.
create table messages (
    number integer primary key,
    thread integer not null,
    id integer not null,
    version integer not null,
    sequence integer not null,
    kind text not null check (kind in ('text', 'html', 'topicUpdated', 'participantAdded', 'participantRemoved')),
    sender text not null,                       -- of a system message, who caused it
    sender_name text not null default '',
    content text not null,                      -- of participantAdded and participantRemoved JSON
    metadata text,                              -- JSON
    edited_millis integer,
    deleted_millis integer,
    key blob not null                           -- a flake, drawn before the first attempt to send it
) strict;

create unique index messages_by_version on messages (thread, version);
create unique index messages_by_id on messages (thread, id);
create unique index messages_by_key on messages (key);

-- A user's threads are listed by their newest message. To tell every participant of every message would cost too much,
-- so they are told when two seconds have passed since they last were; who lists them looks at those two seconds closer.
create trigger participants_hear_of_messages after update of last_millis on threads
when new.last_millis >= new.listed_millis + 2000
begin
    update participants set listed_millis = new.last_millis where thread = new.number and removed_millis is null;
    update threads set listed_millis = new.last_millis where number = new.number;
end;

-- Whose identity is gone, or whose resource (then the subject is empty): leaves every thread, and their messages become
-- tombstones, in small pieces. Written by the deletion itself, also that of a release which knows nothing of chat.
create table departures (
    resource integer not null,
    subject text not null,
    thread integer not null default 0,          -- whose messages are being looked through
    reached integer not null default 0,         -- up to this id
    primary key (resource, subject)
) strict, without rowid;

create trigger identities_depart after delete on identities
when exists (select 1 from resources where number = old.resource and state = 'active')
begin
    insert into departures (resource, subject)
    select old.resource, s.subject from (
        select 'acs:' || r.id || '_' || lower(
            substr(hex(old.flake), 1, 8) || '-' || substr(hex(old.flake), 9, 4) || '-' || substr(hex(old.flake), 13, 4)
            || '-' || substr(hex(old.flake), 17, 4) || '-' || substr(hex(old.flake), 21)
        ) as subject from resources r where r.number = old.resource
    ) s where exists (select 1 from participants p where p.resource = old.resource and p.subject = s.subject)
    on conflict (resource, subject) do nothing;
end;

create trigger exchanged_users_depart after delete on exchanged_users
when exists (select 1 from resources where number = old.resource and state = 'active')
    and exists (select 1 from participants p where p.resource = old.resource and p.subject = old.subject)
begin
    insert into departures (resource, subject) values (old.resource, old.subject)
    on conflict (resource, subject) do nothing;
end;

create trigger resources_depart after delete on resources
when exists (select 1 from threads where resource = old.number)
begin
    insert into departures (resource, subject) values (old.number, '') on conflict (resource, subject) do nothing;
end;

-- What happened, in order, without any content: whoever follows reads what an entry refers to, as it is then.
create table journal (
    id integer primary key autoincrement,       -- a plain rowid would begin again after a purge
    resource integer not null,
    thread integer not null,
    change integer not null,                    -- of the thread, without a gap
    kind text not null,                         -- such as messageReceived
    reference text not null,                    -- a message's id; of a read receipt the user, a slash, and the id
    moment_micros integer not null
) strict;

-- Whoever was away for a while reads what happened in its threads since, and nothing else.
create index journal_by_thread on journal (thread, id);
