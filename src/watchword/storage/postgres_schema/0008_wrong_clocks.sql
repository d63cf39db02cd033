-- What keeps the end of a token an end, whatever a clock says: bounds of issue times, and marks of purged revocations.

-- No token was stamped with a time above it. Whoever issues raises it first; nothing ever lowers it.
alter table clock add column reserved_micros bigint not null default 0;
update clock set reserved_micros = high_water_micros;

-- A revocation is kept until every token that could exist when it was made has expired, whatever clock stamped it, and
-- whatever clock the revoking process had: 25 hours (90,000,000,000 us) beyond the highest time that may be stamped.
-- An import brings rows as they were.
create function outlast_tokens() returns trigger language plpgsql as $$
begin
    new.expires_micros := greatest(new.expires_micros, (
        select greatest(reserved_micros, high_water_micros) + 90000000000 from clock
        where not exists (select 1 from imports where finished_micros is null)
    ));
    return new;
end $$;

create trigger revocations_outlast_tokens before insert or update of expires_micros on revocations
for each row execute function outlast_tokens();

-- A purge that a wrong clock caused must revive nobody. So each deleted revocation leaves a mark: a cut-off of its
-- resource, above every time that could be stamped when the revocation was made, which is 25 hours before it could go.
-- The mark is a revocation of the resource that never goes (year 9999); of a signing key it is left on all resources.
create function mark_purged() returns trigger language plpgsql as $$
declare
    next bigint;
begin
    if exists (select 1 from imports where finished_micros is null)
        or not exists (select 1 from gone join resources r on gone.resource in (0, r.number)) then
        return null;
    end if;
    -- Revocations before the feed's row, as everywhere.
    perform 1 from revocations v where v.kind = 'resource' and exists (select 1 from gone where gone.resource in (0, v.resource))
        order by v.resource for update;
    update feed set cursor = cursor + 1 returning cursor into next;
    insert into revocations (kind, subject, resource, generation, valid_from_micros, deleted, cursor, expires_micros)
    select 'resource', r.id, r.number,
        max(case gone.kind when 'resource' then gone.generation else 0 end),
        max(greatest(
            case gone.kind when 'resource' then gone.valid_from_micros else 0 end,
            case when gone.expires_micros < 253402300799999999 then gone.expires_micros - 90000000000 + 1 else 0 end
        )),
        max(case gone.kind when 'resource' then gone.deleted else 0 end),
        next, 253402300799999999
    from gone join resources r on gone.resource in (0, r.number)
    group by r.id, r.number order by r.number
    on conflict (kind, resource, subject) do update set
        generation = greatest(revocations.generation, excluded.generation),
        valid_from_micros = greatest(revocations.valid_from_micros, excluded.valid_from_micros),
        deleted = greatest(revocations.deleted, excluded.deleted),
        cursor = excluded.cursor,
        expires_micros = greatest(revocations.expires_micros, excluded.expires_micros);
    return null;
end $$;

create trigger purged_revocations_leave_a_mark after delete on revocations
referencing old table as gone for each statement execute function mark_purged();
