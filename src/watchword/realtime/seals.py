"""Sealed values: what a step of the handshake hands the client for the next one, which another node may answer.

    sid, connectparams.sig      unpadded base64url of: version, nonce, AES-256-GCM of what is proved

They are made with a key that is derived from the encryption key in force, which all nodes share: nothing has to be
stored until a socket opens, so what strangers begin and leave costs nothing.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from watchword.clock import steady_seconds
from watchword.identifiers import random_bytes
from watchword.keyring.encryption import Encryption
from watchword.keyring.encryption_key import EncryptionKey
from watchword.keyring.key_check import FIND
from watchword.storage import Database
from watchword.tokens.claims import Claims

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_BELIEVED_SECONDS = 5.0
"""For so long a node goes on sealing with a key that may have been changed; the one before still opens it."""

_LONGEST = 4_096
"""Of a sealed value: nobody was given a longer one."""


Purpose = Literal["allocation", "session"]
"""What a ticket is good for: the step after the allocation, or one socket."""


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """Whose socket it may become: what was proved of the token, at which epid, until when, and by which path.

    `id` is spent with the socket; `resource` is a number.
    """

    id: bytes
    claims: Claims
    kid: str
    resource: int
    epid: str
    ccid: str
    expires_micros: int


class Seals:
    """Seals and opens tickets."""

    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption
        self._ciphers: dict[EncryptionKey, AESGCM] = {}
        self._in_force: EncryptionKey | None = None
        self._asked = 0.0

    async def seal(self, ticket: Ticket, purpose: Purpose) -> str:
        """The ticket as the client hands it on.

        Raises:
            OperatorError: this node does not have the key in force.
        """
        nonce = random_bytes(_NONCE_BYTES)
        cipher = self._cipher(await self._key())
        sealed = cipher.encrypt(nonce, _encode(ticket), purpose.encode())
        return urlsafe_b64encode(_VERSION + nonce + sealed).rstrip(b"=").decode()

    def open(self, text: str, purpose: Purpose, now_micros: int) -> Ticket | None:
        """None where nobody was given this, or the time is over."""
        if len(text) > _LONGEST or not text.isascii():
            return None
        try:
            sealed = urlsafe_b64decode(text + "==")
        except ValueError:
            return None
        if not sealed.startswith(_VERSION):
            return None
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        for key in self._encryption.keys:
            try:
                ticket = _decode(self._cipher(key).decrypt(nonce, rest, purpose.encode()))
            except (InvalidTag, ValueError, msgspec.MsgspecError):
                continue
            return ticket if now_micros < ticket.expires_micros else None
        return None

    async def _key(self) -> EncryptionKey:
        now = steady_seconds()
        if self._in_force is None or now - self._asked > _BELIEVED_SECONDS:
            [(stored,)] = await self._database.query(FIND)
            self._in_force, self._asked = self._encryption.fitting(stored), now
        return self._in_force

    def _cipher(self, key: EncryptionKey) -> AESGCM:
        found = self._ciphers.get(key)
        if found is None:
            found = self._ciphers[key] = AESGCM(key.derive(b"realtime", "sealed tickets of realtime", _KEY_BYTES))
        return found


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Ticket).decode
