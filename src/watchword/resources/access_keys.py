"""Access keys: two for each resource, so that one can be replaced while the other works on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from watchword.errors import KeyTaken, OperatorError
from watchword.identifiers import new_guid, new_key_id, random_bytes
from watchword.keyring.encryption import Encryption
from watchword.keyring.encryption_key import EncryptionKey
from watchword.resources import store
from watchword.resources.groups import default_group
from watchword.resources.store import AccessKeyRow, Resource, Slot
from watchword.revocations.store import record_now
from watchword.storage import Database, Row, Transaction

ACCESS_KEY_BYTES = 64
"""Source: classic keys have 88 characters of base64, identity.md section 2.4."""

_LOCATION = re.compile("[A-Za-z0-9]{1,64}")
"""It stands in every token, whose payload must be the same in both alphabets of base64: see `tokens.issuer.sign`."""

MOST_RESOURCES_OF_A_HOST = 64
"""Which of them a request is for is found by trying their keys."""

_KEYS_OF_A_HOST = 2 * MOST_RESOURCES_OF_A_HOST
_REMEMBERED_KEYS = 1_024
_REWRAPPED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key in the clear, for as long as a request takes."""

    resource: Resource
    id: str
    slot: Slot
    secret: bytes
    is_refused: bool = False
    """The resource takes no access keys for now."""


class AccessKeys:
    """Reads keys as they are committed at that instant; only what a row decodes to is remembered."""

    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption
        self._open = lru_cache(_REMEMBERED_KEYS)(self._decode)
        self._last: tuple[list[Row], list[AccessKey]] = ([], [])

    async def candidates(self, name: str | None = None) -> list[AccessKey]:
        """The keys of which one may have signed a request to the resource of that name, or to a Host that is shared.

        Raises:
            Unavailable: the database is out of reach.
        """
        rows = await store.find_access_keys(self._database, name, _KEYS_OF_A_HOST)
        if rows is not self._last[0]:
            self._last = rows, [self._open(row) for row in rows]
        return self._last[1]

    def _decode(self, row: Row) -> AccessKey:
        key = store.access_key_row(row)
        secret = self._encryption.decrypt(key.secret, _purpose(key.id))
        return AccessKey(key.resource, key.id, key.slot, secret, key.is_refused)


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
    now_micros: int,
    *,
    name: str,
    location: str,
    id: str | None = None,
    keys: tuple[bytes, bytes] | None = None,
    group: int | None = None,
) -> Resource:
    """A resource with its two access keys; a guid and keys are drawn, and a group found, where none are given.

    Raises:
        OperatorError: the location is none.
        KeyTaken: one of the keys is already somebody's.
    """
    if not _LOCATION.fullmatch(location):
        raise OperatorError(f"{location!r} is no data location.", "Use letters and digits, such as unitedstates.")
    number = group or (await default_group(transaction, now_micros)).number
    resource = await store.insert_resource(
        transaction, id or new_guid(), name, location=location, created_micros=now_micros, group=number
    )
    primary, secondary = keys or (_new_secret(), _new_secret())
    await _insert(transaction, encryption, resource, slot="primary", secret=primary, now_micros=now_micros)
    await _insert(transaction, encryption, resource, slot="secondary", secret=secondary, now_micros=now_micros)
    return resource


async def regenerate_access_key(
    transaction: Transaction, encryption: Encryption, resource: Resource, *, slot: Slot, now_micros: int
) -> AccessKey:
    """A new key in the slot. The other one works on; what the former one asked for is dead when this is committed.

    The feed must be woken after.
    """
    former = next(row for row in await store.list_access_keys(transaction, resource) if row.slot == slot)
    await store.delete_access_key(transaction, former.id)
    key = await _insert(transaction, encryption, resource, slot=slot, secret=_new_secret(), now_micros=now_micros)
    await record_now(transaction, "accessKey", former.id, resource=resource.number, now_micros=now_micros)
    return key


async def _insert(
    transaction: Transaction, encryption: Encryption, resource: Resource, *, slot: Slot, secret: bytes, now_micros: int
) -> AccessKey:
    key = await encryption.in_force(transaction)
    fingerprint = key.fingerprint(secret)
    if await store.has_fingerprint(transaction, fingerprint):
        raise KeyTaken
    key_id = new_key_id()
    row = AccessKeyRow(resource, key_id, slot, key.encrypt(secret, _purpose(key_id)))
    await store.insert_access_key(transaction, row, fingerprint, created_micros=now_micros)
    return AccessKey(resource, key_id, slot, secret)


async def rewrap_access_keys(transaction: Transaction, encryption: Encryption, new: EncryptionKey) -> int:
    """Encrypt every access key with another encryption key; how many there are."""
    count, last = 0, ""
    while rows := await store.list_secrets(transaction, after=last, most=_REWRAPPED_AT_ONCE):
        secrets = [(id, encryption.decrypt(stored, _purpose(id))) for id, stored in rows]
        await store.replace_secrets(
            transaction, [(id, new.encrypt(secret, _purpose(id)), new.fingerprint(secret)) for id, secret in secrets]
        )
        count, last = count + len(rows), secrets[-1][0]
    return count


def _new_secret() -> bytes:
    return random_bytes(ACCESS_KEY_BYTES)


def _purpose(key_id: str) -> str:
    return f"access key {key_id}"
