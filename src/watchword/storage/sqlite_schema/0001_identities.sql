-- Resources, their access keys, the identities in them, and the keys that sign their tokens.
-- Times are microseconds since 1970; secrets are encrypted by keyring/encryption.py.

create table resources (
    number integer primary key autoincrement,   -- never given out again: revocations name it
    id text not null unique,                -- the immutable guid, lower-case
    name text not null unique collate nocase,
    location text not null,                 -- the data location, such as unitedstates
    generation integer not null default 1,  -- raised to revoke every token of the resource
    created_micros integer not null
) strict;

create table access_keys (
    id text primary key,                    -- names the key in the tokens that it asked for
    resource integer not null references resources (number) on delete cascade,
    slot text not null check (slot in ('primary', 'secondary')),
    secret blob not null,
    created_micros integer not null,
    unique (resource, slot)
) strict, without rowid;

-- Clustered by resource and flake: a page of a list, a look-up and the deletion of a resource are one range each.
create table identities (
    resource integer not null references resources (number),
    flake blob not null,                    -- the 16 bytes after the underscore
    generation integer not null,            -- raised to revoke every token issued so far
    valid_from_micros integer not null default 0,
    custom_id text,
    created_micros integer not null,
    last_token_micros integer,
    primary key (resource, flake)
) strict, without rowid;

create unique index identities_by_custom_id on identities (resource, custom_id) where custom_id is not null;

create table signing_keys (
    kid text primary key,
    algorithm text not null,
    private_key blob not null,              -- PKCS 8, encrypted
    created_micros integer not null
) strict, without rowid;

-- One row: the highest issue time that may have been given out. A later run never goes below it.
create table clock (
    singleton integer primary key check (singleton = 1),
    high_water_micros integer not null
) strict;

insert into clock values (1, 0);
