"""The signing keys in force: one signs, several verify. Which they are is read from committed state; only their
decoding, which costs far more than a signature, is remembered.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from watchword.clock import Clock
from watchword.errors import Unavailable
from watchword.keyring import store
from watchword.keyring.encryption import Encryption
from watchword.keyring.lifecycle import Schedule, states
from watchword.keyring.store import SigningKeyRow
from watchword.storage import Database, Transaction
from watchword.tokens.issuer import SigningKey, new_signing_key
from watchword.tokens.jwks import KeySet, VerificationKey

_LONGEST_NAP = timedelta(minutes=1)
_SHORTEST_NAP = timedelta(milliseconds=100)

_log = logging.getLogger(__name__)


class Keyring:
    """`clock` must never go back: which key signs is a question of time."""

    def __init__(
        self, database: Database, encryption: Encryption, clock: Clock, algorithm: str, schedule: Schedule
    ) -> None:
        self.schedule = schedule
        self._database = database
        self._encryption = encryption
        self._clock = clock
        self._algorithm = algorithm
        self._opened: dict[str, SigningKey] = {}
        self._key_set: tuple[tuple[str, ...], KeySet] = ((), KeySet(()))

    async def prepare(self) -> None:
        """Make a key where none signs, or where the newest is of another algorithm than the setting's.

        Raises:
            OperatorError: the encryption key does not fit.
        """
        rows = await self._database.transact(self._ensure)
        for row in rows:
            self._open(row)

    async def signing_key(self) -> SigningKey:
        """The key that signs at this instant.

        Raises:
            Unavailable: the database does not answer.
        """
        kid = await store.find_signing_kid(self._database, self._clock.micros())
        if kid is None or kid not in self._opened:
            # Another process made it, or every key was retired or revoked.
            await self.prepare()
            kid = await store.find_signing_kid(self._database, self._clock.micros())
        return self._opened[kid or ""]

    async def key_set(self) -> KeySet:
        """The keys that verify at this instant, the ones to come included.

        Raises:
            Unavailable: the database does not answer.
        """
        rows = await store.read_keys(self._database)
        alive = [row for row, state in states(rows, self._clock.micros()) if state not in ("expired", "revoked")]
        kids = tuple(row.kid for row in alive)
        if kids != self._key_set[0]:
            self._key_set = (kids, KeySet(self._verification_key(row) for row in alive))
        return self._key_set[1]

    async def add_key(self, transaction: Transaction, signs_from_micros: int) -> SigningKeyRow:
        """A fresh key, published now."""
        key = new_signing_key(self._algorithm)
        secret = key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        encrypted = self._encryption.encrypt(secret, _purpose(key.kid))
        row = SigningKeyRow(key.kid, self._algorithm, encrypted, self._clock.micros(), signs_from_micros)
        await store.insert_key(transaction, row)
        return row

    async def keep_rotating(self) -> None:
        """Publish the next key when its time has come, and forget those whose tokens have expired; until cancelled."""
        every = self.schedule.every
        nap = min(_LONGEST_NAP, every / 10, self.schedule.ahead / 4) if every else _LONGEST_NAP
        while True:
            await asyncio.sleep(max(nap, _SHORTEST_NAP).total_seconds())
            try:
                await self._database.transact(self._rotate_if_due)
            except Unavailable:
                _log.warning("signing keys could not be looked after; it goes on trying")

    async def _rotate_if_due(self, transaction: Transaction) -> None:
        rows = await store.list_keys(transaction)
        now = self._clock.micros()
        start = self.schedule.next_start(rows, now)
        if start is not None:
            row = await self.add_key(transaction, start)
            _log.info("published signing key %s", row.kid)
        for row, state in states(rows, now):
            if state == "expired":
                await store.delete_key(transaction, row.kid)

    async def _ensure(self, transaction: Transaction) -> list[SigningKeyRow]:
        rows = await store.list_keys(transaction)
        now = self._clock.micros()
        signing = [row for row, state in states(rows, now) if state == "signing"]
        if not signing or rows[-1].algorithm != self._algorithm:
            rows.append(await self.add_key(transaction, now))
        return rows

    def _open(self, row: SigningKeyRow) -> SigningKey:
        key = self._opened.get(row.kid)
        if key is None:
            secret = self._encryption.decrypt(row.private_key, _purpose(row.kid))
            # Only our three kinds of key are ever stored.
            key = self._opened[row.kid] = SigningKey.of(load_der_private_key(secret, None))  # type: ignore[arg-type]
        return key

    def _verification_key(self, row: SigningKeyRow) -> VerificationKey:
        return self._open(row).verification_key()


def _purpose(kid: str) -> str:
    return f"signing key {kid}"
