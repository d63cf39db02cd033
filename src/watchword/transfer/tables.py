"""What an export holds: every table with its columns, in the order in which it can be read in.

Both engines spell tables, columns and values alike, so a row is the same wherever it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Rows go in the order of `key`. Of a table that `is_made_with_the_schema`, the one row is there from then on."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    is_made_with_the_schema: bool = False


def _table(name: str, key: str, others: str, *, is_made_with_the_schema: bool = False) -> Table:
    return Table(name, tuple(key.split()), (*key.split(), *others.split()), is_made_with_the_schema)


TABLES = (
    _table("key_check", "singleton", "encrypted"),
    _table("clock", "singleton", "high_water_micros reserved_micros", is_made_with_the_schema=True),
    _table("feed", "singleton", "cursor", is_made_with_the_schema=True),
    _table("resource_groups", "number", "id subscription name location tags state created_micros"),
    _table(
        "resources",
        "number",
        "id name location generation created_micros resource_group region data_location tags local_auth_disabled state",
    ),
    _table("access_keys", "id", "resource slot secret fingerprint created_micros"),
    _table(
        "signing_keys", "kid", "algorithm private_key created_micros signs_from_micros retired_micros revoked_micros"
    ),
    _table("verifier_credentials", "id", "resource secret_hash created_micros"),
    _table("operators", "id", "name role secret_hash created_micros"),
    _table("management_roles", "principal", "role created_micros"),
    _table("role_assignments", "resource principal", "role created_micros"),
    _table("exchange_assignments", "resource kind object_id tenant_id", "principal_type client_ids"),
    _table("exchanged_users", "resource subject", "generation"),
    _table("revocations", "kind resource subject", "generation valid_from_micros deleted cursor expires_micros"),
    _table("identities", "resource flake", "generation valid_from_micros custom_id created_micros last_token_micros"),
    _table(
        "threads",
        "number",
        "id resource topic metadata retention_days created_by created_millis request sequence version change joins"
        " present messages bytes last_millis listed_millis deleted_millis emptied"
        " frozen_millis",
    ),
    _table(
        "participants",
        "thread subject",
        "resource place display_name metadata history_millis removed_millis read_id read_millis listed_millis",
    ),
    _table(
        "messages",
        "thread id",
        "version sequence kind sender sender_name content metadata edited_millis deleted_millis key",
    ),
    _table("departures", "resource subject", "thread reached"),
    _table("restrictions", "resource subject thread", "kind since_millis until_millis"),
    _table("history_imports", "resource id", "thread reached last_millis begun_millis moved_millis finished_millis"),
)

BY_NAME = {table.name: table for table in TABLES}

NUMBERED = ("resource_groups", "resources", "threads")
"""Tables whose numbers are never given out again: the highest ever goes along, though its row be gone."""

CUSTOM_IDS = ("resource", "custom_id", "flake")
"""The columns of `custom_ids`: on SQLite a view of the identities, on PostgreSQL a table that is filled from them."""

LEFT_OUT = {
    "schema_version": "what the program that reads the file in makes of its database",
    "turn": "a row to be locked, which holds nothing",
    "imports": "what was read into this very database",
    "custom_ids": "the identities say the same",
    "feed.epoch": "a new history begins with the import",
    "registrations": "whoever is connected connects anew, in another history",
    "spent_tickets": "they open nothing where another key seals them, and are good for a minute",
    "journal": "who follows it begins anew in another history",
    "messages.number": "SQLite's own number of a row, which nothing names",
}
"""What an export does not hold, each with the reason."""
