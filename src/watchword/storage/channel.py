"""How processes of a server talk over a socket in their private folder: 4 bytes of length, then msgpack."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Generic, TypeVar

import msgspec

Incoming = TypeVar("Incoming")

_LENGTH_BYTES = 4


class Channel(Generic[Incoming]):
    """One connection, seen from either end.

    Raises:
        ConnectionError, asyncio.IncompleteReadError: the other end is gone.
        msgspec.MsgspecError: it speaks another language.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, incoming: Any) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder: msgspec.msgpack.Decoder[Incoming] = msgspec.msgpack.Decoder(incoming)

    def send(self, message: msgspec.Struct) -> None:
        """What is said to an end that is gone is lost; `receive` tells. What waits here is bounded by who waits."""
        content = _encoder.encode(message)
        # uvloop calls a connection that is closed a RuntimeError.
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.write(len(content).to_bytes(_LENGTH_BYTES, "big") + content)

    async def receive(self) -> Incoming:
        length = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES), "big")
        return self._decoder.decode(await self._reader.readexactly(length))

    @property
    def unsent_bytes(self) -> int:
        """How much the other end has not taken yet."""
        return self._writer.transport.get_write_buffer_size()

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        """Ends it at once, whatever was not sent yet."""
        self._writer.transport.abort()


_encoder = msgspec.msgpack.Encoder()
