-- Resources, their access keys, the identities in them, and the keys that sign their tokens.
-- Times are microseconds since 1970; secrets are encrypted by keyring/encryption.py.
-- Text is compared byte by byte (collate "C"), as SQLite does it; in most other orders "_" and "-" hardly count.

-- One row. Whoever changes things on the cold path takes its turn by locking it, as SQLite's one writer does.
create table turn (
    singleton integer primary key check (singleton = 1)
);

insert into turn values (1);

create table resources (
    number bigint generated always as identity primary key,
    id text collate "C" not null unique,
    name text collate "C" not null,
    location text collate "C" not null,
    generation bigint not null default 1,
    created_micros bigint not null
);

create unique index resources_by_name on resources (lower(name));

create table access_keys (
    id text collate "C" primary key,
    resource bigint not null references resources (number) on delete cascade,
    slot text collate "C" not null check (slot in ('primary', 'secondary')),
    secret bytea not null,
    created_micros bigint not null,
    unique (resource, slot)
);

-- Identifiers grow with time, so one index would have all its inserts at its right edge: sixteen partitions spread them.
create table identities (
    resource bigint not null,
    flake bytea not null,
    generation bigint not null,
    valid_from_micros bigint not null default 0,
    custom_id text collate "C",
    created_micros bigint not null,
    last_token_micros bigint,
    primary key (resource, flake)
) partition by hash (flake);

create table identities_00 partition of identities for values with (modulus 16, remainder 0) with (fillfactor = 80);
create table identities_01 partition of identities for values with (modulus 16, remainder 1) with (fillfactor = 80);
create table identities_02 partition of identities for values with (modulus 16, remainder 2) with (fillfactor = 80);
create table identities_03 partition of identities for values with (modulus 16, remainder 3) with (fillfactor = 80);
create table identities_04 partition of identities for values with (modulus 16, remainder 4) with (fillfactor = 80);
create table identities_05 partition of identities for values with (modulus 16, remainder 5) with (fillfactor = 80);
create table identities_06 partition of identities for values with (modulus 16, remainder 6) with (fillfactor = 80);
create table identities_07 partition of identities for values with (modulus 16, remainder 7) with (fillfactor = 80);
create table identities_08 partition of identities for values with (modulus 16, remainder 8) with (fillfactor = 80);
create table identities_09 partition of identities for values with (modulus 16, remainder 9) with (fillfactor = 80);
create table identities_10 partition of identities for values with (modulus 16, remainder 10) with (fillfactor = 80);
create table identities_11 partition of identities for values with (modulus 16, remainder 11) with (fillfactor = 80);
create table identities_12 partition of identities for values with (modulus 16, remainder 12) with (fillfactor = 80);
create table identities_13 partition of identities for values with (modulus 16, remainder 13) with (fillfactor = 80);
create table identities_14 partition of identities for values with (modulus 16, remainder 14) with (fillfactor = 80);
create table identities_15 partition of identities for values with (modulus 16, remainder 15) with (fillfactor = 80);

-- What is unique across partitions needs a table of its own.
create table custom_ids (
    resource bigint not null,
    custom_id text collate "C" not null,
    flake bytea not null,
    primary key (resource, custom_id)
);

create table signing_keys (
    kid text collate "C" primary key,
    algorithm text collate "C" not null,
    private_key bytea not null,
    created_micros bigint not null
);

-- One row: the highest issue time that may have been given out. A later run never goes below it.
create table clock (
    singleton integer primary key check (singleton = 1),
    high_water_micros bigint not null
);

insert into clock values (1, 0);
