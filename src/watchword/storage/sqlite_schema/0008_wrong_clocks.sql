-- What keeps the end of a token an end, whatever a clock says: bounds of issue times, and marks of purged revocations.

-- No token was stamped with a time above it. Whoever issues raises it first; nothing ever lowers it.
alter table clock add column reserved_micros integer not null default 0;
update clock set reserved_micros = high_water_micros;

-- A revocation is kept until every token that could exist when it was made has expired, whatever clock stamped it, and
-- whatever clock the revoking process had: 25 hours (90,000,000,000 us) beyond the highest time that may be stamped.
-- An import brings rows as they were.
create trigger new_revocations_outlast_tokens after insert on revocations
when not exists (select 1 from imports where finished_micros is null)
    and new.expires_micros < (select max(reserved_micros, high_water_micros) + 90000000000 from clock)
begin
    update revocations set expires_micros = (select max(reserved_micros, high_water_micros) + 90000000000 from clock)
    where kind = new.kind and resource = new.resource and subject = new.subject;
end;

create trigger changed_revocations_outlast_tokens after update of expires_micros on revocations
when not exists (select 1 from imports where finished_micros is null)
    and new.expires_micros < (select max(reserved_micros, high_water_micros) + 90000000000 from clock)
begin
    update revocations set expires_micros = (select max(reserved_micros, high_water_micros) + 90000000000 from clock)
    where kind = new.kind and resource = new.resource and subject = new.subject;
end;

-- A purge that a wrong clock caused must revive nobody. So each deleted revocation leaves a mark: a cut-off of its
-- resource, above every time that could be stamped when the revocation was made, which is 25 hours before it could go.
-- The mark is a revocation of the resource that never goes (year 9999); of a signing key it is left on all resources.
create trigger purged_revocations_leave_a_mark after delete on revocations
when not exists (select 1 from imports where finished_micros is null)
    and (old.kind in ('resource', 'signingKey') or not exists (
        select 1 from revocations m where m.kind = 'resource' and m.resource = old.resource
        and m.valid_from_micros > old.expires_micros - 90000000000))
begin
    update feed set cursor = cursor + 1 where exists (select 1 from resources where old.resource in (0, number));
    insert into revocations (kind, subject, resource, generation, valid_from_micros, deleted, cursor, expires_micros)
    select 'resource', r.id, r.number,
        case old.kind when 'resource' then old.generation else 0 end,
        max(
            case old.kind when 'resource' then old.valid_from_micros else 0 end,
            case when old.expires_micros < 253402300799999999 then old.expires_micros - 90000000000 + 1 else 0 end
        ),
        case old.kind when 'resource' then old.deleted else 0 end,
        (select cursor from feed), 253402300799999999
    from resources r where old.resource in (0, r.number)
    on conflict (kind, resource, subject) do update set
        generation = max(generation, excluded.generation),
        valid_from_micros = max(valid_from_micros, excluded.valid_from_micros),
        deleted = max(deleted, excluded.deleted),
        cursor = excluded.cursor,
        expires_micros = max(expires_micros, excluded.expires_micros);
end;
