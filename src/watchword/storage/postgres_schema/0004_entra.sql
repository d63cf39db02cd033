-- Callers and users of an OpenID provider: who has a role, who may exchange, who did.

create table role_assignments (
    resource bigint not null references resources (number) on delete cascade,
    principal text collate "C" not null,                -- the object or application id, lower-case
    role text collate "C" not null check (role in ('contributor')),
    created_micros bigint not null,
    primary key (resource, principal)
);

create index role_assignments_by_principal on role_assignments (principal);

-- Whose tokens may be exchanged. For `entra` an object has one assignment; for `teamsExtension` one in each tenant.
create table exchange_assignments (
    resource bigint not null references resources (number) on delete cascade,
    kind text collate "C" not null check (kind in ('entra', 'teamsExtension')),
    object_id text collate "C" not null,
    tenant_id text collate "C" not null,
    principal_type text collate "C" not null,
    client_ids text collate "C",                        -- JSON; null: applications are not limited
    primary key (resource, kind, object_id, tenant_id)
);

-- Users that hold tokens without being identities of ours; as of those, the generation is raised to revoke.
create table exchanged_users (
    resource bigint not null references resources (number) on delete cascade,
    subject text collate "C" not null,                  -- the skypeid, such as acs:<resource>_wf_<tenant>_<object>
    generation bigint not null default 1,
    primary key (resource, subject)
);
