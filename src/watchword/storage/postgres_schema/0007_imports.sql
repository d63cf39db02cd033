-- Exports that were read into this database.

-- How far an import has come, written with the rows themselves: whoever was interrupted goes on from there.
create table imports (
    export_id text collate "C" primary key,     -- names the file, by its first bytes
    chunks bigint not null,                     -- how many chunks of it are in
    finished_micros bigint                      -- null while some are missing: such a database is not served
);
