-- What several nodes on one database have to agree on.

-- One row, made by the first node that starts: a constant under the encryption key. A node with another key refuses.
create table key_check (
    singleton integer primary key check (singleton = 1),
    encrypted bytea not null
);
