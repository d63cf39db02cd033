-- What several processes on one database have to agree on.

-- One row, made by the first process that starts: a constant under the encryption key. One with another key refuses.
create table key_check (
    singleton integer primary key check (singleton = 1),
    encrypted blob not null
) strict;

-- On PostgreSQL a table: there nothing but a primary key is unique across partitions.
create view custom_ids as select resource, custom_id, flake from identities where custom_id is not null;
