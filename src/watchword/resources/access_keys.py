"""Access keys: two for each resource, so that one can be replaced while the other works on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from watchword.clock import Clock
from watchword.errors import OperatorError
from watchword.identifiers import new_guid, new_key_id, random_bytes
from watchword.keyring.encryption import Encryption
from watchword.resources import store
from watchword.resources.store import AccessKeyRow, Resource, Slot
from watchword.storage import Database, Row, Transaction

ACCESS_KEY_BYTES = 64
"""Source: classic keys have 88 characters of base64, identity.md section 2.4."""

_LOCATION = re.compile("[A-Za-z0-9]{1,64}")
"""It stands in every token, whose payload must be the same in both alphabets of base64: see `tokens.issuer.sign`."""

MOST_CANDIDATE_KEYS = 128
"""At most 64 resources share a Host; each has two keys."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key in the clear, for as long as a request takes."""

    resource: Resource
    id: str
    slot: Slot
    secret: bytes


class AccessKeys:
    """Reads keys as they are committed at that instant; only what a row decodes to is remembered."""

    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption
        self._open = lru_cache(MOST_CANDIDATE_KEYS)(self._decode)

    async def candidates(self) -> list[AccessKey]:
        """The keys of which one may have signed a request.

        Raises:
            Unavailable: the database is out of reach.
        """
        rows = await store.find_access_keys(self._database, MOST_CANDIDATE_KEYS)
        return [self._open(row) for row in rows]

    def _decode(self, row: Row) -> AccessKey:
        key = store.access_key_row(row)
        return AccessKey(key.resource, key.id, key.slot, self._encryption.decrypt(key.secret, _purpose(key.id)))


async def open_access_keys(transaction: Transaction, resource: Resource, encryption: Encryption) -> list[AccessKey]:
    """Both keys of a resource in the clear, the primary one first.

    Raises:
        OperatorError: the encryption key does not fit.
    """
    rows = await store.list_access_keys(transaction, resource)
    return [AccessKey(resource, row.id, row.slot, encryption.decrypt(row.secret, _purpose(row.id))) for row in rows]


async def create_resource(
    transaction: Transaction,
    encryption: Encryption,
    clock: Clock,
    *,
    name: str,
    location: str,
    id: str | None = None,
    keys: tuple[bytes, bytes] | None = None,
) -> Resource:
    """A resource with its two access keys; a guid and keys are drawn where none are given.

    Raises:
        OperatorError: the location is none.
    """
    if not _LOCATION.fullmatch(location):
        raise OperatorError(f"{location!r} is no data location.", "Use letters and digits, such as unitedstates.")
    now = clock.micros()
    resource = await store.insert_resource(transaction, id or new_guid(), name, location, now)
    primary, secondary = keys or (random_bytes(ACCESS_KEY_BYTES), random_bytes(ACCESS_KEY_BYTES))
    pairs: tuple[tuple[Slot, bytes], ...] = (("primary", primary), ("secondary", secondary))
    for slot, secret in pairs:
        key_id = new_key_id()
        row = AccessKeyRow(resource, key_id, slot, encryption.encrypt(secret, _purpose(key_id)))
        await store.insert_access_key(transaction, row, now)
    return resource


def _purpose(key_id: str) -> str:
    return f"access key {key_id}"
