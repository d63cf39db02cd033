-- Resource groups, what the management API knows of resources, and the operators who may call it.

create table resource_groups (
    number integer primary key autoincrement,
    id text not null unique,                -- names the deletion of this very group, though its name be used again
    subscription text not null,             -- lower-case; any will do
    name text not null,
    location text not null,
    tags text not null default '{}',        -- JSON
    state text not null default 'active' check (state in ('active', 'deleting')),
    created_micros integer not null
) strict;

create unique index resource_groups_by_name on resource_groups (subscription, lower(name));

-- Resources from before there were groups.
insert into resource_groups (id, subscription, name, location, created_micros)
select lower(hex(randomblob(16))), '00000000-0000-0000-0000-000000000000', 'default', 'global', micros
from (select min(created_micros) as micros from resources) as oldest where micros is not null;

alter table resources add column resource_group integer not null default 1;
alter table resources add column region text not null default 'global';
alter table resources add column data_location text not null default '';    -- as it was written, such as United States
alter table resources add column tags text not null default '{}';           -- JSON
alter table resources add column local_auth_disabled integer not null default 0;
-- One that is being deleted accepts no call, and holds its name until nothing of it is left.
alter table resources add column state text not null default 'active' check (state in ('active', 'deleting'));

create index resources_by_group on resources (resource_group);
create index resources_by_state on resources (state) where state = 'deleting';

-- Equal for equal keys, and tells nothing of them: no two resources share a key.
alter table access_keys add column fingerprint blob;
create unique index access_keys_by_fingerprint on access_keys (fingerprint);

create table operators (
    id text primary key,
    name text not null,
    role text not null check (role in ('reader', 'contributor')),
    secret_hash blob not null,              -- SHA-256; the secret is long and random
    created_micros integer not null
) strict, without rowid;
