-- Callers of an OpenID provider who may call the management API: on the whole server, as an operator may.

create table management_roles (
    principal text collate "C" primary key,             -- the object or application id, lower-case
    role text collate "C" not null check (role in ('reader', 'contributor')),
    created_micros bigint not null
);
