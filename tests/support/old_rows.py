"""A few rows for every version of the schema, as the programs of that time wrote them."""

from __future__ import annotations

from collections.abc import Iterator

_ROWS = {
    1: (
        "insert into resources (id, name, location, created_micros) values ('{guid}', 'old', 'unitedstates', 5)",
        "insert into access_keys values ('k1', 1, 'primary', {blob}, 5), ('k2', 1, 'secondary', {blob}, 5)",
        "insert into identities values (1, {blob}, 3, 0, 'me', 5, null)",
        "insert into signing_keys (kid, algorithm, private_key, created_micros) values ('kid', 'ES256', {blob}, 5)",
        "update clock set high_water_micros = 6",
    ),
    2: (
        "update feed set cursor = 1",
        "insert into revocations values ('identity', '8:acs:x', 1, 3, 0, 0, 1, 9)",
        "insert into verifier_credentials values ('v', 1, {blob}, 5)",
    ),
    3: ("insert into operators values ('o', 'ada', 'reader', {blob}, 5)",),
    4: ("insert into role_assignments values (1, '{guid}', 'contributor', 5)",),
    5: ("insert into key_check values (1, {blob})",),
    6: ("insert into management_roles values ('{guid}', 'reader', 5)",),
}

KEPT = """
    select r.name, r.generation, i.generation, i.custom_id, i.created_micros, c.high_water_micros,
        (select count(*) from access_keys), (select count(*) from signing_keys)
    from resources r join identities i on i.resource = r.number cross join clock c
"""
"""What is to be there whichever version a database came from."""

EXPECTED = ("old", 1, 3, "me", 5, 6, 2, 1)


def rows_of(version: int, blob: str) -> Iterator[str]:
    """Statements; `blob` is 16 bytes as the engine spells them."""
    for sql in _ROWS.get(version, ()):
        yield sql.format(guid="aaaaaaaa-368b-45b4-ab52-8493fb117652", blob=blob)
