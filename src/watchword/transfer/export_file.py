"""The file of an export: encrypted chunks that can be neither read nor swapped, left out, changed nor cut off.

    watchword-export 1\\n
    4 bytes length · header (JSON) · 4 bytes CRC-32 of all so far
    4 bytes length · chunk · 4 bytes length · chunk ...

A chunk is MessagePack, compressed by zlib and encrypted by AES-256-GCM: its nonce is its number, and the header is
authenticated with it. The key is derived from the encryption key and the export's id, which no other export has, so no
nonce is used twice. The last chunk is the only one of its kind.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from watchword.errors import OperatorError
from watchword.identifiers import random_bytes
from watchword.keyring.encryption import Encryption
from watchword.keyring.encryption_key import KEY_BYTES, EncryptionKey
from watchword.transfer.checksums import TableSum

ID_BYTES = 16

_MAGIC = b"watchword-export 1\n"
_PURPOSE = "export"
_PROOF_BYTES = 16
_LENGTH_BYTES = _CRC_BYTES = 4
_NONCE_BYTES = 12
_LONGEST_HEADER = 65_536
_LONGEST_CHUNK = 1 << 28
_FAST = 1


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a file tells to everybody: nothing that was in the database but how much.

    `key_proof` says whether a key fits, to who has it. `taken_micros` is the instant that the export is of; `tables`
    names the columns of each, `rows` counts all of them.
    """

    export_id: str
    key_proof: bytes
    schema_version: int
    engine: str
    program: str
    taken_micros: int
    tables: dict[str, tuple[str, ...]]
    rows: int


class Rows(msgspec.Struct, frozen=True, tag=True):
    """Some rows of a table, with the columns that the header names, in the order of its key."""

    table: str
    rows: Sequence[Sequence[Any]]


class End(msgspec.Struct, frozen=True, tag=True):
    """What all chunks before it come to; `numbers` are the highest that tables ever gave out."""

    sums: dict[str, TableSum]
    numbers: dict[str, int]


class ExportWriter:
    """Chunks into a file that is open for writing."""

    def __init__(self, file: BinaryIO, encryption_key: EncryptionKey, **facts: Any) -> None:
        export_id = random_bytes(ID_BYTES)
        key, proof = _derive(encryption_key, export_id)
        self.header = Header(export_id=export_id.hex(), key_proof=proof, **facts)
        head = _framed(_MAGIC, msgspec.json.encode(self.header))
        head += zlib.crc32(head).to_bytes(_CRC_BYTES, "big")
        self._file = file
        self._seal = _Seal(key, head)
        self._number = 0
        file.write(head)

    def write(self, chunk: Rows | End) -> None:
        packed = zlib.compress(msgspec.msgpack.encode(chunk), _FAST)
        self._file.write(_framed(b"", self._seal.close(self._number, packed)))
        self._number += 1


class ExportReader:
    """Reads an export piece by piece, and checks it while it does.

    Raises:
        OperatorError: the file is none, is damaged, or was exported under another encryption key.
    """

    def __init__(self, path: Path, file: BinaryIO, encryption: Encryption) -> None:
        self._path = path
        self._file = file
        head = self._read_head()
        try:
            self.header = msgspec.json.decode(head[len(_MAGIC) + _LENGTH_BYTES : -_CRC_BYTES], type=Header)
            derived = [_derive(key, bytes.fromhex(self.header.export_id)) for key in encryption.keys]
        except ValueError:
            raise self._damaged("its header cannot be read") from None
        fitting = [key for key, proof in derived if proof == self.header.key_proof]
        if not fitting:
            raise OperatorError(
                f"{path} was exported under another encryption key.",
                "Give that key in WATCHWORD_ENCRYPTION_KEY, or its file with --encryption-key-file.",
            )
        self._seal = _Seal(fitting[0], head)
        self._begin = file.tell()

    def end(self) -> End:
        """The last chunk, once every other one was found in its place.

        Raises:
            OperatorError: the file is damaged, or its end is missing.
        """
        newest: deque[tuple[int, bytes]] = deque(self._opened(0), maxlen=1)
        chunk = self._decoded(newest[0][1]) if newest else None
        if not isinstance(chunk, End):
            raise self._damaged("its end is missing")
        return chunk

    def chunks(self, first: int = 0) -> Iterator[tuple[int, Rows]]:
        """The chunks of rows with their numbers, from that number on.

        Raises:
            OperatorError: as `end` does.
        """
        for number, packed in self._opened(first):
            chunk = self._decoded(packed)
            if isinstance(chunk, Rows):
                yield number, chunk

    @property
    def size(self) -> int:
        """The size of the whole file, in bytes."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def position(self) -> int:
        """How many bytes were read so far."""
        return self._file.tell()

    def _read_head(self) -> bytes:
        magic = self._file.read(len(_MAGIC))
        if magic != _MAGIC:
            known = magic.startswith(_MAGIC[:-2])
            raise OperatorError(
                f"{self._path} is no export" + (" of a format that this program knows." if known else "."),
                "Run a newer Watchword." if known else "Name a file that `watchword export` wrote.",
            )
        length = self._file.read(_LENGTH_BYTES)
        size = int.from_bytes(length, "big")
        head = magic + length + (self._file.read(size) if size <= _LONGEST_HEADER else b"")
        if self._file.read(_CRC_BYTES) != (crc := zlib.crc32(head).to_bytes(_CRC_BYTES, "big")):
            raise self._damaged("its header is not as it was written")
        return head + crc

    def _opened(self, first: int) -> Iterator[tuple[int, bytes]]:
        self._file.seek(self._begin)
        number = 0
        while length := self._file.read(_LENGTH_BYTES):
            size = int.from_bytes(length, "big")
            if number < first:
                self._file.seek(size, 1)
            else:
                yield number, self._open(number, self._file.read(min(size, _LONGEST_CHUNK)))
            number += 1

    def _open(self, number: int, chunk: bytes) -> bytes:
        try:
            return self._seal.open(number, chunk)
        except (InvalidTag, ValueError):
            raise self._damaged(f"chunk {number} is not as it was written") from None

    def _decoded(self, packed: bytes) -> Rows | End:
        return msgspec.msgpack.decode(zlib.decompress(packed), type=Rows | End)

    def _damaged(self, what: str) -> OperatorError:
        return OperatorError(f"{self._path} is damaged: {what}.", "Take another copy of it, or an earlier export.")


class _Seal:
    """One chunk at a time, bound to its file and its place in it."""

    def __init__(self, key: bytes, head: bytes) -> None:
        self._cipher = AESGCM(key)
        self._head = head

    def close(self, number: int, content: bytes) -> bytes:
        return self._cipher.encrypt(number.to_bytes(_NONCE_BYTES, "big"), content, self._head)

    def open(self, number: int, content: bytes) -> bytes:
        return self._cipher.decrypt(number.to_bytes(_NONCE_BYTES, "big"), content, self._head)


def _derive(encryption_key: EncryptionKey, export_id: bytes) -> tuple[bytes, bytes]:
    """The key of the chunks, and what proves that it is the right one."""
    derived = encryption_key.derive(export_id, _PURPOSE, KEY_BYTES + _PROOF_BYTES)
    return derived[:KEY_BYTES], derived[KEY_BYTES:]


def _framed(before: bytes, content: bytes) -> bytes:
    return before + len(content).to_bytes(_LENGTH_BYTES, "big") + content
