-- What is no longer valid, in the order in which it was committed; verifiers' credentials; the life of signing keys.

-- One row. Every revocation takes the next number in its own transaction, so that whoever commits later has the higher
-- one: this row's lock makes commit order the order of numbers, on every engine. The epoch tells one history from
-- another, so that a new database is not taken for an older one at the same address.
create table feed (
    singleton integer primary key check (singleton = 1),
    epoch text not null,
    cursor integer not null
) strict;

insert into feed values (1, lower(hex(randomblob(8))), 0);

-- One row for each thing that was revoked: its strictest cut-offs so far, under the number of the newest change. A row
-- may go when the last token that it could concern has expired.
create table revocations (
    kind text not null check (kind in ('token', 'identity', 'resource', 'accessKey', 'signingKey')),
    subject text not null,                  -- a token id, skypeid, resource id, access key id or key id
    resource integer not null,              -- 0 for signing keys, which concern all
    generation integer not null default 0,
    valid_from_micros integer not null default 0,
    deleted integer not null default 0,
    cursor integer not null,
    expires_micros integer not null,
    -- The resource is part of it: whoever learns the id of another's token can neither kill it nor hide its end.
    primary key (kind, resource, subject)
) strict, without rowid;

create index revocations_by_cursor on revocations (resource, cursor);
create index revocations_by_expiry on revocations (expires_micros);

create table verifier_credentials (
    id text primary key,
    resource integer not null references resources (number) on delete cascade,
    secret_hash blob not null,              -- SHA-256; the secret is long and random
    created_micros integer not null
) strict, without rowid;

-- A key is published when it is made, and signs from a later time on, until a newer one does or it is retired.
alter table signing_keys add column signs_from_micros integer not null default 0;
alter table signing_keys add column retired_micros integer;
alter table signing_keys add column revoked_micros integer;
