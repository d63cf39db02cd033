"""The signing keys in force: one signs, several verify. Which they are is read from committed state; only their
decoding, which costs far more than a signature, is remembered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from time import perf_counter

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from watchword.clock import Clock
from watchword.errors import OperatorError, Unavailable
from watchword.keyring import store
from watchword.keyring.encryption import Encryption
from watchword.keyring.encryption_key import EncryptionKey
from watchword.keyring.lifecycle import Schedule, State, alive_until, newest_of, signing_until, states
from watchword.keyring.store import SigningKeyRow
from watchword.measurements import FINE_SECONDS, Histogram
from watchword.storage import Database, Row, Transaction
from watchword.storage.clock_watch import ClockWatch
from watchword.storage.database import BESIDE_OLDER
from watchword.tokens.issuer import SigningKey, new_signing_key
from watchword.tokens.jwks import KeySet

_LONGEST_NAP = timedelta(minutes=1)
_SHORTEST_NAP = timedelta(milliseconds=100)

_log = logging.getLogger(__name__)


class Keyring:
    """`clock` must never go back: which key signs is a question of time. `signatures` counts the seconds of each."""

    def __init__(
        self,
        database: Database,
        encryption: Encryption,
        clock: Clock,
        *,
        algorithm: str,
        schedule: Schedule,
        signatures: Histogram | None = None,
    ) -> None:
        self.schedule = schedule
        self._database = database
        self._encryption = encryption
        self._clock = clock
        self._algorithm = algorithm
        self._signatures = signatures or Histogram.of(FINE_SECONDS)
        self._opened: dict[str, SigningKey] = {}
        self._committed: list[Row] = []
        self._kid: str | None = None
        self._holds_until = 0
        self._shown: list[Row] = []
        self._shown_until = 0
        self._key_set: tuple[tuple[str, ...], KeySet] = ((), KeySet(()))

    async def prepare(self) -> None:
        """Makes a key at start where none signs, and publishes one where the setting asks for another algorithm.

        Raises:
            OperatorError: the encryption key does not fit.
        """
        self._open_all(await self._database.transact(self._prepare, BESIDE_OLDER))

    async def signing_key(self) -> SigningKey:
        """The key that signs at this instant.

        Raises:
            Unavailable: the database does not answer.
        """
        kid = await self._signing_kid()
        if kid is None or kid not in self._opened:
            # Another process made it, or the last one was revoked.
            self._open_all(await self._database.transact(self.ensure_signing, BESIDE_OLDER))
            kid = await self._signing_kid()
        return self._opened[kid or ""]

    async def _signing_kid(self) -> str | None:
        rows, now = await store.find_keys(self._database), self._clock.micros()
        if rows != self._committed or now >= self._holds_until:
            self._committed = rows
            self._kid, self._holds_until = signing_until([SigningKeyRow(*row) for row in rows], now)
        return self._kid

    async def key_set(self) -> KeySet:
        """The keys that verify at this instant, the ones to come included.

        Raises:
            Unavailable: the database does not answer.
        """
        rows, now = await store.find_keys(self._database), self._clock.micros()
        if rows != self._shown or now >= self._shown_until:
            self._shown = rows
            alive, self._shown_until = alive_until([SigningKeyRow(*row) for row in rows], now)
            kids = tuple(row.kid for row in alive)
            if kids != self._key_set[0]:
                self._open_all(alive)
                self._key_set = (kids, KeySet(self._opened[kid].verification_key() for kid in kids))
        return self._key_set[1]

    async def states(self) -> list[tuple[SigningKeyRow, State]]:
        """Every key and its state at this instant.

        Raises:
            Unavailable: the database does not answer.
        """
        return states(await store.read_keys(self._database), self._clock.micros())

    def micros(self) -> int:
        """The time by which keys live."""
        return self._clock.micros()

    async def hold(self, transaction: Transaction) -> None:
        """Nobody else makes, changes or forgets a signing key until the transaction ends."""
        if not await transaction.lock(store.KEYS):
            # A database that nothing was encrypted in yet has no such row.
            await self._encryption.in_force(transaction)
            await transaction.lock(store.KEYS)

    async def add_key(self, transaction: Transaction, signs_from_micros: int) -> SigningKeyRow:
        """A fresh key, published now."""
        key = new_signing_key(self._algorithm)
        secret = key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        encrypted = (await self._encryption.in_force(transaction)).encrypt(secret, _purpose(key.kid))
        row = SigningKeyRow(key.kid, self._algorithm, encrypted, self._clock.micros(), signs_from_micros)
        await store.insert_key(transaction, row)
        return row

    async def ensure_signing(self, transaction: Transaction) -> list[SigningKeyRow]:
        """All keys, one of which signs: where none did, the one that is published already, else a fresh one."""
        await self.hold(transaction)
        rows = await store.list_keys(transaction)
        now = self._clock.micros()
        by_state = {state: row for row, state in reversed(states(rows, now))}
        if "signing" in by_state:
            return rows
        if "published" in by_state:
            await store.start_key(transaction, by_state["published"].kid, now)
        else:
            await self.add_key(transaction, now)
        return await store.list_keys(transaction)

    async def keep_rotating(self, clock_watch: ClockWatch) -> None:
        """Publish the next key when its time has come, and forget those whose tokens have expired; until cancelled.

        Not by a clock that is wrong.
        """
        every = self.schedule.every
        nap = min(_LONGEST_NAP, every / 10, self.schedule.ahead / 4) if every else _LONGEST_NAP
        while True:
            await asyncio.sleep(max(nap, _SHORTEST_NAP).total_seconds())
            if clock_watch.fault is not None:
                continue
            try:
                await self._database.transact(self.rotate_if_due, BESIDE_OLDER)
            except Unavailable:
                _log.warning("signing keys could not be looked after; it goes on trying")
            except OperatorError as error:
                _log.error("signing keys could not be looked after: %s", error)
            except Exception:  # noqa: BLE001 - whatever it was must not end rotation for as long as the server runs.
                _log.exception("signing keys could not be looked after; it goes on trying")

    async def rotate_if_due(self, transaction: Transaction) -> None:
        """One turn of `keep_rotating`."""
        await self.hold(transaction)
        rows = await store.list_keys(transaction)
        now = self._clock.micros()
        start = self.schedule.next_start(rows, now)
        if start is not None:
            row = await self.add_key(transaction, start)
            _log.info("published signing key %s", row.kid)
        for row, state in states(rows, now):
            if state == "expired":
                await store.delete_key(transaction, row.kid)

    async def _prepare(self, transaction: Transaction) -> list[SigningKeyRow]:
        rows = await self.ensure_signing(transaction)
        newest = newest_of(rows)
        if newest is None or newest.algorithm == self._algorithm:
            return rows
        start = max(self.schedule.start_if_published(self._clock.micros()), newest.signs_from_micros + 1)
        return [*rows, await self.add_key(transaction, start)]

    def _open_all(self, rows: list[SigningKeyRow]) -> None:
        """Only these are remembered from now on: a key that is gone does not stay in memory."""
        self._opened = {row.kid: self._opened.get(row.kid) or self._open(row) for row in rows}

    def _open(self, row: SigningKeyRow) -> SigningKey:
        secret = self._encryption.decrypt(row.private_key, _purpose(row.kid))
        # Only our three kinds of key are ever stored.
        key = SigningKey.of(load_der_private_key(secret, None))  # type: ignore[arg-type]
        return replace(key, sign=_timed(key.sign, self._signatures.observe))


def _timed(sign: Callable[[bytes], bytes], observe: Callable[[float], None]) -> Callable[[bytes], bytes]:
    def timed(message: bytes) -> bytes:
        started = perf_counter()
        signature = sign(message)
        observe(perf_counter() - started)
        return signature

    return timed


async def rewrap_signing_keys(transaction: Transaction, encryption: Encryption, new: EncryptionKey) -> int:
    """Encrypt every signing key with another encryption key; how many there are."""
    rows = await store.list_keys(transaction)
    for row in rows:
        purpose = _purpose(row.kid)
        encrypted = new.encrypt(encryption.decrypt(row.private_key, purpose), purpose)
        await store.replace_private_key(transaction, row.kid, encrypted)
    return len(rows)


def _purpose(kid: str) -> str:
    return f"signing key {kid}"
