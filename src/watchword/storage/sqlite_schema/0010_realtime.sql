-- Realtime: who is connected, how far each has answered what was pushed, and which session ids are spent.

-- A client of a user, by the endpoint id that it chose; it outlives its sockets for as long as events are kept for it.
create table registrations (
    number integer primary key autoincrement,
    resource integer not null,
    subject text not null,                      -- a skypeid, as in tokens
    epid text not null,
    epoch text not null,                        -- of the journal's history that the position is in
    position integer not null,                  -- every entry of the journal up to here was answered
    ahead text not null default '',             -- entries above it that were answered, separated by commas
    stuck integer not null default 0,           -- the entry whose push had no answer when the socket was cut
    tries integer not null default 0,           -- how often in a row it was that one
    claim integer not null default 0,           -- counts the sockets that were opened for it
    holder integer not null default 0,          -- the one of them whose positions count
    is_open integer not null default 0,
    seen_millis integer not null
) strict;

create unique index registrations_by_epid on registrations (resource, subject, epid);
create index registrations_by_age on registrations (seen_millis);
create index registrations_open on registrations (resource) where is_open = 1;

-- Each session id opens one socket; the row goes when it would not be good for one any more.
create table spent_tickets (
    ticket blob primary key,
    expires_millis integer not null
) strict, without rowid;

create index spent_tickets_by_expiry on spent_tickets (expires_millis);
