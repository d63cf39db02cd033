-- What is no longer valid, in the order in which it was committed; verifiers' credentials; the life of signing keys.

-- One row. Every revocation takes the next number in its own transaction and holds this row until it commits: so commit
-- order is the order of numbers. The epoch tells one history from another.
create table feed (
    singleton integer primary key check (singleton = 1),
    epoch text collate "C" not null,
    cursor bigint not null
);

insert into feed values (1, substr(md5(random()::text || clock_timestamp()::text), 1, 16), 0);

create table revocations (
    kind text collate "C" not null check (kind in ('token', 'identity', 'resource', 'accessKey', 'signingKey')),
    subject text collate "C" not null,
    resource bigint not null,
    generation bigint not null default 0,
    valid_from_micros bigint not null default 0,
    deleted integer not null default 0,
    cursor bigint not null,
    expires_micros bigint not null,
    primary key (kind, resource, subject)
);

create index revocations_by_cursor on revocations (resource, cursor);
create index revocations_by_expiry on revocations (expires_micros);

create table verifier_credentials (
    id text collate "C" primary key,
    resource bigint not null references resources (number) on delete cascade,
    secret_hash bytea not null,
    created_micros bigint not null
);

alter table signing_keys add column signs_from_micros bigint not null default 0;
alter table signing_keys add column retired_micros bigint;
alter table signing_keys add column revoked_micros bigint;
