-- Exports that were read into this database.

-- How far an import has come, written with the rows themselves: whoever was interrupted goes on from there.
create table imports (
    export_id text primary key,             -- names the file, by its first bytes
    chunks integer not null,                -- how many chunks of it are in
    finished_micros integer                 -- null while some are missing: such a database is not served
) strict, without rowid;
