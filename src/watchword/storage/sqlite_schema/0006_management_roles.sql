-- Callers of an OpenID provider who may call the management API: on the whole server, as an operator may.

create table management_roles (
    principal text primary key,             -- the object or application id, lower-case
    role text not null check (role in ('reader', 'contributor')),
    created_micros integer not null
) strict, without rowid;
